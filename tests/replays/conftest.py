"""A world of its own for each test."""

import pytest

from local.simulation.world import World


@pytest.fixture
async def world() -> World:
    return await World.build()
