"""The relay: once a promised version is committed, refresh the indexes and tell every consumer.

The order of its steps is the protocol of `docs/delivery.md`; a test stands behind each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

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


class Sender(Protocol):
    """What takes messages for a consumer."""

    async def send(self, body: str) -> None:
        """Keep a message until the consumer has handled it."""
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """Keeps the promises of all subjects. `audience` says by name which consumers hear of which subject.

    `bulk_consumers` are where those consumers hear of bulk changes that must not stand before all others.
    """

    sources: Mapping[Subject, SubjectSource]
    consumers: Mapping[str, Sender]
    changes: Queue
    bulk_changes: Queue
    clock: Clock
    audience: Mapping[Subject, Sequence[str]] = field(default_factory=lambda: CONSUMERS)
    bulk_consumers: Mapping[str, Sender] = field(default_factory=dict[str, Sender])

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
                    await self._consumer(name, wake_up).send(wake_up.body())
                return Relayed.TOLD
            if not wake_up.overdue(now):
                changes = self.bulk_changes if wake_up.bulk else self.changes
                await changes.send(wake_up.body(), delay_seconds=_LOOK_AGAIN_SECONDS)
                return Relayed.LATER
            try:
                await source.fence(snapshot)
            except FenceLostError:
                continue
            _log.info("promise.letGo", subject=wake_up.subject, id=wake_up.id, version=wake_up.version)
            return Relayed.LET_GO
        raise EntityKeepsChangingError

    def _consumer(self, name: str, wake_up: WakeUp) -> Sender:
        return self.bulk_consumers.get(name, self.consumers[name]) if wake_up.bulk else self.consumers[name]
