"""What operations work with: failures, replays, reconciliations, imports, rebuilds, health."""

from dataclasses import dataclass
from functools import cached_property

from lib.failures.defects import Defects
from lib.failures.intake import Intake
from lib.failures.service import FailureService
from lib.failures.store import FAILURES_TABLE, FailureStore
from lib.health import Health
from lib.identifiers.differences import IDENTIFIER_REBUILDS_TABLE, REBUILDS, Differences
from lib.identifiers.examiner import Examiner
from lib.identifiers.rebuild_runner import RebuildRunner
from lib.identifiers.rebuild_service import RebuildService
from lib.identifiers.rebuilds import Difference
from lib.imports.cases import CaseRows
from lib.imports.consents import ConsentLoader
from lib.imports.customers import CustomerLoader
from lib.imports.files import IMPORTS_CONTAINER
from lib.imports.interactions import InteractionLoader
from lib.imports.models import ImportKind
from lib.imports.orders import OrderRows
from lib.imports.owners import Owners
from lib.imports.references import ReferenceLoader
from lib.imports.runner import ImportRunner
from lib.imports.service import ImportService
from lib.imports.store import IMPORTS, IMPORTS_TABLE
from lib.jobs.findings import Findings
from lib.jobs.runs import RunStore
from lib.mainframe.backoff import Backoff
from lib.messaging.catalogue import ALL_QUEUES, QueueName
from lib.reconciliation.drifts import RECONCILIATIONS, RECONCILIATIONS_TABLE, Drifts
from lib.reconciliation.judge import Judge
from lib.reconciliation.models import Drift
from lib.reconciliation.runner import SliceRunner
from lib.reconciliation.service import ReconciliationService
from lib.replays.closing import Closing
from lib.replays.fronts import Fronts
from lib.replays.items import Items
from lib.replays.runner import Runner
from lib.replays.service import ReplayService
from lib.replays.store import REPLAYS_TABLE, ReplayStore
from lib.wiring.road import Road


