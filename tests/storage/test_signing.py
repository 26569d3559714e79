import asyncio
from typing import Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from lib.clock import FixedClock
from lib.storage.azure import AzureStorage, ConnectionString, IdentityConnection, StorageTimeouts
from lib.storage.azure.signing import KeySigner, Service, TokenSigner
from lib.storage.errors import StorageUnavailableError

IDENTITY = IdentityConnection(
    "https://a.table.core.windows.net", "https://a.queue.core.windows.net", "https://a.blob.core.windows.net"
)


class IdentityService:
    """Gives numbered tokens that are good for an hour, while it can."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.asked = 0
        self.down = False
        self.closed = False

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise ClientAuthenticationError("no identity here")
        return AccessToken(f"token-{self.asked}", int(self.clock.now().timestamp()) + 3600)

    async def close(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_reason: object) -> None:
        await self.close()


@pytest.fixture
def service() -> IdentityService:
    return IdentityService(FixedClock())


@pytest.fixture
def signer(service: IdentityService) -> TokenSigner:
    return TokenSigner(IDENTITY, service.clock, service)


async def shown(signer: TokenSigner) -> str:
    headers = await signer.sign(Service.TABLE, method="GET", path="/t", comp="", content_type="")
    return headers["Authorization"]


class TestTokenSigner:
    async def test_asks_once_for_many_at_the_same_time(self, signer: TokenSigner, service: IdentityService) -> None:
        tokens = await asyncio.gather(*(shown(signer) for _ in range(5)))

        assert set(tokens) == {"Bearer token-1"}
        assert service.asked == 1

    async def test_asks_again_before_the_token_ends(self, signer: TokenSigner, service: IdentityService) -> None:
        await shown(signer)

        service.clock.advance(3600 - 301)
        before = await shown(signer)
        service.clock.advance(2)
        after = await shown(signer)

        assert (before, after) == ("Bearer token-1", "Bearer token-2")

    async def test_shows_the_old_token_while_it_is_good_and_asks_now_and_then(
        self, signer: TokenSigner, service: IdentityService
    ) -> None:
        await shown(signer)
        service.down = True
        service.clock.advance(3600 - 200)

        assert await shown(signer) == await shown(signer) == "Bearer token-1"
        assert service.asked == 2
        service.clock.advance(199)
        assert await shown(signer) == "Bearer token-1"
        service.clock.advance(31)
        with pytest.raises(StorageUnavailableError):
            await shown(signer)

    async def test_is_unavailable_without_any_token(self, signer: TokenSigner, service: IdentityService) -> None:
        service.down = True

        with pytest.raises(StorageUnavailableError):
            await shown(signer)

    async def test_dates_each_request(self, signer: TokenSigner, service: IdentityService) -> None:
        headers = await signer.sign(Service.QUEUE, method="GET", path="/q", comp="", content_type="")
        service.clock.advance(61)
        later = await signer.sign(Service.QUEUE, method="GET", path="/q", comp="", content_type="")

        assert headers["x-ms-date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
        assert later["x-ms-date"] == "Thu, 01 Jan 2026 00:01:01 GMT"

    async def test_closes_the_credential(self, signer: TokenSigner, service: IdentityService) -> None:
        await signer.close()

        assert service.closed


class TestKeySigner:
    async def test_signs_the_same_request_alike_and_others_otherwise(self) -> None:
        connection = ConnectionString.parse("AccountName=acct;AccountKey=c2VjcmV0")
        signer = KeySigner(connection, FixedClock())

        async def sign(service: Service, path: str, comp: str = "") -> str:
            headers = await signer.sign(service, method="GET", path=path, comp=comp, content_type="")
            return headers["Authorization"]

        first = await sign(Service.TABLE, "/t")
        assert first.startswith("SharedKeyLite acct:")
        assert first == await sign(Service.TABLE, "/t")
        assert len({first, await sign(Service.TABLE, "/u"), await sign(Service.QUEUE, "/t")}) == 3
        assert await sign(Service.QUEUE, "/q") != await sign(Service.QUEUE, "/q", "metadata")


class TestIdentityService:
    async def test_that_hangs_holds_nobody_longer_than_the_time_limit(self, service: IdentityService) -> None:
        class Hanging(IdentityService):
            async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
                await asyncio.Event().wait()
                raise AssertionError

        storage = AzureStorage(IDENTITY, timeouts=StorageTimeouts(read_seconds=0.1), credential=Hanging(service.clock))

        async with asyncio.timeout(5):
            with pytest.raises(StorageUnavailableError):
                await storage.table("any").get("p", "k")

        await storage.close()
