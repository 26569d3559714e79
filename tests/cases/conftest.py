"""A world of its own for every test, with a customer who has cases."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from local.faults.taps import When
from local.simulation.world import World
from tests.cases.support import CaseDesk


@pytest.fixture
async def desk() -> AsyncIterator[CaseDesk]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        found = CaseDesk(world, http, made.json()["id"])

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                found.calls.append(point)

        world.tap = listen
        yield found
