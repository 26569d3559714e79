from collections.abc import AsyncIterator

import httpx2
import pytest

from local.simulation.world import World
from tests.identifiers.support import Desk


@pytest.fixture
async def world() -> World:
    return await World.build()


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Desk(world, http)
