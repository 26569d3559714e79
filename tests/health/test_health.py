"""Health: what is reported, and what alerts read once a minute."""

import json

import pytest

from lib.messaging.catalogue import QueueName
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import create, wake_up


def observed(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    events = [json.loads(record.message) for record in caplog.records if "platform.observed" in record.message]
    return events[-1]


class TestObserve:
    async def test_tells_the_age_of_the_oldest_and_the_poison(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", logger="platform.health")
        world = await World.build()
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        await world.storage.queue(QueueName.CHANGES.poison).send("garbage")
        world.clock.advance(90)

        await world.platform.health.observe()

        event = observed(caplog)
        assert event["oldestUndeliveredSeconds"] == 90
        assert (event["undelivered"], event["poison"]) == (1, 1)

    async def test_says_zero_when_all_is_delivered(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", logger="platform.health")
        world = await World.build()

        await world.platform.health.observe()

        assert observed(caplog)["oldestUndeliveredSeconds"] == 0

    async def test_leaves_out_what_could_not_be_asked(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", logger="platform.health")
        world = await World.build()

        async def down(point: str, _when: When) -> None:
            if point.startswith("undelivered"):
                raise StorageUnavailableError

        world.tap = down

        await world.platform.health.observe()

        assert "oldestUndeliveredSeconds" not in observed(caplog)
        assert observed(caplog)["status"] == "degraded"
