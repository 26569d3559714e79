"""Asks the platform over HTTP as a careful client does, and says of every write what is known of its outcome."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Final, Self

import aiohttp

from local.chaos.history import Outcome

_TIMEOUT_SECONDS: Final = 4.0
_MERGE_PATCH: Final = "application/merge-patch+json"
_UNKNOWN_KIND: Final = "urn:iommi:problem:outcome-unknown"
# A 500 without it is the host's own, which ends a request when its drain has lasted too long.
DEFECT_KIND: Final = "urn:iommi:problem:internal-error"
_READ_TRIES: Final = 40
_KNOCKS: Final = 40
_PAUSE_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `status` 0 when nothing did, and `sent` tells then whether anything had left."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    sent: bool = True

    @property
    def outcome(self) -> Outcome:
        """What a writer may believe."""
        if HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES:
            return Outcome.OK
        if self.status == 0:
            return Outcome.UNKNOWN if self.sent else Outcome.FAILED
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return Outcome.UNKNOWN if _UNKNOWN_KIND in self.text else Outcome.FAILED
        return Outcome.FAILED if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else Outcome.UNKNOWN

    @property
    def short(self) -> str:
        """The status in a word."""
        return str(self.status) if self.status else ("no answer" if self.sent else "refused")

    def json(self) -> dict[str, Any]:
        """Return the body as an object."""
        return json.loads(self.text)


class NobodyAnswersError(Exception):
    """A read was not answered although it was asked again and again."""


@dataclass
class Api:
    """`async with Api(urls, key, random) as api:`; each request goes to any of the hosts."""

    urls: Sequence[str]
    function_key: str
    random: Random
    timeout_seconds: float = _TIMEOUT_SECONDS
    _session: aiohttp.ClientSession = field(init=False, repr=False)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.timeout_seconds),
            connector=aiohttp.TCPConnector(limit=0),
            middlewares=[_no_second_try],
            headers={"x-functions-key": self.function_key},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def create(self, body: Mapping[str, Any], *, key: str | None = None) -> Reply:
        """Create a customer."""
        return await self.ask("POST", "/api/v1/customers", body=body, key=key)

    async def amend(self, customer_id: str, patch: Mapping[str, Any], *, etag: str, key: str | None = None) -> Reply:
        """Change a customer."""
        more = {"If-Match": etag, "Content-Type": _MERGE_PATCH}
        return await self.ask("PATCH", f"/api/v1/customers/{customer_id}", body=patch, key=key, headers=more)

    async def get(self, path: str) -> Reply:
        """Read, as often as it takes; 200 and 404 are answers. Raises NobodyAnswersError."""
        for _ in range(_READ_TRIES):
            reply = await self.ask("GET", path)
            if reply.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
                return reply
            await asyncio.sleep(_PAUSE_SECONDS)
        raise NobodyAnswersError(path)

    async def pages(self, path: str) -> list[dict[str, Any]]:
        """Return all items of a list."""
        found: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            page = (await self.get(following)).json()
            found += page["items"]
            following = page["next"]
        return found

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request to one of the hosts, or to another when that one is not there."""
        sent = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        data = json.dumps(body).encode() if body is not None else None
        reply = Reply(0, sent=False)
        for _ in range(_KNOCKS):
            reply = await self._once(method, self.random.choice(self.urls) + path, data, sent)
            if reply.sent:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        return reply

    async def _once(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Reply:
        try:
            async with self._session.request(method, url, data=data, headers=headers) as response:
                told = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, told, await response.text())
        except _NobodyThereError:
            return Reply(0, sent=False)
        except (_BrokenOffError, aiohttp.ClientError, TimeoutError, ConnectionError):
            return Reply(0)


class _NobodyThereError(Exception):
    """No connection came about."""


class _BrokenOffError(Exception):
    """The connection ended before the answer."""


async def _no_second_try(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send once. aiohttp sends a PUT again when its connection ends, and a write without a key would refuse itself."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError as failure:
        raise _NobodyThereError from failure
    except (aiohttp.ClientError, ConnectionError) as failure:
        raise _BrokenOffError from failure
