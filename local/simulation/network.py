"""The network between the platform and everything it calls: it takes time, and does what the plan says to a call.

Every call has a point, a name that says what it does in the protocol, so a fault can be aimed and a trace be read.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeVar

from lib.storage.errors import (
    OutcomeUnknownError,
    RowChangedError,
    RowExistsError,
    StorageError,
    StorageUnavailableError,
)
from local.simulation.activity import Activities, Activity, Instance, current_activity, vanish
from local.simulation.plan import APPLICABLE, Fault, Plan, Sort

T = TypeVar("T")

_BEFORE: Final = {
    Fault.REFUSED: StorageUnavailableError,
    Fault.OUTAGE: StorageUnavailableError,
    Fault.LOST_REQUEST: OutcomeUnknownError,
}
_KILLS: Final = {Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
_SHARE_OF_QUICK_REPLIES: Final = 0.5
_LONGEST_LATE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the trace."""

    at: float
    who: str
    what: str


@dataclass
class Network:
    """Carries every call of every instance."""

    plan: Plan
    random: Random
    loop: asyncio.AbstractEventLoop
    activities: Activities
    on_crash: Callable[[Instance], None]
    events: list[Event] = field(default_factory=list[Event])
    fired: Counter[tuple[Fault, str]] = field(default_factory=Counter[tuple[Fault, str]])
    late: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    @property
    def over(self) -> bool:
        """Whether the faults have stopped."""
        return self.loop.time() >= self.plan.calm_at

    def tell(self, who: str, what: str) -> None:
        """Add to the trace."""
        self.events.append(Event(self.loop.time(), who, what))

    async def call(
        self,
        point: str,
        sort: Sort,
        work: Callable[[], Awaitable[T]],
        *,
        inserts: bool = False,
        quick: bool = False,
        about: str = "",
    ) -> T:
        """Do a call as the plan lets it go. A quick one takes no time, when its order does not matter."""
        activity = current_activity()
        await self._travel(activity, quick=quick)
        fault = self._draw(point, sort)
        if fault is not None:
            await self._go_wrong_before(fault, point, activity, work)
        try:
            result = await work()
        except StorageError as error:
            self.tell(activity.name, f"{point} {about}: {type(error).__name__}")
            await self._travel(activity)
            raise
        if about:
            self.tell(activity.name, f"{point} {about}")
        if fault is not None:
            await self._go_wrong_after(fault, activity, inserts=inserts)
        await self._travel(activity, quick=quick or self.random.random() < _SHARE_OF_QUICK_REPLIES)
        return result

    def fire(self, fault: Fault, point: str, activity: Activity, *, disturbs: bool = True) -> None:
        """Count a fault, and remember whom it met. Who is not disturbed by it must not fail because of it."""
        self.fired[fault, point] += 1
        activity.disturbed |= disturbs
        self.tell(activity.name, f"! {fault} at {point}")

    def strikes(self, fault: Fault) -> bool:
        """Draw whether a fault that is not about a call happens now."""
        return not self.over and self.random.random() < self.plan.rates.get(fault, 0.0)

    async def _travel(self, activity: Activity, *, quick: bool = False) -> None:
        if not quick:
            draw = self.random.random()
            # Most calls take milliseconds, one in ten up to a second: order is what these waits are about.
            await asyncio.sleep(draw * 0.02 if draw < 0.9 else (draw - 0.9) * 10)  # noqa: PLR2004 - said above
        await activity.stay()

    def _draw(self, point: str, sort: Sort) -> Fault | None:
        if self.over:
            return None
        now, plan = self.loop.time(), self.plan
        for window in plan.windows:
            if sort is not Sort.CALL and window.fault is Fault.OUTAGE and window.holds(now, point):
                return Fault.OUTAGE
        focus = plan.focus
        if focus is not None and focus.point == point and self.random.random() < focus.rate:
            return focus.fault
        if not plan.rates:
            return None
        draw = self.random.random()
        for fault in APPLICABLE[sort]:
            draw -= plan.rates.get(fault, 0.0)
            if draw < 0:
                return fault
        return None

    async def _go_wrong_before(
        self, fault: Fault, point: str, activity: Activity, work: Callable[[], Awaitable[object]]
    ) -> None:
        self.fire(fault, point, activity)
        if fault in _BEFORE:
            raise _BEFORE[fault]
        if fault is Fault.LATE_ARRIVAL:
            task = self.loop.create_task(self._arrive_late(point, activity, work))
            self.late.add(task)
            task.add_done_callback(self.late.discard)
            raise OutcomeUnknownError
        if fault in {Fault.KILL_BEFORE, Fault.CRASH_BEFORE}:
            await self._kill(fault, activity)
        if fault is Fault.PAUSE_BEFORE:
            await self._pause(activity)
        if fault is Fault.DUPLICATE:
            await work()

    async def _go_wrong_after(self, fault: Fault, activity: Activity, *, inserts: bool) -> None:
        if fault in _KILLS:
            await self._kill(fault, activity)
        if fault is Fault.PAUSE_AFTER:
            await self._pause(activity)
        if fault is Fault.LOST_REPLY:
            raise OutcomeUnknownError
        if fault is Fault.OWN_CONFLICT:
            # Something on the way repeated a request whose reply was lost, and the repetition met the first.
            raise (RowExistsError if inserts else RowChangedError)("met itself", key="")

    async def _kill(self, fault: Fault, activity: Activity) -> None:
        if fault in {Fault.KILL_BEFORE, Fault.KILL_AFTER}:
            self.activities.kill(activity)
        else:
            self.activities.crash(activity.instance)
            self.on_crash(activity.instance)
        await vanish()

    async def _pause(self, activity: Activity) -> None:
        await asyncio.sleep(self.plan.pause_seconds * (0.5 + self.random.random()))
        await activity.stay()

    async def _arrive_late(self, point: str, activity: Activity, work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(self.random.random() * _LONGEST_LATE_SECONDS)
        outcome = "done"
        try:
            await work()
        except StorageError as error:
            outcome = type(error).__name__
        self.tell(activity.name, f"{point} arrived late: {outcome}")
