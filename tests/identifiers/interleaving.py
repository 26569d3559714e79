"""Every order in which a few tasks can make their storage calls, one call at a time, with crashes where allowed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from lib.storage.memory import MemoryTable
from lib.storage.ports import Row, RowPage, Write

Work: TypeAlias = Callable[[], Awaitable[None]]


_name: ContextVar[str] = ContextVar("name")


@dataclass
class Gate:
    """Lets one waiting call through at a time."""

    waiting: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list[tuple[str, asyncio.Future[None]]])

    async def pass_through(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((_name.get(), turn))
        await turn


@dataclass
class GatedTable:
    inner: MemoryTable
    gate: Gate

    async def get(self, partition: str, key: str) -> Row | None:
        await self.gate.pass_through()
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
        raise NotImplementedError

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        raise NotImplementedError

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        await self.gate.pass_through()
        return await self.inner.write(partition, *writes)


@dataclass
class Choices:
    """One path through the tree of choices; `following` is the next path, until there is none."""

    path: list[int] = field(default_factory=list[int])
    widths: list[int] = field(default_factory=list[int])
    random: Random | None = None

    def choose(self, options: int) -> int:
        place = len(self.widths)
        if place == len(self.path):
            self.path.append(self.random.randrange(options) if self.random else 0)
        self.widths.append(options)
        return self.path[place]

    def following(self) -> "Choices | None":
        path = self.path[: len(self.widths)]
        while path and path[-1] + 1 == self.widths[len(path) - 1]:
            path.pop()
        return None if not path else Choices([*path[:-1], path[-1] + 1])


async def run(gate: Gate, works: Mapping[str, Work], choices: Choices, *, crashes: int) -> None:
    """Run the works in the order that the choices say. One that crashed runs again after all others, as messages do."""
    tasks = {name: asyncio.create_task(_named(name, work)) for name, work in works.items()}
    again: list[str] = []
    while True:
        await _settled(tasks, gate)
        for task in tasks.values():
            if task.done() and not task.cancelled():
                task.result()
        if not gate.waiting:
            break
        options = len(gate.waiting)
        choice = choices.choose(2 * options if crashes else options)
        name, turn = gate.waiting[choice % options]
        if choice >= options:
            crashes -= 1
            gate.waiting = [one for one in gate.waiting if one[0] != name]
            tasks[name].cancel()
            again.append(name)
            continue
        gate.waiting.pop(choice % options)
        turn.set_result(None)
    for name in again:
        await run(gate, {name: works[name]}, choices, crashes=0)


async def _named(name: str, work: Work) -> None:
    _name.set(name)  # the tasks that it starts inherit it
    await work()


async def _settled(tasks: Mapping[str, "asyncio.Task[None]"], gate: Gate) -> None:
    """Return when every task is over or waits at the gate."""
    for _ in range(50):
        before = len(gate.waiting)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = {name for name, _ in gate.waiting}
        if len(gate.waiting) == before and all(task.done() or name in waiting for name, task in tasks.items()):
            return
