"""What operations see of the road to the mainframe, in one look."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lib.clock import Clock
from lib.mainframe.breaker import Breaker, BreakerState, BreakerView
from lib.mainframe.throughput import MinuteCount, Throughput
from lib.mainframe.undelivered import UndeliveredStore, Waiting
from lib.storage.ports import Queue

# Of each state in each partition: exact up to 160,000 that wait.
_COUNTED: Final = 10_000
_AVERAGED_MINUTES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The road to the mainframe. `queued` is storage's own approximation, duplicates and hidden messages included."""

    breaker: BreakerView
    waiting: Waiting
    queued: int
    minutes: Sequence[MinuteCount]
    at: datetime

    @property
    def state(self) -> BreakerState:
        """Whether calls go out now."""
        return self.breaker.state_at(self.at)

    @property
    def next_probe_at(self) -> datetime | None:
        """When the next delivery may try the road; None when there is nothing to try, or it is paused."""
        if self.state is BreakerState.OPEN:
            return self.breaker.probe_at
        return self.breaker.probe_expires_at if self.state is BreakerState.HALF_OPEN else None

    @property
    def oldest_undelivered_seconds(self) -> float | None:
        """How old the oldest change is that was not acknowledged at its first attempt."""
        oldest = self.waiting.oldest_accepted_at
        return None if oldest is None else round((self.at - oldest).total_seconds(), 3)

    @property
    def acknowledged_per_minute(self) -> float:
        """How many deliveries were acknowledged per minute, over the last five whole minutes."""
        whole = self.minutes[1 : 1 + _AVERAGED_MINUTES]
        return round(sum(minute.acknowledged for minute in whole) / _AVERAGED_MINUTES, 1)


@dataclass(frozen=True, slots=True)
class Overviews:
    """Looks at everything on the road."""

    breaker: Breaker
    undelivered: UndeliveredStore
    queue: Queue
    throughput: Throughput
    clock: Clock

    async def look(self) -> Overview:
        """Return what there is to see now. The mainframe itself is not called.

        Raises:
            StorageError: tables or queues do not answer.
        """
        await self.throughput.keep()
        view, waiting, depth, minutes = await asyncio.gather(
            self.breaker.view(),
            self.undelivered.summary(at_most=_COUNTED),
            self.queue.depth(),
            self.throughput.lately(),
        )
        return Overview(breaker=view, waiting=waiting, queued=depth.messages, minutes=minutes, at=self.clock.now())
