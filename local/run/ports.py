"""Where everything listens: six ports, each moved by its own variable, checked before anything starts."""

import contextlib
import errno
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from random import SystemRandom
from typing import Self

from local.run.errors import PortError

LOOPBACK = "127.0.0.1"
_HIGHEST = 65_535
# Field, variable and use. The order is that of the messages.
_USES = (
    ("app", "APP_PORT", "the app"),
    ("blob", "AZURITE_BLOB_PORT", "Azurite's blobs"),
    ("queue", "AZURITE_QUEUE_PORT", "Azurite's queues"),
    ("table", "AZURITE_TABLE_PORT", "Azurite's tables"),
    ("mainframe", "MAINFRAME_PORT", "the mock mainframe"),
    ("control", "MAINFRAME_CONTROL_PORT", "the mock mainframe's control"),
)
# Below what systems hand out for outgoing connections: while a killed host is down, a client that keeps asking for its
# port could otherwise be given that very port, and talk to itself.
_FREE_RANGE = range(15_000, 30_000)


@dataclass(frozen=True, slots=True)
class StackPorts:
    """The ports of one running copy, all on loopback."""

    app: int = 7071
    blob: int = 10_000
    queue: int = 10_001
    table: int = 10_002
    mainframe: int = 7080
    control: int = 7081

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return the ports that the environment asks for. Raises PortError when they make no sense."""
        chosen = {
            name: _number(variable, environment[variable]) for name, variable, _ in _USES if environment.get(variable)
        }
        ports = cls(**chosen)
        counts = Counter(getattr(ports, name) for name, _, _ in _USES)
        for port, count in counts.items():
            if count > 1:
                same = [variable for name, variable, _ in _USES if getattr(ports, name) == port]
                raise PortError(f"{' and '.join(same)} are both {port}: give each its own port.")
        return ports

    @classmethod
    def free(cls) -> Self:
        """Return ports that nobody uses now."""
        random = SystemRandom()
        chosen: dict[str, int] = {}
        while len(chosen) < len(fields(cls)):
            port = random.choice(_FREE_RANGE)
            if port not in chosen.values() and _refusal(port) is None:
                chosen[_USES[len(chosen)][0]] = port
        return cls(**chosen)

    def require_free(self) -> None:
        """Raise PortError, naming every port that cannot be had, its use and the variable that moves it."""
        refusals = [
            f"port {getattr(self, name)} for {use} {why} ({variable} moves it)"
            for name, variable, use in _USES
            if (why := _refusal(getattr(self, name)))
        ]
        if refusals:
            text = ", ".join(refusals)
            raise PortError(f"{text[0].upper()}{text[1:]}: stop what uses it, or choose another.")


def _refusal(port: int) -> str | None:
    """Return why a port cannot be listened on; None when it can."""
    with contextlib.closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((LOOPBACK, port))
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
    # Some systems let a second socket bind beside one that listens on every address.
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=0.2):
        return "is in use"
    return None


def _number(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _HIGHEST):
        raise PortError(f"{variable} must be a port from 1 to {_HIGHEST}, not '{text}'.")
    return int(text)
