"""Talk to the mainframe over TCP: one frame out, one frame back, one attempt."""

import asyncio
import selectors
import ssl
from dataclasses import dataclass, field
from typing import Any, Self

from lib.mainframe.errors import (
    FrameError,
    GarbledReplyError,
    MainframeRefusedError,
    MainframeUnreachableError,
    NoAnswerError,
)
from lib.mainframe.frames import framed, read_frame
from lib.mainframe.protocol import (
    Browse,
    Inquiry,
    Reply,
    Request,
    ReturnCode,
    UpdateRequest,
    encode_request,
    held_version,
    listed_keys,
    parse_reply,
)


@dataclass
class MainframeClient:
    """The link to the mainframe. Keeps a few idle connections, so that most calls save the handshake.

    A kept connection is used again only if nothing has arrived on it since, not even its end. From the first byte
    written, whatever goes wrong is an unknown outcome: nothing is repeated in here.
    """

    host: str
    port: int
    tls: bool = False
    connect_timeout_seconds: float = 5.0
    call_timeout_seconds: float = 30.0
    max_idle_connections: int = 8
    max_idle_seconds: float = 60.0
    tls_context: ssl.SSLContext | None = None  # for an authority of one's own, or a client certificate
    _idle: list["_Connection"] = field(default_factory=list["_Connection"], init=False, repr=False)
    _closed: bool = field(default=False, init=False, repr=False)

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Hand over a subject's state; every return code comes back as a reply.

        Raises:
            MainframeUnreachableError: nothing was sent.
            NoAnswerError: the outcome is unknown.
        """
        return await self._ask(UpdateRequest(subject=subject, key=key, version=version, trace=trace, body=body))

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version that the mainframe holds, or None. Raises as `update`, and MainframeRefusedError."""
        return held_version(_granted(await self._ask(Inquiry(subject=subject, key=key))))

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return up to `limit` keys (at most 50) and versions after a key. Raises as `inquire`."""
        request = Browse(subject=subject, after=after, limit=limit)
        return listed_keys(request, _granted(await self._ask(request)))

    async def close(self) -> None:
        """Close what is idle now, and what is in use as soon as its call is done."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()
        await asyncio.sleep(0)  # lets the transports finish closing

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def _ask(self, request: Request) -> Reply:
        frame = framed(encode_request(request))
        connection = self._take_idle() or await self._connect()
        try:
            reply = parse_reply(request, await self._exchange(connection, frame))
        except BaseException:
            connection.abort()  # also when cancelled: a late reply must never meet the next request
            raise
        self._put_back(connection)
        return reply

    async def _exchange(self, connection: "_Connection", frame: bytes) -> bytes:
        try:
            async with asyncio.timeout(self.call_timeout_seconds):
                connection.writer.write(frame)
                await connection.writer.drain()
                payload = await read_frame(connection.reader)
        except TimeoutError:
            raise NoAnswerError(f"no answer within {self.call_timeout_seconds:g} s") from None
        except OSError as error:
            raise NoAnswerError(f"the connection broke: {type(error).__name__}") from error
        except FrameError as error:
            raise GarbledReplyError(str(error)) from error
        if payload is None:
            raise NoAnswerError("the connection was closed instead of an answer")
        return payload

    async def _connect(self) -> "_Connection":
        context = (self.tls_context or ssl.create_default_context()) if self.tls else None
        try:
            async with asyncio.timeout(self.connect_timeout_seconds):
                connection = await _Connection.open(self.host, self.port, context)
        except TimeoutError:
            raise MainframeUnreachableError(f"no connection within {self.connect_timeout_seconds:g} s") from None
        except OSError as error:
            raise MainframeUnreachableError(f"no connection: {type(error).__name__}") from error
        return connection

    def _take_idle(self) -> "_Connection | None":
        oldest_allowed = asyncio.get_running_loop().time() - self.max_idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.idle_since >= oldest_allowed and connection.is_quiet():
                return connection
            connection.abort()
        return None

    def _put_back(self, connection: "_Connection") -> None:
        if self._closed or len(self._idle) >= self.max_idle_connections:
            connection.abort()
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)


def _granted(reply: Reply) -> Reply:
    if reply.code is not ReturnCode.APPLIED:
        raise MainframeRefusedError(reply.code, reply.reason_code)
    return reply


class _CountingReader(asyncio.StreamReader):
    """Knows whether more has arrived than was read."""

    unread = 0

    def feed_data(self, data: Any) -> None:
        self.unread += len(data)
        super().feed_data(data)

    async def readexactly(self, n: int) -> bytes:
        data = await super().readexactly(n)
        self.unread -= n
        return data


@dataclass
class _Connection:
    reader: _CountingReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0

    @classmethod
    async def open(cls, host: str, port: int, context: ssl.SSLContext | None) -> Self:
        loop = asyncio.get_running_loop()
        reader = _CountingReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, host, port, ssl=context)
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    def is_quiet(self) -> bool:
        """Tell whether the peer has sent nothing since the last reply, neither bytes nor the end of the stream.

        The socket itself is asked too, because the loop may not have had time to notice that the peer is gone.
        """
        if self.writer.transport.is_closing() or self.reader.at_eof() or self.reader.unread:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self.writer.get_extra_info("socket"), selectors.EVENT_READ)
            return not selector.select(timeout=0)

    def abort(self) -> None:
        self.writer.transport.abort()
