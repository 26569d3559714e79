"""The breaker, parking and waking, rule by rule (docs/delivery.md)."""

import asyncio

import pytest

from lib.mainframe.breaker import BreakerState
from lib.mainframe.delivery import Delivered
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import WakeUp
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, create, messages, quiet, state_of, wake_up


class TestBreaker:
    async def test_opens_parks_probes_and_drains(self, world: World) -> None:
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        customers = [await create(world) for _ in range(30)]
        await world.settle(seconds=30)
        assert (await world.platform.breaker.view()).state is not BreakerState.CLOSED
        assert DeliveryStatusState.PARKED in [await state_of(world, customer_id) for customer_id in customers]
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER

        await world.settle(seconds=900, tick_seconds=1)

        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers)
        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED
        assert await world.platform.undelivered.waiting() == []
        assert await messages(world, QueueName.MAINFRAME_UPDATES.poison) == 0

    async def test_a_probe_without_answer_does_not_count_against_its_record(self) -> None:
        world = await World.build(max_attempts=2)
        customer_id = await create(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        world.mainframe.behave = lambda _key, _version: Behaviour.NO_ANSWER_BEFORE

        await world.settle(seconds=3600, tick_seconds=10)
        probes = world.mainframe.calls
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await world.settle(seconds=900, tick_seconds=5)

        assert probes > 2
        assert world.mainframe.applied(customer_id) == [1]

    async def test_a_long_outage_exhausts_nobody(self) -> None:
        world = await World.build(max_attempts=4)
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE

        await world.settle(seconds=6 * 3600, tick_seconds=30)
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await world.settle(seconds=900, tick_seconds=2)

        assert world.mainframe.applied(customer_id) == [1]

    async def test_lets_one_probe_through_at_a_time(self, world: World) -> None:
        for _ in range(5):
            await world.platform.breaker.fail("test")
        world.clock.advance(31)

        permits = await asyncio.gather(*(world.platform.breaker.permit() for _ in range(10)))

        assert sorted(permits).count("probe") == 1
        assert permits.count("park") == 9

    async def test_a_probe_that_died_expires(self, world: World) -> None:
        for _ in range(5):
            await world.platform.breaker.fail("test")
        world.clock.advance(31)
        await world.platform.breaker.permit()
        world.clock.advance(60)

        assert await world.platform.breaker.permit() == "probe"

    async def test_a_record_that_abends_does_not_open_it(self, world: World) -> None:
        bad = await create(world)
        world.mainframe.behave = lambda key, _version: Behaviour.ABEND if key == bad else Behaviour.ANSWER

        await world.settle(seconds=300)

        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED

    async def test_parked_just_after_it_closed_is_woken_all_the_same(self, world: World) -> None:
        customer_id = await create(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")

        async def close_meanwhile(point: str, when: When) -> None:
            if (point, when) == ("undelivered.write", When.BEFORE):
                world.tap = quiet
                await world.platform.breaker.succeed()

        world.tap = close_meanwhile
        assert await world.platform.delivery.deliver(wake_up(world, customer_id, 1)) is Delivered.PARKED

        await world.settle(seconds=30)

        assert world.mainframe.applied(customer_id) == [1]

    @pytest.mark.parametrize(
        ("point", "when"), [("delivery.settle", When.AFTER), ("undelivered.get", When.AFTER)], ids=["before", "during"]
    )
    async def test_parked_with_a_newer_version_stays_when_the_older_one_is_settled(
        self, world: World, point: str, when: When
    ) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        world.clock.advance(60)

        async def park_the_newer(at: str, side: When) -> None:
            if (at, side) == (point, when):
                world.tap = quiet
                await amend(world, customer_id, 1)
                for _ in range(5):
                    await world.platform.breaker.fail("test")
                assert await world.platform.delivery.deliver(wake_up(world, customer_id, 2)) is Delivered.PARKED

        world.tap = park_the_newer

        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        waiting = await world.platform.undelivered.waiting()
        assert [one.delivery.version for one in waiting] == [2]

    async def test_parked_again_while_being_woken_stays_parked(self, world: World) -> None:
        customer_id = await create(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        async def park_again(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates.send", When.AFTER):
                world.tap = quiet
                await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        world.tap = park_again
        await world.platform.waker.wake()

        waiting = await world.platform.undelivered.waiting()
        assert [one.delivery.state for one in waiting] == ["parked"]


class TestWaker:
    async def test_wakes_a_retry_whose_message_never_came(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        queue = world.storage.queue("mainframe-updates")
        world.clock.advance(60)
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        world.clock.advance(20 * 60)

        await world.platform.waker.wake()
        await world.settle(seconds=10)

        assert world.mainframe.applied(customer_id) == [1]

    async def test_wakes_the_oldest_first_and_only_so_many(self) -> None:
        world = await World.build(wake_rate_per_second=1.0)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        customers = []
        for _ in range(12):
            customers.append(await create(world))
            await world.platform.delivery.deliver(wake_up(world, customers[-1], 1))
            world.clock.advance(1)
        await world.platform.breaker.succeed()

        woken = await world.platform.waker.wake()

        queue = await world.storage.queue("mainframe-updates").receive(32, lease_seconds=1)
        assert woken == 5
        assert {WakeUp.read(message.body).id for message in queue} == set(customers[:5])
