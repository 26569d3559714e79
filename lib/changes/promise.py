"""The promise: before a write commits, a wake-up is on its way that will find it.

Without a confirmed promise nothing may be committed (`docs/delivery.md`, the writer's rules).
"""

from dataclasses import dataclass
from datetime import timedelta

from lib.changes.bulk import is_bulk
from lib.changes.outbox import Outbox
from lib.changes.subjects import owner_of
from lib.clock import Clock
from lib.errors import UnavailableError
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import current_trace, event_log

_log = event_log("changes")


class PromiseNotKeptError(UnavailableError):
    """Neither the queue nor the outbox took the promise, so nothing was written."""

    kind = "promise-not-kept"


@dataclass(frozen=True, slots=True)
class Promises:
    """Makes promises."""

    queue: Queue
    bulk_queue: Queue
    outbox: Outbox
    clock: Clock
    delay_seconds: float
    window_seconds: float

    async def make(self, *, subject: Subject, entity_id: str, partition: str, version: int) -> WakeUp:
        """Return the wake-up that was promised for a version about to be committed, before its deadline.

        Raises:
            PromiseNotKeptError: nobody could take the promise; nothing may be committed.
        """
        now = self.clock.now()
        wake_up = WakeUp(
            subject=subject,
            id=entity_id,
            owner=owner_of(entity_id, partition),
            version=version,
            accepted_at=now,
            deadline=now + timedelta(seconds=self.window_seconds),
            trace=current_trace().traceparent,
            bulk=is_bulk(),
        )
        queue = self.bulk_queue if wake_up.bulk else self.queue
        try:
            await queue.send(wake_up.body(), delay_seconds=self.delay_seconds)
        except StorageError as refused:
            # Any outcome but a clear yes: the message may be there or not, so the outbox row stands in for it.
            _log.warning(
                "promise.outbox", subject=subject, id=entity_id, version=version, reason=type(refused).__name__
            )
            await self._stand_in(wake_up)
        return wake_up

    async def _stand_in(self, wake_up: WakeUp) -> None:
        try:
            await self.outbox.put(wake_up)
        except StorageError:
            raise PromiseNotKeptError("The change was not taken: it could not be promised to the mainframe.") from None
