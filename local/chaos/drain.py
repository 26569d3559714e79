"""After the faults: wait until nothing is on its way any more, and say how long that took."""

import asyncio
import time
from dataclasses import dataclass

from lib.changes.outbox import OUTBOX_TABLE, Outbox
from lib.mainframe.undelivered import UNDELIVERED_TABLE, UndeliveredStore
from lib.messaging.catalogue import ALL_QUEUES, QueueName
from lib.storage.ports import Storage

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still on its way."""

    messages: int
    outbox: int
    undelivered: int

    @property
    def nothing(self) -> bool:
        """Whether all has arrived."""
        return not (self.messages or self.outbox or self.undelivered)


@dataclass(frozen=True, slots=True)
class BacklogWatch:
    """Counts what is on its way, straight from storage."""

    storage: Storage

    async def messages(self) -> int:
        """Return how many messages wait on all queues, hidden ones and poisoned ones too."""
        depths = await asyncio.gather(*(self.storage.queue(name).depth() for name in ALL_QUEUES))
        return sum(depth.messages for depth in depths)

    async def now(self) -> Backlog:
        """Return what is on its way now."""
        outbox = Outbox(self.storage.table(OUTBOX_TABLE), self.storage.queue(QueueName.CHANGES))
        undelivered = UndeliveredStore(self.storage.table(UNDELIVERED_TABLE))
        messages, kept, waiting = await asyncio.gather(self.messages(), outbox.waiting(), undelivered.waiting())
        return Backlog(messages=messages, outbox=kept, undelivered=len(waiting))


async def drained(watch: BacklogWatch, *, limit_seconds: float) -> tuple[float, Backlog]:
    """Wait until nothing is on its way, at most so long; returns how long it took and what is left."""
    began = time.monotonic()
    while True:
        backlog = await watch.now()
        seconds = time.monotonic() - began
        if backlog.nothing or seconds > limit_seconds:
            return seconds, backlog
        await asyncio.sleep(_LOOK_SECONDS)
