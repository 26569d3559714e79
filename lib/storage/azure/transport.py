"""One request to storage and its reply: over one pool of kept connections, within a time limit, never twice by itself.

What could not be sent is told apart from what was sent and not answered: the first changed nothing, the second may.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from random import uniform
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from lib.storage.azure.signing import Service, Signer
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError

_READ_TRIES = 3
_PAUSE_SECONDS = (0.02, 0.1)
_PIECEMEAL_BYTES = 1024 * 1024
_THROTTLED, _SERVER = 429, 500


@dataclass(frozen=True, slots=True)
class StorageTimeouts:
    """How long storage may take. A caller waits never longer than the limit of what it asked for."""

    connect_seconds: float = 1.0
    """Until a connection stands, waiting for a free one included."""
    read_seconds: float = 5.0
    """A read with all its repetitions."""
    read_try_seconds: float = 2.5
    """One of them."""
    write_seconds: float = 5.0
    send_seconds: float = 1.5
    """One message to a queue: short, as an outbox row stands in when the queue is slow."""
    blob_seconds: float = 20.0
    """One request for a blob: up to 4 MiB travel in it."""
    idle_seconds: float = 4.0
    """How long an unused connection is kept: less than the emulator's 5 s, so that we close first and no write meets a
    connection that the other side is just closing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What storage answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of one service. `path` and `query` are percent-encoded already; `path` begins below the endpoint."""

    method: str
    path: str
    query: str = ""
    comp: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None


class _NotSentError(Exception):
    """No byte of the request left."""


class _NoAnswerError(Exception):
    """The request left, whole or in part, and no whole reply came."""


class Pool:
    """The connections of one process, opened when first needed, shared by all tables and queues."""

    def __init__(self, timeouts: StorageTimeouts) -> None:
        """Open nothing yet: a session belongs to the running event loop."""
        self.timeouts = timeouts
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """Return the session, opened now if it was not."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=128, keepalive_timeout=self.timeouts.idle_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=[_once],
                # A content type that was not signed would be refused.
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def close(self) -> None:
        """Close all connections; the next request would open new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class Transport:
    """Requests to one endpoint of one account."""

    def __init__(self, service: Service, endpoint: str, pool: Pool, signer: Signer) -> None:
        """Send to this endpoint, through the pool, as whom the signer says."""
        parts = urlsplit(endpoint)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.root = parts.path.rstrip("/")
        self._service = service
        self._pool = pool
        self._signer = signer

    async def read(self, request: Request) -> Reply:
        """Ask for something, again after a short pause when storage stumbles: reading twice is harmless.

        Raises:
            StorageUnavailableError: no good answer came within the time for reads.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pool.timeouts.read_seconds
        for left in reversed(range(_READ_TRIES)):
            seconds = min(self._pool.timeouts.read_try_seconds, deadline - loop.time())
            reason: Exception
            try:
                reply = await self._send(request, seconds)
            except (_NotSentError, _NoAnswerError) as failure:
                reason = failure
            else:
                if reply.status < _SERVER and reply.status != _THROTTLED:
                    return reply
                reason = _NoAnswerError(f"status {reply.status}")
            pause = uniform(*_PAUSE_SECONDS)  # noqa: S311 - spreads callers out, guards no secret
            if not left or loop.time() + pause >= deadline:
                raise StorageUnavailableError("storage did not answer") from reason
            await asyncio.sleep(pause)
        raise AssertionError("the last try either returned or raised")

    async def write(self, request: Request, *, seconds: float | None = None) -> Reply:
        """Ask once for a change.

        Raises:
            StorageUnavailableError: nothing was sent.
            OutcomeUnknownError: something was sent, and no reply came within the time for writes.
        """
        try:
            return await self._send(request, self._pool.timeouts.write_seconds if seconds is None else seconds)
        except _NotSentError as failure:
            raise StorageUnavailableError("storage could not be reached") from failure
        except _NoAnswerError as failure:
            raise OutcomeUnknownError("storage did not answer") from failure

    async def _send(self, request: Request, seconds: float) -> Reply:
        path = f"{self.root}{request.path}"
        headers = await self._signed(request, path, seconds)
        query = "&".join(filter(None, (request.query, request.comp and f"comp={request.comp}")))
        url = URL(f"{self.origin}{path}?{query}" if query else f"{self.origin}{path}", encoded=True)
        headers.update(request.headers)
        # Less time to connect than in all: what then runs out tells whether anything was sent.
        timeout = aiohttp.ClientTimeout(total=seconds, connect=min(seconds / 2, self._pool.timeouts.connect_seconds))
        # A body over 1 MiB goes out in pieces, so that it does not hold up the others.
        body = BytesIO(request.body) if request.body and len(request.body) > _PIECEMEAL_BYTES else request.body
        try:
            async with self._pool.session().request(
                request.method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, OSError) as failure:  # a TimeoutError is an OSError
            raise _NoAnswerError(type(failure).__name__) from failure

    async def _signed(self, request: Request, path: str, seconds: float) -> dict[str, str]:
        try:
            async with asyncio.timeout(seconds):
                return await self._signer.sign(
                    self._service,
                    method=request.method,
                    path=path,
                    comp=request.comp,
                    content_type=request.headers.get("Content-Type", ""),
                )
        except TimeoutError as failure:
            raise _NotSentError("no token in time") from failure


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send without aiohttp's own second try.

    When a kept connection ends under a GET, PUT or DELETE, aiohttp sends it again. For a PUT with If-Match whose
    first copy was done that would answer 412 to its own write, so its failures leave here under names it does not know.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as failure:
        raise _NotSentError(type(failure).__name__) from failure
    except (aiohttp.ClientError, OSError) as failure:
        raise _NoAnswerError(type(failure).__name__) from failure
