"""Why setting up could not go on, said in one sentence."""

import re

_FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded|EDQUOT", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"Failed to establish a new connection|Max retries exceeded|Name or service not known|"
    r"Temporary failure in name resolution|nodename nor servname|Connection refused|Network is unreachable|"
    r"Could not resolve host|dns error|error sending request|client error \(Connect\)|ProxyError|"
    r"Read timed out|Connect timeout|operation timed out|CERTIFICATE_VERIFY_FAILED|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT",
    re.IGNORECASE,
)
_LAST_LINES = 15


class SetupError(Exception):
    """Setting up cannot go on; the message is what to show."""


class DiskFullError(SetupError):
    """There is no room to install."""


class UnreachableError(SetupError):
    """A package registry does not answer."""


class ToolError(SetupError):
    """A tool failed for a reason of its own."""


def explained(doing: str, registry: str, said: str) -> SetupError:
    """Return the error that a tool's output stands for: what was being done, from where, and what the tool said."""
    if _FULL.search(said):
        return DiskFullError(f"The disk is full, so {doing} failed: make room and run this again.")
    if _UNREACHABLE.search(said):
        return UnreachableError(
            f"{registry} cannot be reached, so {doing} failed: check the network or the proxy settings "
            f"and run this again."
        )
    last = "\n".join(said.strip().splitlines()[-_LAST_LINES:])
    return ToolError(f"{doing[:1].upper()}{doing[1:]} failed. The tool said:\n{last or 'nothing'}")
