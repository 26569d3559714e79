"""Listen on a port, or really refuse: a port that is bound and not listened on answers every attempt with a reset."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from lib.mainframe.errors import MainframeError

HOST = "127.0.0.1"
_BACKLOG = 512

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class PortTakenError(MainframeError):
    """Somebody else listens on the port."""


def bound_socket(port: int) -> socket.socket:
    """Return a socket bound to a loopback port (0 for any free one), which nobody listens on yet."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise PortTakenError(f"Port {port} on {HOST} is taken; choose another one.") from None
    return bound


class Listener:
    """One port that is open or refuses, and can go back and forth."""

    def __init__(self, port: int, serve: Serve) -> None:
        """Take the port; nobody is let in before `open`."""
        self._serve = serve
        self._bound: socket.socket | None = bound_socket(port)
        self._server: asyncio.Server | None = None
        self.port: int = self._bound.getsockname()[1]

    @property
    def listening(self) -> bool:
        """Tell whether callers are let in."""
        return self._server is not None

    async def open(self) -> None:
        """Let callers in."""
        if self._server:
            return
        bound = self._bound or bound_socket(self.port)
        self._bound = None
        try:
            self._server = await asyncio.start_server(self._serve, sock=bound, backlog=_BACKLOG)
        except OSError:
            bound.close()
            raise PortTakenError(f"Port {self.port} on {HOST} is taken; choose another one.") from None

    def refuse(self) -> None:
        """Close the listening socket and keep the port, so that callers are refused and nobody else takes it."""
        self.close()
        self._bound = bound_socket(self.port)

    def close(self) -> None:
        """Give the port back."""
        if self._server:
            self._server.close()
        if self._bound:
            self._bound.close()
        self._server = self._bound = None
