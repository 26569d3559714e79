"""A world with one customer, and the way to ask it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from local.faults.taps import When
from local.simulation.world import World


@dataclass
class Desk:
    """Asks for one customer's preferences, publicly and privately."""

    world: World
    http: httpx2.AsyncClient
    customer: str
    version: int = 0
    calls: list[str] = field(default_factory=list[str])

    @property
    def public(self) -> str:
        return f"/api/v1/customers/{self.customer}/preferences"

    @property
    def private(self) -> str:
        return f"/api/private/v1/customers/{self.customer}/preferences"

    async def state(self, **values: Any) -> httpx2.Response:
        """State preferences as the customer does, over what was last answered."""
        return await self._patch(self.public, values)

    async def record(self, *, at: str | None = None, confirmed: bool = False, **values: Any) -> httpx2.Response:
        """Record preferences as an agent does."""
        stated: dict[str, Any] = {"source": {"kind": "agent", "system": "desk"}, "confirmed": confirmed}
        return await self._patch(self.private, {**values, "stated": stated | ({"at": at} if at else {})})

    async def read(self) -> dict[str, Any]:
        answer = await self.http.get(self.public)
        assert answer.status_code == 200
        return answer.json()

    async def history(self, query: str = "") -> list[dict[str, Any]]:
        address: str | None = f"{self.private}/history{query}"
        found: list[dict[str, Any]] = []
        while address:
            page = (await self.http.get(address)).json()
            found += page["items"]
            address = page["next"]
        return found

    async def _patch(self, address: str, body: Any) -> httpx2.Response:
        answer = await self.http.patch(address, json=body, headers={"If-Match": f'"{self.version}-public"'})
        if answer.status_code == 200:
            self.version = answer.json()["version"]
        return answer


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        found = Desk(world, http, made.json()["id"])

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                found.calls.append(point)

        world.tap = listen
        yield found
