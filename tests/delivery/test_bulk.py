"""Bulk changes keep to queues of their own: few at a time, at a bounded rate, and behind everybody else's."""

from datetime import timedelta
from itertools import pairwise

import pytest

from lib.changes.bulk import in_bulk, is_bulk
from lib.mainframe.pace import Pace
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import QueueName, Subject
from lib.messaging.envelope import WakeUp
from lib.reconciliation.models import Verdict
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, create, messages, state_of


@pytest.fixture
async def world() -> World:
    return await World.build(bulk_rate_per_second=2.0)


async def create_in_bulk(world: World, number: int) -> list[str]:
    with in_bulk():
        return [await create(world) for _ in range(number)]


class TestWriter:
    async def test_promises_on_a_queue_of_its_own(self, world: World) -> None:
        await create_in_bulk(world, 3)
        await create(world)

        assert await messages(world, QueueName.CHANGES_BULK) == 3
        assert await messages(world, QueueName.CHANGES) == 1
        assert not is_bulk()

    def test_a_message_of_the_release_before_is_not_bulk(self, world: World) -> None:
        body = WakeUp(
            subject=Subject.CUSTOMER, id="cus_1", version=1, accepted_at=world.clock.now(), deadline=world.clock.now()
        ).body()

        assert WakeUp.read(body.replace(',"bulk":false', "")) == WakeUp.read(body)


class TestDelivery:
    async def test_keeps_the_rate_and_delivers_everything_in_the_end(self, world: World) -> None:
        made = await create_in_bulk(world, 60)
        reached: list[int] = []

        for _ in range(12):
            await world.settle(seconds=5)
            reached.append(sum(bool(world.mainframe.applied(one)) for one in made))

        assert reached[-1] == 60
        assert all(later - earlier <= 12 for earlier, later in pairwise(reached))
        assert world.failures == []

    async def test_lets_a_live_change_overtake_and_never_goes_back(self, world: World) -> None:
        made = await create_in_bulk(world, 40)
        last = made[-1]
        await world.settle(seconds=3)
        other = await create(world)
        await amend(world, last, 1)

        await world.settle(seconds=4)

        assert world.mainframe.applied(other) == [1]
        assert world.mainframe.applied(last) == [2]
        assert sum(bool(world.mainframe.applied(one)) for one in made) < 30
        await world.settle(seconds=60)
        assert world.mainframe.applied(last) == [2]
        assert await state_of(world, last) is DeliveryStatusState.IN_SYNC
        assert [await messages(world, queue) for queue in QueueName] == [0] * len(QueueName)

    async def test_survives_an_outage_of_the_mainframe(self, world: World) -> None:
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        made = await create_in_bulk(world, 20)
        await world.settle(seconds=100)
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER

        await world.settle(seconds=400)

        assert all(world.mainframe.applied(one) == [1] for one in made)
        assert [await messages(world, queue.poison) for queue in QueueName] == [0] * len(QueueName)


class TestPace:
    async def test_is_shared_by_all_instances(self, world: World) -> None:
        table = world.storage.table("mainframe")
        one, other = Pace(table, world.clock, 5.0), Pace(table, world.clock, 5.0)

        slots = [await (one if number % 2 else other).slot() for number in range(40)]

        seconds = sorted((slot - world.clock.now()).total_seconds() for slot in slots)
        assert seconds == pytest.approx([number / 5 for number in range(40)])

    async def test_does_not_wait_when_nobody_is_before(self, world: World) -> None:
        pace = Pace(world.storage.table("mainframe"), world.clock, 5.0)
        await pace.slot()
        world.clock.advance(100)

        assert await pace.slot() == world.clock.now()


class TestReconciliation:
    async def test_knows_that_bulk_changes_wait_for_their_turn(self, world: World) -> None:
        made = await create_in_bulk(world, 4000)
        await world.settle(seconds=20)
        world.clock.advance(timedelta(minutes=20).total_seconds())
        judge = world.platform.slice_runner.judge

        waiting = next(one for one in made if not world.mainframe.applied(one))
        first = await judge.judge(Subject.CUSTOMER, waiting)
        world.clock.advance(timedelta(hours=2).total_seconds())
        later = await judge.judge(Subject.CUSTOMER, waiting)

        assert (first.verdict, later.verdict) == (Verdict.IN_FLIGHT, Verdict.MISSING)
