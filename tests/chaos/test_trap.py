import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.chaos.trap import Trap, TrapDoor, TrapWatch
from local.faults.taps import When

# In place of the end, a signal that this process survives and counts.
SEND = Trap(call="changes.send", when=When.AFTER, functions=("create_customer",), signal="SIGUSR1")


@pytest.fixture
async def got() -> AsyncIterator[list[int]]:
    loop, signals = asyncio.get_running_loop(), list[int]()
    loop.add_signal_handler(signal.SIGUSR1, signals.append, 1)
    yield signals
    loop.remove_signal_handler(signal.SIGUSR1)


def watch(folder: Path, function: str = "create_customer") -> TrapWatch:
    return TrapWatch(folder, lambda: function)


async def signals_arrived() -> None:
    await asyncio.sleep(0.05)


class TestTap:
    async def test_goes_down_at_the_armed_call_and_at_no_other(self, tmp_path: Path, got: list[int]) -> None:
        door, here = TrapDoor(tmp_path), watch(tmp_path)
        door.arm(SEND)
        await here.tap("changes.send", When.BEFORE)
        await here.tap("customers.commit", When.AFTER)
        await watch(tmp_path, "update_customer").tap("changes.send", When.AFTER)
        await signals_arrived()
        elsewhere = list(got)

        await here.tap("changes.send", When.AFTER)
        await signals_arrived()

        assert elsewhere == []
        assert got == [1]
        assert door.sprang

    async def test_springs_once_whoever_comes_by(self, tmp_path: Path, got: list[int]) -> None:
        TrapDoor(tmp_path).arm(SEND)

        for process in (watch(tmp_path), watch(tmp_path)):
            await process.tap("changes.send", When.AFTER)
            await process.tap("changes.send", When.AFTER)
        await signals_arrived()

        assert got == [1]

    async def test_lets_those_pass_that_are_to_be_skipped(self, tmp_path: Path, got: list[int]) -> None:
        TrapDoor(tmp_path).arm(replace(SEND, skip=1))
        here = watch(tmp_path)

        await here.tap("changes.send", When.AFTER)
        await signals_arrived()
        first = list(got)
        await here.tap("changes.send", When.AFTER)
        await signals_arrived()

        assert first == []
        assert got == [1]


class TestSprings:
    async def test_disarms_a_trap_that_nobody_came_by(self, tmp_path: Path, got: list[int]) -> None:
        door = TrapDoor(tmp_path)
        door.arm(SEND)

        sprang = await door.springs(within_seconds=0.05)
        await watch(tmp_path).tap("changes.send", When.AFTER)
        await signals_arrived()

        assert not sprang
        assert got == []

    async def test_forgets_an_earlier_one(self, tmp_path: Path, got: list[int]) -> None:
        door = TrapDoor(tmp_path)
        door.arm(SEND)
        await watch(tmp_path).tap("changes.send", When.AFTER)
        await signals_arrived()

        door.arm(SEND)

        assert got == [1]
        assert not door.sprang
