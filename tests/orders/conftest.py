"""A world of its own for every test, with a customer and a way to order."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from local.simulation.world import World
from tests.orders.support import Desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        yield Desk(world, http, made.json()["id"])
