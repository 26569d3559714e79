"""The relay: once a promised version is committed, refresh the indexes and tell every consumer.

The order of its steps is the protocol of `docs/delivery.md`; a test stands behind each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lib.changes.subjects import FenceLostError, SubjectSource
from lib.clock import Clock
from lib.messaging.catalogue import CONSUMERS, Subject
from lib.messaging.envelope import WakeUp
from lib.storage.ports import Queue
from lib.telemetry import event_log

_TRIES = 5
_LOOK_AGAIN_SECONDS = 2.0

_log = event_log("changes")


class Relayed(StrEnum):
    """What became of a wake-up."""

    TOLD = "told"
    LATER = "later"
    LET_GO = "letGo"


class EntityKeepsChangingError(Exception):
    """The entity was written at every try to fence it; the host runs the message again."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Keeps the promises of all subjects. `audience` says by name which consumers hear of which subject."""

    sources: Mapping[Subject, SubjectSource]
    consumers: Mapping[str, Queue]
    changes: Queue
    clock: Clock
    audience: Mapping[Subject, Sequence[str]] = field(default_factory=lambda: CONSUMERS)

    async def relay(self, wake_up: WakeUp) -> Relayed:
        """Tell everyone who must know that a version was committed, or look again later, or let go behind a fence.

        Raises:
            EntityKeepsChangingError: the host shall run the message again.
            StorageError: the same.
        """
        source = self.sources[wake_up.subject]
        for _ in range(_TRIES):
            now = self.clock.now()  # before the read: a commit after the deadline must not slip in between
            snapshot = await source.snapshot(wake_up.id, wake_up.partition)
            if snapshot.version >= wake_up.version:
                await source.refresh_indexes(snapshot)
                for name in self.audience[wake_up.subject]:
                    await self.consumers[name].send(wake_up.body())
                return Relayed.TOLD
            if not wake_up.overdue(now):
                await self.changes.send(wake_up.body(), delay_seconds=_LOOK_AGAIN_SECONDS)
                return Relayed.LATER
            try:
                await source.fence(snapshot)
            except FenceLostError:
                continue
            _log.info("promise.letGo", subject=wake_up.subject, id=wake_up.id, version=wake_up.version)
            return Relayed.LET_GO
        raise EntityKeepsChangingError
