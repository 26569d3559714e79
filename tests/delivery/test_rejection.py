"""Permanent rejections: one attempt, a record with its reason, told at once, and nobody else held up."""

import json

import pytest

from lib.mainframe.breaker import BreakerState
from lib.mainframe.delivery import Delivered
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import QueueName
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, create, messages, quiet, state_of, wake_up


class TestRejection:
    async def test_is_one_attempt_recorded_with_its_reason_and_told_at_once(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        poison = await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).peek(1)
        failures = await world.storage.table("customers").page(
            customer_id, from_key="failure~", below_key="failure\x7f"
        )
        assert outcome is Delivered.REJECTED
        assert world.mainframe.calls == 1
        assert '"code":"E042"' in poison[0]
        assert failures.rows[0].values["code"] == "E042"
        assert await state_of(world, customer_id) is DeliveryStatusState.REJECTED

    async def test_is_announced_also_when_the_handler_died_before_it_could(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        async def die(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates-poison.send", When.BEFORE):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.tap = quiet

        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert await messages(world, QueueName.MAINFRAME_UPDATES.poison) == 1

    async def test_is_announced_before_a_newer_version_takes_its_place(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, version: Behaviour.REJECT if version == 1 else Behaviour.ANSWER

        async def die(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates-poison.send", When.BEFORE):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.tap = quiet
        await amend(world, customer_id, 1)

        await world.platform.delivery.deliver(wake_up(world, customer_id, 2))

        poison = await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).peek(2)
        assert [json.loads(body)["version"] for body in poison] == [1]
        assert world.mainframe.applied(customer_id) == [2]

    async def test_of_an_identifier_that_cannot_be_written_needs_no_call(self, world: World) -> None:
        customer_id = await create(world, email="a" * 60 + "@" + "b" * 60 + ".example.com")

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.REJECTED
        assert world.mainframe.calls == 0

    async def test_does_not_keep_the_next_version_back(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, version: Behaviour.REJECT if version == 1 else Behaviour.ANSWER
        await world.settle(seconds=10)
        await amend(world, customer_id, 1)

        await world.settle(seconds=20)

        assert world.mainframe.applied(customer_id) == [2]
        assert await state_of(world, customer_id) is DeliveryStatusState.IN_SYNC

    async def test_blocks_nobody_else(self, world: World) -> None:
        bad = await create(world)
        world.mainframe.behave = lambda key, _version: Behaviour.REJECT if key == bad else Behaviour.ANSWER
        good = [await create(world) for _ in range(20)]

        await world.settle(seconds=20)

        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in good)
        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED

    async def test_exhausted_attempts_are_a_failure_with_that_reason(self) -> None:
        world = await World.build(max_attempts=3, retry_cap_seconds=5.0)
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.ABEND

        await world.settle(seconds=120)

        status = await world.platform.customer_deliveries.of(customer_id, partition=customer_id)
        assert status is not None
        assert status.state is DeliveryStatusState.REJECTED
        assert status.last_error is not None
        assert status.last_error.code == "exhausted"
        assert world.mainframe.calls == 3
