"""The API over memory storage, asked in process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from local.simulation.world import World


@dataclass
class Client:
    """A world and the way to ask it."""

    world: World
    http: httpx2.AsyncClient

    async def create(self, **fields: object) -> httpx2.Response:
        """Create a customer."""
        body = {"lastName": "Lovelace", "email": "ada@example.com", **fields}
        return await self.http.post("/api/v1/customers", json=body)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Client(world, http)
