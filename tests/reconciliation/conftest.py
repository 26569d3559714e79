from collections.abc import AsyncIterator

import httpx2
import pytest

from local.simulation.world import World
from tests.reconciliation.drifting import Sides


@pytest.fixture
async def sides() -> AsyncIterator[Sides]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Sides(world, http)
