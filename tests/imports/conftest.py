"""The API over a world in memory."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from local.simulation.world import World


@pytest.fixture
async def world() -> World:
    return await World.build()


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