@dataclass(frozen=True)
class Operations(Road):
    """What is done to many at once, and to what went wrong."""

    @cached_property
    def failures(self) -> FailureService:
        """Operations on failures."""
        return FailureService(
            store=self._failure_store,
            sources=self.sources,
            ledgers=self._ledgers,
            clock=self.clock,
            cursors=self.cursors,
        )

    @cached_property
    def defects(self) -> Defects:
        """What handlers left behind when they failed by a defect."""
        return Defects(self.storage.table(FAILURES_TABLE), self.clock)

    @cached_property
    def intake(self) -> Intake:
        """Imports what ended on poison queues."""
        return Intake(
            store=self._failure_store,
            defects=self.defects,
            ledgers=self._ledgers,
            storage=self.storage,
            clock=self.clock,
            window_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def replays(self) -> ReplayService:
        """Operations on replays."""
        return ReplayService(
            store=self._replay_store,
            failures=self._failure_store,
            items=self._replay_items,
            closing=self._replay_closing,
            queue=self.storage.queue(QueueName.REPLAY_REQUESTS),
            clock=self.clock,
            seal=self.seal("ids"),
            cursors=self.cursors,
        )

    @cached_property
    def replay_runner(self) -> Runner:
        """The job that runs replays."""
        return Runner(
            service=self.replays,
            store=self._replay_store,
            fronts=Fronts(
                store=self._replay_store,
                items=self._replay_items,
                clock=self.clock,
                lease_seconds=self.settings.commit_window_seconds,
            ),
            closing=self._replay_closing,
            queue=self.storage.queue(QueueName.REPLAY_REQUESTS),
            clock=self.clock,
            ids=self.ids,
            # Longer than a function may run: whoever holds a slice longer than that is dead.
            lease_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def reconciliations(self) -> ReconciliationService:
        """Operations on reconciliations."""
        return ReconciliationService(
            store=RunStore(RECONCILIATIONS, self.storage.table(RECONCILIATIONS_TABLE)),
            drifts=Drifts(Findings(Drift, self.storage.table(RECONCILIATIONS_TABLE))),
            queue=self.storage.queue(QueueName.RECONCILIATION_SLICES),
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("ids"),
            cursors=self.cursors,
        )

    @cached_property
    def slice_runner(self) -> SliceRunner:
        """The job that runs reconciliations."""
        return SliceRunner(
            service=self.reconciliations,
            judge=Judge(
                sources=self.sources,
                ledgers=self._ledgers,
                undelivered=self.undelivered,
                link=self.link,
                queue=self.storage.queue(QueueName.MAINFRAME_UPDATES),
                pace=self.bulk_pace,
                clock=self.clock,
                window_seconds=self.settings.commit_window_seconds,
            ),
            link=self.link,
            breaker=self.breaker,
            queue=self.storage.queue(QueueName.RECONCILIATION_SLICES),
            clock=self.clock,
            ids=self.ids,
            backoff=Backoff(self.settings.retry_base_seconds, self.settings.retry_cap_seconds),
            # Longer than a function may run: whoever holds a slice longer than that is dead.
            lease_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def imports(self) -> ImportService:
        """Operations on bulk imports."""
        return ImportService(
            store=RunStore(IMPORTS, self.storage.table(IMPORTS_TABLE)),
            blobs=self.storage.blobs(IMPORTS_CONTAINER),
            queue=self.storage.queue(QueueName.IMPORT_SLICES),
            clock=self.clock,
            seal=self.seal("ids"),
            cursors=self.cursors,
        )

    @cached_property
    def import_runner(self) -> ImportRunner:
        """The job that runs imports."""
        owners = Owners(self.customer_upserts)
        return ImportRunner(
            service=self.imports,
            loaders={
                ImportKind.CUSTOMERS: CustomerLoader(self.customers, self.customer_upserts, self.customer_previews),
                ImportKind.INTERACTIONS: InteractionLoader(self.interactions, owners),
                ImportKind.ORDERS: ReferenceLoader(OrderRows(self.orders), self.customers, owners),
                ImportKind.CONSENTS: ConsentLoader(self.consents, owners),
                ImportKind.CASES: ReferenceLoader(CaseRows(self.cases, self.orders), self.customers, owners),
            },
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("operations"),
            backoff=Backoff(self.settings.retry_base_seconds, self.settings.retry_cap_seconds),
            lease_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def identifier_rebuilds(self) -> RebuildService:
        """Operations on rebuilds of the index of identifiers."""
        return RebuildService(
            store=RunStore(REBUILDS, self.storage.table(IDENTIFIER_REBUILDS_TABLE)),
            differences=Differences(Findings(Difference, self.storage.table(IDENTIFIER_REBUILDS_TABLE))),
            holders=self.holders,
            queue=self.storage.queue(QueueName.IDENTIFIER_REBUILD_SLICES),
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("ids"),
            cursors=self.cursors,
        )

    @cached_property
    def identifier_rebuild_runner(self) -> RebuildRunner:
        """The job that rebuilds the index of identifiers."""
        return RebuildRunner(
            service=self.identifier_rebuilds,
            examiner=Examiner(self.identifier_index, self.holders, self.clock),
            queue=self.storage.queue(QueueName.IDENTIFIER_REBUILD_SLICES),
            clock=self.clock,
        )

    @cached_property
    def health(self) -> Health:
        """How everything does."""
        return Health(
            queues={name: self.storage.queue(name) for name in ALL_QUEUES},
            breaker=self.breaker,
            undelivered=self.undelivered,
            clock=self.clock,
        )

    @cached_property
    def _failure_store(self) -> FailureStore:
        return FailureStore(self.storage.table(FAILURES_TABLE), self.seal("failures"))

    @cached_property
    def _replay_store(self) -> ReplayStore:
        return ReplayStore(self.storage.table(REPLAYS_TABLE))

    @cached_property
    def _replay_closing(self) -> Closing:
        return Closing(store=self._replay_store, items=self._replay_items, clock=self.clock)

    @cached_property
    def _replay_items(self) -> Items:
        return Items(
            failures=self._failure_store,
            service=self.failures,
            sources=self.sources,
            ledgers=self._ledgers,
            storage=self.storage,
            clock=self.clock,
            window_seconds=self.settings.commit_window_seconds,
        )
