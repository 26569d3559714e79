"""How the platform and its surroundings do, asked part by part, so that one that fails hides no other."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lib.clock import Clock
from lib.mainframe.breaker import Breaker, BreakerState
from lib.mainframe.undelivered import UndeliveredStore, Waiting
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import event_log

# Of each state and partition of what waits: health is asked often, so it counts up to 32,000 and then no further.
_COUNTED: Final = 1000
_POISON: Final = "-poison"

_log = event_log("health")


class Condition(StrEnum):
    """How something does."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How one part does; `messages` only for queues."""

    condition: Condition
    detail: str | None = None
    messages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How everything does."""

    storage: Part
    queues: Mapping[str, Part]
    mainframe: Part
    undelivered: int | None
    oldest_undelivered_seconds: float | None

    @property
    def status(self) -> Condition:
        """The worst that is worth a look: degraded as soon as any part is not ok."""
        parts = (self.storage, self.mainframe, *self.queues.values())
        return Condition.OK if all(part.condition is Condition.OK for part in parts) else Condition.DEGRADED


@dataclass(frozen=True, slots=True)
class Health:
    """Asks every part how it does."""

    queues: Mapping[str, Queue]
    breaker: Breaker
    undelivered: UndeliveredStore
    clock: Clock

    async def report(self) -> Report:
        """Return how every part does now. The mainframe is judged by the breaker, never called for this."""
        names = list(self.queues)
        waiting, mainframe, depths = await asyncio.gather(
            self._waiting(),
            self._mainframe(),
            asyncio.gather(*(self._queue(self.queues[name]) for name in names)),
        )
        storage = (
            Part(condition=Condition.DOWN, detail="tables do not answer")
            if waiting is None
            else Part(condition=Condition.OK)
        )
        return Report(
            storage=storage,
            queues=dict(zip(names, depths, strict=True)),
            mainframe=mainframe,
            undelivered=waiting.parked + waiting.retrying if waiting is not None else None,
            oldest_undelivered_seconds=self._age(waiting.oldest_accepted_at if waiting else None),
        )

    async def observe(self) -> None:
        """Log what alerts read: the oldest undelivered age first, and the depth of the poison queues.

        What could not be asked is left out, so that an alert on missing data can tell it from zero.
        """
        report = await self.report()
        depths = [part.messages for name, part in report.queues.items() if name.endswith(_POISON)]
        known = [depth for depth in depths if depth is not None]
        fields: dict[str, object] = {
            "status": report.status,
            "oldestUndeliveredSeconds": report.oldest_undelivered_seconds if report.undelivered else 0,
            "undelivered": report.undelivered,
            "poison": sum(known) if len(known) == len(depths) else None,
        }
        if report.undelivered is None:
            del fields["oldestUndeliveredSeconds"]
        _log.info("platform.observed", **{name: value for name, value in fields.items() if value is not None})

    async def _waiting(self) -> Waiting | None:
        try:
            return await self.undelivered.summary(at_most=_COUNTED)
        except StorageError:
            return None

    async def _queue(self, queue: Queue) -> Part:
        try:
            return Part(condition=Condition.OK, messages=(await queue.depth()).messages)
        except StorageError:
            return Part(condition=Condition.DOWN, detail="the queue does not answer")

    async def _mainframe(self) -> Part:
        try:
            view = await self.breaker.view()
        except StorageError:
            return Part(condition=Condition.DEGRADED, detail="the state of the circuit breaker cannot be read")
        state = view.state_at(self.clock.now())
        if state is BreakerState.CLOSED:
            return Part(condition=Condition.OK)
        if state is BreakerState.PAUSED:
            return Part(condition=Condition.DEGRADED, detail="deliveries are paused; see /api/private/v1/mainframe")
        return Part(condition=Condition.DOWN, detail=f"circuit breaker {state}, last failure: {view.last_failure}")

    def _age(self, oldest_accepted_at: datetime | None) -> float | None:
        if oldest_accepted_at is None:
            return None
        return round((self.clock.now() - oldest_accepted_at).total_seconds(), 3)
