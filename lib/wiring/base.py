"""What every room stands on: settings, storage, clock, seals, and how a change is promised and kept."""

from dataclasses import dataclass
from functools import cached_property

from lib.changes.once import OPERATIONS_TABLE, Once
from lib.changes.outbox import OUTBOX_TABLE, Outbox
from lib.changes.owned import OwnedEntities
from lib.changes.owned_source import ENTITY_INDEX_TABLE, OwnedSource
from lib.changes.promise import Promises
from lib.changes.writer import Writer
from lib.clock import Clock
from lib.customers.store import CUSTOMERS_TABLE
from lib.ids import Ids, Seal
from lib.mainframe.link import Link
from lib.messaging.catalogue import QueueName, Subject
from lib.paging import Cursors
from lib.settings import Settings
from lib.storage.ports import Storage


@dataclass(frozen=True)
class Base:
    """What a process has, and what every part is built from."""

    settings: Settings
    storage: Storage
    link: Link
    clock: Clock
    ids: Ids

    @cached_property
    def cursors(self) -> Cursors:
        """Sealed places to go on from in listings."""
        return Cursors(self.seal("cursors"))

    @cached_property
    def once(self) -> Once:
        """The first answers of keyed operations that are harmless to repeat."""
        return Once(self.storage.table(OPERATIONS_TABLE))

    @cached_property
    def outbox(self) -> Outbox:
        """Wake-ups kept while the queue cannot be reached."""
        return Outbox(self.storage.table(OUTBOX_TABLE), self.storage.queue(QueueName.CHANGES))

    @cached_property
    def promises(self) -> Promises:
        """Promises of wake-ups."""
        return Promises(
            queue=self.storage.queue(QueueName.CHANGES),
            bulk_queue=self.storage.queue(QueueName.CHANGES_BULK),
            outbox=self.outbox,
            clock=self.clock,
            delay_seconds=self.settings.wake_up_delay_seconds,
            window_seconds=self.settings.commit_window_seconds,
        )

    def owned(self, subject: Subject) -> OwnedEntities:
        """Return the entities of a subject that live in their customers' partitions."""
        return OwnedEntities(subject, self.storage.table(CUSTOMERS_TABLE), Writer(self.promises, self.clock))

    def seal(self, purpose: str) -> Seal:
        """Return keyed digests for one purpose."""
        return Seal.for_purpose(self.settings.platform_secret, purpose)

    def _owned_source(self, subject: Subject, id_prefix: str) -> OwnedSource:
        return OwnedSource(id_prefix, self.owned(subject), self.storage.table(ENTITY_INDEX_TABLE))
