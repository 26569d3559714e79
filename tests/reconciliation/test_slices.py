"""No crash of a slice loses or doubles a count, and none runs twice."""

import asyncio

import pytest

from lib.mainframe.errors import MainframeUnreachableError
from lib.messaging.envelope import UnreadableMessageError
from lib.reconciliation.runner import Sliced
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from tests.reconciliation.drifting import Sides, calm
from tests.reconciliation.slices import DiedError, slice_due


class TestSlices:
    async def test_are_many_and_each_looks_at_some(self, sides: Sides) -> None:
        await sides.settled(600)

        shown = await sides.run(ratePerSecond=1)

        assert shown["counts"]["inStep"] == 600
        assert len({look["counts"]["compared"] for look in sides.seen}) >= 3

    @pytest.mark.parametrize(
        "point",
        [
            "customerindex.page",
            "mainframe.browse",
            "mainframe.inquire",
            "reconciliations.write",
            "reconciliations.get",
            "mainframe-updates.send",
            "reconciliation-slices.send",
            "delivery.settle",
        ],
    )
    @pytest.mark.parametrize("when", list(When))
    async def test_that_die_anywhere_are_done_again_and_counted_once(
        self, sides: Sides, point: str, when: When
    ) -> None:
        customers = await sides.settled(120)
        for customer_id in customers[::10]:
            sides.mainframe_forgets(customer_id)
        await sides.mainframe_holds("LEGACY-1", 1)
        started = await sides.start(repair=True, ratePerSecond=1)
        deaths = [1, 4, 9]
        heard = 0

        async def die(at: str, side: When) -> None:
            nonlocal heard
            if (at, side) == (point, when):
                heard += 1
                if heard in deaths:
                    raise DiedError

        sides.world.tap = die

        shown = await sides.ended(started.json()["id"], within_seconds=800)  # before the watch would wake it
        sides.world.tap = calm
        await sides.world.settle(seconds=60)

        drifted = await sides.drifted(shown["id"])
        assert shown["counts"]["walked"] == 120
        assert drifted == dict.fromkeys(customers[::10], "missing") | {"LEGACY-1": "unknownToUs"}
        assert shown["counts"]["missing"] == shown["counts"]["repaired"] == 12
        held = sides.world.mainframe.inner
        assert [await held.inquire(subject="CUSTOMER", key=one) for one in customers] == [1] * 120
        assert heard > 4

    async def test_whose_message_comes_twice_are_done_once(self, sides: Sides) -> None:
        await sides.settled(300)
        queue = sides.world.storage.queue("reconciliation-slices")
        started = await sides.start(ratePerSecond=1)
        copies = 0

        async def twice(point: str, when: When) -> None:
            nonlocal copies
            if (point, when) == ("reconciliation-slices.send", When.AFTER) and copies < 60:
                copies += 1
                await queue.send(list(queue.bodies())[-1])

        sides.world.tap = twice

        shown = await sides.ended(started.json()["id"], within_seconds=2000)
        sides.world.tap = calm
        await sides.world.settle(seconds=200)

        assert shown["counts"]["inStep"] == 300
        assert copies > 5
        assert (await queue.depth()).messages == 0

    async def test_at_the_same_time_are_done_once(self, sides: Sides) -> None:
        await sides.settled(100)
        started = await sides.start()
        order = await slice_due(sides)

        browses = 0

        async def count(point: str, when: When) -> None:
            nonlocal browses
            browses += (point, when) == ("mainframe.browse", When.BEFORE)

        sides.world.tap = count
        outcomes = await asyncio.gather(*(sides.world.platform.slice_runner.take(order) for _ in range(6)))

        shown = await sides.ended(started.json()["id"])
        assert outcomes.count(Sliced.COMPLETED) == 1
        assert browses == 3
        assert shown["counts"]["inStep"] == 100

    async def test_that_come_late_order_nothing(self, sides: Sides) -> None:
        await sides.settled(300)
        await sides.start(ratePerSecond=1)
        order = await slice_due(sides)
        first = await sides.world.platform.slice_runner.take(order)
        sides.world.clock.advance(60)

        again = [await sides.world.platform.slice_runner.take(order) for _ in range(3)]

        assert (first, again) == (Sliced.DONE, [Sliced.STALE] * 3)
        assert (await sides.world.storage.queue("reconciliation-slices").depth()).messages == 1

    async def test_wait_out_a_mainframe_that_does_not_answer(self, sides: Sides) -> None:
        await sides.settled(200)
        started = await sides.start(ratePerSecond=1)
        down = True
        tries = 0

        async def dead(point: str, when: When) -> None:
            nonlocal tries
            if point == "mainframe.browse" and when is When.BEFORE and down:
                tries += 1
                raise MainframeUnreachableError("no connection")

        sides.world.tap = dead
        await sides.world.settle(seconds=3 * 3600, tick_seconds=20)
        waiting = await sides.look(started.json()["id"])
        down = False

        shown = await sides.ended(started.json()["id"], within_seconds=900)

        assert (waiting["state"], waiting["note"]) == ("waiting", "no connection")
        assert waiting["nextSliceAt"] is not None
        assert tries < 200
        assert shown["counts"]["inStep"] == 200
        assert sides.world.failures == []

    async def test_ask_nothing_while_the_breaker_is_open(self, sides: Sides) -> None:
        await sides.settled(20)
        for _ in range(5):
            await sides.world.platform.breaker.fail("unreachable")
        asked: list[str] = []

        async def note(point: str, when: When) -> None:
            if point in {"mainframe.browse", "mainframe.inquire"}:
                asked.append(f"{point} {when}")

        sides.world.tap = note
        started = await sides.start()

        await sides.world.settle(seconds=30)

        assert asked == []
        assert (await sides.look(started.json()["id"]))["state"] == "waiting"

    async def test_outlive_an_outage_of_the_tables(self, sides: Sides) -> None:
        await sides.settled(50)
        started = await sides.start()
        down = True

        async def refuse(point: str, when: When) -> None:
            if down and when is When.BEFORE and point.startswith("reconciliations."):
                raise StorageUnavailableError

        sides.world.tap = refuse
        await sides.world.settle(seconds=300)
        down = False

        shown = await sides.ended(started.json()["id"])

        assert shown["counts"]["inStep"] == 50
        assert (await sides.world.storage.queue("reconciliation-slices-poison").depth()).messages == 0

    async def test_that_are_none_are_refused(self, sides: Sides) -> None:
        with pytest.raises(UnreadableMessageError):
            await sides.world.platform.slice_runner.take('{"schemaVersion":2}')
