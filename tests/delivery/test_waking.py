"""Waking after a long outage: the oldest first, so many a second, and reading no more than that."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import pytest

from lib.changes.operation import Operation
from lib.customers.models import CustomerDetails
from lib.mainframe.undelivered import Undelivered, UndeliveredContendedError, UndeliveredStore, WaitState, bucket_of
from lib.mainframe.waker import INTERVAL_SECONDS
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError
from lib.storage.ports import Row, RowPage, Table, Write
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World

WAITING = 3600


@dataclass
class CountingTable:
    """A table that counts what is read from it."""

    inner: Table
    calls: int = 0
    rows: int = 0

    async def get(self, partition: str, key: str) -> Row | None:
        self.calls += 1
        self.rows += 1
        return await self.inner.get(partition, key)

    async def page(
        self,
        partition: str,
        *,
        from_key: str = "",
        below_key: str | None = None,
        limit: int = 200,
        resume: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> RowPage:
        page = await self.inner.page(
            partition, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=where
        )
        self.calls += 1
        self.rows += len(page.rows)
        return page

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        return await self.inner.write(partition, *writes)


def waiting_one(world: World, number: int, *, accepted_seconds_ago: float = 0) -> Undelivered:
    return Undelivered(
        subject=Subject.CUSTOMER,
        id=f"cus_{number:026d}",
        version=1,
        accepted_at=world.clock.now() - timedelta(seconds=accepted_seconds_ago),
        state=WaitState.PARKED,
        attempts=0,
        next_attempt_at=None,
        reason="breaker-open",
        trace="",
    )


@pytest.fixture
async def world() -> World:
    return await World.build(wake_rate_per_second=20.0)


async def after_an_outage(world: World) -> list[str]:
    """Keep thousands of parked rows whose ids say nothing of their age, and return their ids, oldest first."""
    numbers = Random(7).sample(range(10**9), WAITING)  # noqa: S311 - to be repeated, not to be secret
    parked = [waiting_one(world, number, accepted_seconds_ago=WAITING - age) for age, number in enumerate(numbers)]
    await asyncio.gather(*(world.platform.undelivered.put(one) for one in parked))
    return [one.id for one in parked]


async def woken_ids(world: World) -> list[str]:
    queue = world.storage.queue("mainframe-updates")
    found: list[str] = []
    while messages := await queue.receive(32, lease_seconds=60):
        found += [WakeUp.read(message.body).id for message in messages]
        for message in messages:
            await queue.delete(message)
    return found


class TestWake:
    async def test_takes_the_oldest_of_thousands_and_reads_no_more_than_its_share(self, world: World) -> None:
        oldest_first = await after_an_outage(world)
        assert max(sum(bucket_of(one) == f"{n:02d}" for one in oldest_first) for n in range(16)) > 200
        counting = CountingTable(world.storage.table("undelivered"))
        waker = replace(world.platform.waker, undelivered=UndeliveredStore(counting))

        woken = await waker.wake()

        assert woken == 100
        assert set(await woken_ids(world)) == set(oldest_first[:100])
        assert counting.rows <= 16 * 100 + 3 * 100

    async def test_goes_on_with_the_next_oldest(self, world: World) -> None:
        oldest_first = await after_an_outage(world)

        for pass_number in range(5):
            await world.platform.waker.wake()

            assert set(await woken_ids(world)) == set(oldest_first[pass_number * 100 : (pass_number + 1) * 100])

    async def test_of_an_open_breaker_wakes_one_and_reads_little(self, world: World) -> None:
        oldest_first = await after_an_outage(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        counting = CountingTable(world.storage.table("undelivered"))
        waker = replace(world.platform.waker, undelivered=UndeliveredStore(counting))

        await waker.wake()

        assert await woken_ids(world) == oldest_first[:1]
        assert counting.rows <= 20

    async def test_keeps_to_the_rate_until_all_are_delivered(self) -> None:
        world = await World.build(wake_rate_per_second=4.0)
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        for number in range(150):
            name = f"att_{number}"
            operation = Operation(name="create_customer", id=name, attempt=name, actor="test")
            details = CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com"})
            await world.platform.customers.create(details=details, operation=operation)
        await world.settle(seconds=400, tick_seconds=2)
        before = await world.platform.undelivered.summary(at_most=1000)
        calls: Counter[datetime] = Counter()

        def answer(_key: str, _version: int) -> Behaviour:
            calls[world.clock.now()] += 1
            return Behaviour.ANSWER

        world.mainframe.behave = answer
        await world.settle(seconds=500, tick_seconds=1)

        after = await world.platform.undelivered.summary(at_most=1000)
        assert before.parked >= 135
        assert (after.parked, after.retrying) == (0, 0)
        assert max(calls.values()) <= 4 * INTERVAL_SECONDS + before.retrying
        assert len(world.mainframe.inner.journal) == 150


class TestPut:
    async def test_counts_a_subject_once_whatever_it_waits_for(self, world: World) -> None:
        store = world.platform.undelivered
        parked = waiting_one(world, 1, accepted_seconds_ago=60)
        again_at = world.clock.now() + timedelta(seconds=30)

        for _ in range(3):
            await store.put(parked)
            await store.put(replace(parked, state=WaitState.RETRYING, next_attempt_at=again_at))

        waiting = await store.summary(at_most=10)
        assert (waiting.parked, waiting.retrying, waiting.oldest_accepted_at) == (0, 1, parked.accepted_at)

    async def test_whose_reply_was_lost_leaves_one_place(self, world: World) -> None:
        lost: list[str] = []

        async def lose(point: str, when: When) -> None:
            if (point, when) == ("undelivered.write", When.AFTER) and len(lost) < 2:
                lost.append(point)
                raise OutcomeUnknownError

        world.tap = lose
        await world.platform.undelivered.put(waiting_one(world, 1))
        await world.platform.undelivered.put(replace(waiting_one(world, 1), state=WaitState.RETRYING))

        waiting = await world.platform.undelivered.summary(at_most=10)
        assert len(lost) == 2
        assert (waiting.parked, waiting.retrying) == (0, 1)

    async def test_from_many_sides_at_once_leaves_one_place(self, world: World) -> None:
        sides = [
            replace(waiting_one(world, 1, accepted_seconds_ago=ago), state=state)
            for ago in range(3)
            for state in WaitState
        ]

        await asyncio.gather(*(world.platform.undelivered.put(one) for one in sides))

        waiting = await world.platform.undelivered.summary(at_most=10)
        assert waiting.parked + waiting.retrying == 1


class TestSettle:
    async def test_gives_the_place_back(self, world: World) -> None:
        await world.platform.undelivered.put(waiting_one(world, 1))

        await world.platform.undelivered.settle(Subject.CUSTOMER, waiting_one(world, 1).id, done=1)

        waiting = await world.platform.undelivered.summary(at_most=10)
        assert (waiting.parked, waiting.retrying, waiting.oldest_accepted_at) == (0, 0, None)

    async def test_forgets_a_row_that_is_woken_meanwhile(self, world: World) -> None:
        parked = waiting_one(world, 1)
        await world.platform.undelivered.put(parked)
        woken: list[bool] = []

        async def wake(point: str, when: When) -> None:
            if (point, when) == ("undelivered.write", When.BEFORE) and not woken:
                woken.append(True)
                row = await world.platform.undelivered.get(Subject.CUSTOMER, parked.id)
                assert row is not None
                await world.platform.undelivered.replace(row, replace(parked, state=WaitState.RETRYING))

        world.tap = wake
        await world.platform.undelivered.settle(Subject.CUSTOMER, parked.id, done=1)

        assert woken
        assert await world.platform.undelivered.get(Subject.CUSTOMER, parked.id) is None

    async def test_leaves_what_waits_with_a_newer_version(self, world: World) -> None:
        await world.platform.undelivered.put(waiting_one(world, 1))

        await world.platform.undelivered.settle(Subject.CUSTOMER, waiting_one(world, 1).id, done=0)

        assert (await world.platform.undelivered.summary(at_most=10)).parked == 1

    async def test_that_never_comes_to_it_runs_again(self, world: World) -> None:
        await world.platform.undelivered.put(waiting_one(world, 1))

        async def lose(point: str, when: When) -> None:
            if (point, when) == ("undelivered.write", When.BEFORE):
                raise OutcomeUnknownError

        world.tap = lose
        with pytest.raises(UndeliveredContendedError):
            await world.platform.undelivered.settle(Subject.CUSTOMER, waiting_one(world, 1).id, done=1)


class TestSummary:
    async def test_counts_thousands_and_says_when_it_stopped(self, world: World) -> None:
        await after_an_outage(world)

        exact = await world.platform.undelivered.summary(at_most=1000)
        capped = await world.platform.undelivered.summary(at_most=10)

        assert (exact.parked, exact.complete) == (WAITING, True)
        assert (capped.parked, capped.complete) == (160, False)
        assert exact.oldest_accepted_at == capped.oldest_accepted_at == world.clock.now() - timedelta(seconds=WAITING)
