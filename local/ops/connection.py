"""Which copy of the platform is asked, with which key, and on whose behalf."""

import getpass
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.ops.exits import Exit, OpsError
from local.run.environment import RunSettings
from local.run.errors import StackError
from local.run.ports import LOOPBACK

_LONGEST_ACTOR = 100


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the private API is, and who asks."""

    url: str
    key: str = field(repr=False)
    actor: str

    @classmethod
    def of(cls, *, url: str | None, key: str | None, actor: str | None) -> "Connection":
        """Return the connection that is meant; what is not given is the copy of `make run`, and this user.

        Raises:
            OpsError: the address makes no sense, or there is no key for it.
        """
        try:
            here = RunSettings.read()
        except StackError as error:
            raise OpsError(str(error), Exit.USAGE) from error
        address = (url or f"http://{LOOPBACK}:{here.ports.app}").rstrip("/")
        local = _is_local(address)
        if not key and not local:
            raise OpsError(f"A key is needed for {address}: set OPS_KEY.", Exit.UNREACHABLE)
        return cls(url=address, key=key or here.function_key, actor=actor or _user())

    @property
    def local(self) -> bool:
        """Whether it is a copy on this machine."""
        return _is_local(self.url)


def _is_local(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise OpsError("--url must be like https://name.azurewebsites.net or http://127.0.0.1:7071.", Exit.USAGE)
    local = host == "localhost" or _is_loopback(host)
    if parts.scheme == "http" and not local:
        raise OpsError(f"The key would travel in clear to {host}: use https.", Exit.USAGE)
    return local


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _user() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = ""
    printable = "".join(letter for letter in name if "\x21" <= letter <= "\x7e")
    return printable[:_LONGEST_ACTOR] or "ops"
