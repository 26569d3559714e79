"""A world with a customer, asked in process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from local.faults.taps import When
from local.simulation.world import World

PRIVATE = "/api/private/v1/customers"
PUBLIC = "/api/v1/customers"


def call(**fields: Any) -> dict[str, Any]:
    """A telephone call, as a sender tells it."""
    return {"kind": "call", "channel": "phone", "happenedAt": "2026-01-10T09:00:00.000Z", **fields}


def baggage(event_id: str = "b1", **fields: Any) -> dict[str, Any]:
    """Something that happened to a bag."""
    return {
        "kind": "baggage",
        "channel": "airport",
        "attributes": {"tag": "0125728359", "status": "delayed", "airport": "LIS"},
        "happenedAt": "2026-01-10T08:00:00.000Z",
        "source": {"system": "baggage", "eventId": event_id},
        **fields,
    }


@dataclass
class Desk:
    """A world, a customer in it, and the way to tell and ask about what happened."""

    world: World
    http: httpx2.AsyncClient
    customer: str
    calls: list[str] = field(default_factory=list[str])

    @property
    def address(self) -> str:
        return f"{PRIVATE}/{self.customer}"

    async def tell(self, body: dict[str, Any], *, key: str | None = None, actor: str = "ada") -> httpx2.Response:
        headers = {"X-Actor": actor} | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(f"{self.address}/interactions", json=body, headers=headers)

    async def all(self, address: str, **query: Any) -> list[dict[str, Any]]:
        """Return the items of every page of a list."""
        found: list[dict[str, Any]] = []
        following: str | None = f"{self.address}/{address}"
        while following:
            answer = await self.http.get(following, params=query if following.endswith(address) else None)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            following = answer.json()["next"]
        return found

    async def timeline(self, **query: Any) -> list[dict[str, Any]]:
        return await self.all("timeline", **query)

    async def rows(self, prefix: str) -> int:
        """Return how many rows of the customer's partition begin so."""
        table = self.world.storage.table("customers")
        return sum(row.partition == self.customer and row.key.startswith(prefix) for row in table.rows())


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = await World.build()
    world.clock.at = datetime(2026, 1, 20, tzinfo=UTC)
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post(PUBLIC, json={"lastName": "Lovelace", "email": "ada@example.com"})
        found = Desk(world, http, made.json()["id"])

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                found.calls.append(point)

        world.tap = listen
        yield found
