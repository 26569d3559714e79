"""The pace of bulk deliveries: one row shared by all instances says when the next ones may go out.

An instance reserves a second's worth of times at once, so the row is written once a second and not once a delivery.
The deliveries wait as hidden messages; the mainframe sees no more of them per second than was allowed, and whatever
else it has to do goes first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Queue, Replace, Table

_PARTITION: Final = "pace"
_KEY: Final = "bulk"
_TRIES: Final = 6
_LATE: Final = timedelta(seconds=1)
# What was due so long ago and is not there yet is not on its way any more.
_MARGIN: Final = timedelta(minutes=15)


@dataclass(slots=True)
class Pace:
    """Gives out times."""

    table: Table
    clock: Clock
    rate_per_second: float
    _next: datetime | None = None
    _left: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def slot(self) -> datetime:
        """Return when one more bulk delivery may go out."""
        async with self._lock:
            now = self.clock.now()
            if self._next is None or not self._left or self._next < now - _LATE:
                await self._reserve(now)
            slot = self._next or now
            self._next = slot + timedelta(seconds=1 / self.rate_per_second)
            self._left -= 1
            return slot

    async def covers(self, changed_at: datetime) -> bool:
        """Tell whether a change of this time may still wait for its turn among the bulk deliveries."""
        row = await self.table.get(_PARTITION, _KEY)
        if row is None:
            return False
        since, free_at = _times(row.values)
        return since - _MARGIN <= changed_at and self.clock.now() < free_at + _MARGIN

    async def _reserve(self, now: datetime) -> None:
        wanted = max(1, round(self.rate_per_second))
        start = now
        for _ in range(_TRIES):
            row = await self.table.get(_PARTITION, _KEY)
            since, free_at = _times(row.values) if row else (now, now)
            start = max(now, free_at)
            # Where nothing waits any more, a new queue begins to form.
            kept = {
                "since": rfc3339(since if free_at > now else now),
                "freeAt": rfc3339(start + timedelta(seconds=wanted / self.rate_per_second)),
            }
            try:
                await self.table.write(_PARTITION, Insert(_KEY, kept) if row is None else Replace(_KEY, kept, row.etag))
            except (RowExistsError, RowChangedError, OutcomeUnknownError):
                continue
            break
        # Without luck in all tries some times are given out twice: a little faster for a second does no harm.
        self._next, self._left = start, wanted


@dataclass(frozen=True, slots=True)
class PacedQueue:
    """A queue on which every message waits for its time."""

    queue: Queue
    pace: Pace
    clock: Clock

    async def send(self, body: str) -> None:
        """Keep a message that handlers see when its time has come."""
        slot = await self.pace.slot()
        await self.queue.send(body, delay_seconds=max(0.0, (slot - self.clock.now()).total_seconds()))


def _times(values: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return parse_rfc3339(str(values["since"])), parse_rfc3339(str(values["freeAt"]))
