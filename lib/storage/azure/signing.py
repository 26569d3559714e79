"""How a request proves whose it is: a signature by the account key, or a token of the app's managed identity."""

import asyncio
import hashlib
import hmac
from base64 import b64encode
from email.utils import format_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from lib.clock import Clock
from lib.storage.azure.connection import Connection, ConnectionString, IdentityConnection
from lib.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

API_VERSION = "2020-12-06"
_SCOPE = "https://storage.azure.com/.default"
_RENEW_BEFORE_SECONDS = 300
_ASK_AGAIN_SECONDS = 30


class Service(StrEnum):
    """What there is in an account; each wants its requests signed in its own way."""

    TABLE = "table"
    QUEUE = "queue"


class Signer(Protocol):
    """Gives the headers that make a request ours."""

    async def sign(self, service: Service, *, method: str, path: str, comp: str, content_type: str) -> dict[str, str]:
        """Return the headers of a request; the path is encoded, `comp` is the query parameter of that name."""
        ...

    async def close(self) -> None:
        """Release what the signer holds."""
        ...


def signer_for(connection: Connection, clock: Clock, credential: "AsyncTokenCredential | None" = None) -> Signer:
    """Return the signer that a connection calls for."""
    if isinstance(connection, ConnectionString):
        return KeySigner(connection, clock)
    return TokenSigner(connection, clock, credential)


class KeySigner:
    """Signs with the account key (the scheme named SharedKeyLite, which leaves fewer parts to disagree on)."""

    def __init__(self, connection: ConnectionString, clock: Clock) -> None:
        """Keep the key."""
        self._account = connection.account
        self._key = connection.key
        self._dates = _Dates(clock)

    async def sign(self, service: Service, *, method: str, path: str, comp: str, content_type: str) -> dict[str, str]:
        """Sign what identifies the request."""
        date = self._dates.now()
        resource = f"/{self._account}{path}?comp={comp}" if comp else f"/{self._account}{path}"
        if service is Service.TABLE:
            return self._headers(date, f"{date}\n{resource}")
        ours = f"x-ms-date:{date}\nx-ms-version:{API_VERSION}"
        return self._headers(date, f"{method}\n\n{content_type}\n\n{ours}\n{resource}")

    async def close(self) -> None:
        """Nothing is held."""

    def _headers(self, date: str, text: str) -> dict[str, str]:
        signature = b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
        return {
            "x-ms-date": date,
            "x-ms-version": API_VERSION,
            "Authorization": f"SharedKeyLite {self._account}:{signature}",
        }


class TokenSigner:
    """Shows a token of the managed identity, asked for again five minutes before it ends.

    When no new one is given then, the old one serves while it is good.
    """

    def __init__(
        self, connection: IdentityConnection, clock: Clock, credential: "AsyncTokenCredential | None" = None
    ) -> None:
        """Keep whose token to ask for; the credential is only made when first needed, as importing it costs 0.4 s."""
        self._connection = connection
        self._clock = clock
        self._dates = _Dates(clock)
        self._credential = credential
        self._authorization = ""
        self._expires_at = 0.0
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    async def sign(self, service: Service, *, method: str, path: str, comp: str, content_type: str) -> dict[str, str]:
        """Show the token, which covers every request."""
        del service, method, path, comp, content_type
        if self._now() >= self._renew_at:
            # One asks, the others wait for that answer instead of asking the identity service, which throttles.
            async with self._lock:
                if self._now() >= self._renew_at:
                    await self._renew()
        return {"x-ms-date": self._dates.now(), "x-ms-version": API_VERSION, "Authorization": self._authorization}

    async def close(self) -> None:
        """Close the credential's own connections."""
        if self._credential is not None:
            await self._credential.close()

    async def _renew(self) -> None:
        from azure.core.exceptions import AzureError

        try:
            token = await self._made_credential().get_token(_SCOPE)
        except AzureError as refusal:
            if self._now() >= self._expires_at:
                raise StorageUnavailableError("the managed identity gave no token") from refusal
            self._renew_at = self._now() + _ASK_AGAIN_SECONDS
            return
        self._authorization = f"Bearer {token.token}"
        self._expires_at = token.expires_on
        self._renew_at = token.expires_on - _RENEW_BEFORE_SECONDS

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _made_credential(self) -> "AsyncTokenCredential":
        if self._credential is None:
            from azure.identity.aio import ManagedIdentityCredential

            self._credential = ManagedIdentityCredential(client_id=self._connection.client_id)
        return self._credential


class _Dates:
    """The date header, written once per second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = 0
        self._text = ""

    def now(self) -> str:
        moment = self._clock.now()
        second = int(moment.timestamp())
        if second != self._second:
            self._second, self._text = second, format_datetime(moment, usegmt=True)
        return self._text
