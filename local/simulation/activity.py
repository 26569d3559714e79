"""Activities: one run of a handler, a request or a timer in one instance, which can be killed between any two awaits.

Who is killed does not unwind: no `except` and no `finally` runs, as with a process that is gone. It just never goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn

from lib.wiring import Platform
from local.simulation.timeline import InstanceClock


@dataclass(frozen=True, slots=True)
class Killed:
    """How an activity ended that never came to its end: whoever waited for it knows nothing."""


@dataclass(eq=False, slots=True)
class Instance:
    """One process of the platform."""

    name: str
    platform: Platform
    clock: InstanceClock
    dead: bool = False
    born_at: float = 0.0


@dataclass(eq=False, slots=True)
class Activity:
    """One run of something. `disturbed` says that a fault met it, `leases` when it took its turn at which subject."""

    name: str
    instance: Instance
    outcome: asyncio.Future[Any]
    dead: bool = False
    disturbed: bool = False
    leases: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def gone(self) -> bool:
        """Whether it was killed, or its instance."""
        return self.dead or self.instance.dead

    def end(self, outcome: object) -> None:
        """Tell whoever waits how it went; only the first time counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    async def stay(self) -> None:
        """Return at once, unless it was killed: then never."""
        if self.gone:
            await vanish()


_current: ContextVar[Activity] = ContextVar("activity")


def current_activity() -> Activity:
    """Return the activity that this task belongs to."""
    return _current.get()


async def vanish() -> NoReturn:
    """Never return."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("what was killed went on")


@dataclass
class Activities:
    """Starts activities and knows which are still at work."""

    loop: asyncio.AbstractEventLoop
    at_work: dict[Activity, asyncio.Task[None]] = field(default_factory=dict[Activity, asyncio.Task[None]])
    gone: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def start(self, name: str, instance: Instance, work: Callable[[], Awaitable[object]]) -> Activity:
        """Begin something in an instance; its `outcome` becomes what it returned or raised, or `Killed`."""
        activity = Activity(name, instance, self.loop.create_future())
        self.at_work[activity] = self.loop.create_task(self._run(activity, work))
        return activity

    def kill(self, activity: Activity) -> None:
        """Let one activity never go on."""
        activity.dead = True
        activity.end(Killed())
        self.gone.append(self.at_work.pop(activity))

    def crash(self, instance: Instance) -> None:
        """Let nothing of an instance go on."""
        instance.dead = True
        for activity in [each for each in self.at_work if each.instance is instance]:
            activity.disturbed = True
            self.kill(activity)

    def forget(self) -> None:
        """Let go of all that was killed, at the end of a run."""
        for task in (*self.gone, *self.at_work.values()):
            task.cancel()

    async def _run(self, activity: Activity, work: Callable[[], Awaitable[object]]) -> None:
        _current.set(activity)
        await activity.stay()
        try:
            outcome = await work()
        except Exception as error:  # noqa: BLE001 - an edge: the run's audit judges every error
            outcome = error
        await activity.stay()
        self.at_work.pop(activity, None)
        activity.end(outcome)
