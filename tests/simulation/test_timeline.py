"""Time in a simulation jumps, and order is decided by the waits alone."""

import asyncio
from collections.abc import Coroutine

import pytest

from local.simulation.timeline import InstanceClock, NothingLeftToDoError, VirtualLoop


def run_on(loop: VirtualLoop, work: Coroutine[object, object, object]) -> object:
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class TestVirtualLoop:
    def test_waits_without_waiting(self) -> None:
        loop = VirtualLoop()

        async def wait_a_year() -> float:
            await asyncio.sleep(365 * 24 * 3600)
            return loop.time()

        assert run_on(loop, wait_a_year()) == pytest.approx(365 * 24 * 3600)

    def test_goes_on_in_the_order_of_the_waits(self) -> None:
        loop, seen = VirtualLoop(), list[int]()

        async def note(number: int) -> None:
            await asyncio.sleep(number)
            seen.append(number)

        async def all_at_once() -> None:
            await asyncio.gather(*(note(number) for number in (3, 1, 2)))

        run_on(loop, all_at_once())

        assert seen == [1, 2, 3]

    def test_says_when_nothing_can_ever_happen(self) -> None:
        loop = VirtualLoop()
        forever = loop.create_future()

        async def wait() -> None:
            await forever

        task = loop.create_task(wait())
        with pytest.raises(NothingLeftToDoError):
            loop.run_until_complete(task)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()


class TestInstanceClock:
    def test_is_wrong_by_its_skew(self) -> None:
        loop = VirtualLoop()

        right, wrong = InstanceClock(loop), InstanceClock(loop, skew_seconds=90)

        assert (wrong.now() - right.now()).total_seconds() == pytest.approx(90)
        loop.close()
