"""Builds the platform once per process from its settings: every service with its collaborators."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from lib.changes.once import OPERATIONS_TABLE, Once
from lib.changes.outbox import OUTBOX_TABLE, Outbox
from lib.changes.owned import OwnedEntities
from lib.changes.owned_source import ENTITY_INDEX_TABLE, OwnedSource
from lib.changes.promise import Promises
from lib.changes.records import Records
from lib.changes.relay import Relay
from lib.changes.subjects import SubjectSource
from lib.changes.writer import Writer
from lib.clock import Clock, SystemClock
from lib.consents.confirmations import Confirmations
from lib.consents.decisions import ConsentDecisions
from lib.consents.groups import GROUPS_TABLE, GroupService
from lib.consents.service import ConsentService
from lib.consents.store import CONSENT_PREFIX, ConsentStore
from lib.consents.subscribing import SUBSCRIPTION_PREFIX, SubscriptionService
from lib.customers.claims import IDENTIFIERS_TABLE, Claims
from lib.customers.lookup import CustomerLookup
from lib.customers.preview import CustomerPreviews
from lib.customers.service import CustomerService, check_customer_id
from lib.customers.store import CUSTOMERS_TABLE, INDEX_TABLE, CustomerStore
from lib.customers.subject import CustomerHolders, CustomerSource
from lib.customers.upsert import CustomerUpserts
from lib.failures.defects import Defects
from lib.failures.intake import Intake
from lib.failures.service import FailureService
from lib.failures.store import FAILURES_TABLE, FailureStore
from lib.feedback.service import FEEDBACK, FeedbackService
from lib.health import Health
from lib.identifiers.examiner import Examiner
from lib.identifiers.holders import Holders, OwnedHolders
from lib.identifiers.index import IDENTIFIER_INDEX_TABLE, IdentifierIndex
from lib.identifiers.rebuild_runner import RebuildRunner
from lib.identifiers.rebuild_service import RebuildService
from lib.identifiers.rebuild_store import IDENTIFIER_REBUILDS_TABLE, RebuildStore
from lib.ids import Ids, Seal, UlidIds
from lib.imports.consents import ConsentLoader
from lib.imports.customers import CustomerLoader
from lib.imports.files import IMPORTS_CONTAINER
from lib.imports.interactions import InteractionLoader
from lib.imports.models import ImportKind
from lib.imports.orders import OrderLoader
from lib.imports.owners import Owners
from lib.imports.runner import ImportRunner
from lib.imports.service import ImportService
from lib.imports.store import IMPORTS_TABLE, ImportStore
from lib.interactions.service import INTERACTIONS, InteractionService
from lib.mainframe.backoff import Backoff
from lib.mainframe.breaker import MAINFRAME_TABLE, Breaker
from lib.mainframe.bulk import BulkDelivery
from lib.mainframe.client import MainframeClient
from lib.mainframe.delivery import Delivery
from lib.mainframe.ledger import LedgerStore
from lib.mainframe.link import Link
from lib.mainframe.order_record import write_order
from lib.mainframe.overview import Overviews
from lib.mainframe.pace import Pace, PacedQueue
from lib.mainframe.pauses import Pauses
from lib.mainframe.records import write_customer
from lib.mainframe.rejections import Rejections
from lib.mainframe.status import DeliveryStatuses
from lib.mainframe.throughput import Throughput
from lib.mainframe.undelivered import UNDELIVERED_TABLE, UndeliveredStore
from lib.mainframe.waker import Waker
from lib.messaging.catalogue import ALL_QUEUES, BULK_LANES, QueueName, Subject
from lib.orders.flights.runner import FlightRunner
from lib.orders.flights.service import FlightService, both
from lib.orders.flights.store import FLIGHTS_TABLE, FlightStore
from lib.orders.fulfilment import Fulfilment
from lib.orders.identifiers import identifiers_of
from lib.orders.models import ORDER_PREFIX
from lib.orders.service import OrderService
from lib.orders.store import OrderStore
from lib.overview.service import OverviewService
from lib.paging import Cursors
from lib.preferences.service import PREFERENCES_PREFIX, PreferenceService
from lib.reconciliation.judge import Judge
from lib.reconciliation.runner import SliceRunner
from lib.reconciliation.service import ReconciliationService
from lib.reconciliation.store import RECONCILIATIONS_TABLE, ReconciliationStore
from lib.replays.closing import Closing
from lib.replays.fronts import Fronts
from lib.replays.items import Items
from lib.replays.runner import Runner
from lib.replays.service import ReplayService
from lib.replays.store import REPLAYS_TABLE, ReplayStore
from lib.settings import Settings
from lib.storage.ports import Storage
from lib.timeline.ranges import RangePages
from lib.timeline.service import TimelineService

ALL_TABLES: Final = (
    CUSTOMERS_TABLE,
    INDEX_TABLE,
    IDENTIFIERS_TABLE,
    OUTBOX_TABLE,
    MAINFRAME_TABLE,
    UNDELIVERED_TABLE,
    OPERATIONS_TABLE,
    FAILURES_TABLE,
    REPLAYS_TABLE,
    RECONCILIATIONS_TABLE,
    ENTITY_INDEX_TABLE,
    FLIGHTS_TABLE,
    IDENTIFIER_INDEX_TABLE,
    GROUPS_TABLE,
    IMPORTS_TABLE,
    IDENTIFIER_REBUILDS_TABLE,
)
ALL_CONTAINERS: Final = (IMPORTS_CONTAINER,)
_LEASE_MARGIN_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Platform:
    """Everything the platform does, wired to one storage and one mainframe. Parts are built when first asked for."""

    settings: Settings
    storage: Storage
    link: Link
    clock: Clock
    ids: Ids

    @cached_property
    def customers(self) -> CustomerService:
        """Operations on customers."""
        return CustomerService(
            store=self._customer_store,
            claims=self._claims,
            writer=Writer(self.promises, self.clock),
            clock=self.clock,
            ids=self.ids,
            id_seal=self.seal("ids"),
            value_seal=self.seal("sensitive-values"),
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def preferences(self) -> PreferenceService:
        """Operations on preferences."""
        return PreferenceService(
            entities=self.owned(Subject.PREFERENCES),
            customers=self.customers,
            clock=self.clock,
            id_seal=self.seal("owned-ids"),
            value_seal=self.seal("sensitive-values"),
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def consents(self) -> ConsentService:
        """Operations on consents."""
        return ConsentService(
            store=self._consent_store,
            customers=self.customers,
            decisions=ConsentDecisions(store=self._consent_store, customers=self.customers, clock=self.clock),
            clock=self.clock,
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def subscription_groups(self) -> GroupService:
        """Operations on subscription groups."""
        return GroupService(
            table=self.storage.table(GROUPS_TABLE),
            once=self.once,
            clock=self.clock,
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def subscriptions(self) -> SubscriptionService:
        """Operations on subscriptions."""
        return SubscriptionService(
            entities=self.owned(Subject.SUBSCRIPTION),
            groups=self.subscription_groups,
            consents=self._consent_store,
            confirmations=Confirmations(self.seal("confirmations")),
            customers=self.customers,
            clock=self.clock,
            id_seal=self.seal("owned-ids"),
        )

    @cached_property
    def orders(self) -> OrderService:
        """Operations on orders."""
        return OrderService(
            store=OrderStore(self.owned(Subject.ORDER)),
            customers=self.customers,
            preferences=self.preferences,
            clock=self.clock,
            ids=self.ids,
            id_seal=self.seal("ids"),
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def fulfilment(self) -> Fulfilment:
        """Operations on the items and documents of orders."""
        return Fulfilment(self.orders)

    @cached_property
    def flights(self) -> FlightService:
        """Operations on flights."""
        return FlightService(
            FlightStore(self.storage.table(FLIGHTS_TABLE)), self.storage.queue(QueueName.FLIGHT_EVENTS), self.clock
        )

    @cached_property
    def flight_runner(self) -> FlightRunner:
        """The job that brings orders up to date with their flights."""
        return FlightRunner(
            flights=self.flights,
            store=self.flights.store,
            orders=self.orders,
            queue=self.flights.queue,
            clock=self.clock,
            ids=self.ids,
            window_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def interactions(self) -> InteractionService:
        """Operations on interactions."""
        return InteractionService(
            records=Records(INTERACTIONS, self.storage.table(CUSTOMERS_TABLE)),
            pages=self._ranges,
            customers=self.customers,
            clock=self.clock,
            ids=self.ids,
            id_seal=self.seal("interaction-ids"),
        )

    @cached_property
    def feedback(self) -> FeedbackService:
        """Operations on feedback."""
        return FeedbackService(
            records=Records(FEEDBACK, self.storage.table(CUSTOMERS_TABLE)),
            pages=self._ranges,
            customers=self.customers,
            clock=self.clock,
            ids=self.ids,
            id_seal=self.seal("feedback-ids"),
        )

    @cached_property
    def timeline(self) -> TimelineService:
        """Operations on timelines."""
        return TimelineService(pages=self._ranges, check=check_customer_id, require=self.customers.require)

    @cached_property
    def overview(self) -> OverviewService:
        """All that is known of a customer in one look."""
        return OverviewService(self.customers, self.settings.overview_section_seconds)

    @cached_property
    def customer_lookup(self) -> CustomerLookup:
        """Finding customers by identifiers."""
        return CustomerLookup(
            store=self._customer_store,
            claims=self._claims,
            index=self.identifier_index,
            holders=self.holders,
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def customer_upserts(self) -> CustomerUpserts:
        """Customers by external id."""
        return CustomerUpserts(customers=self.customers, claims=self._claims, clock=self.clock)

    @cached_property
    def customer_previews(self) -> CustomerPreviews:
        """What statements by external id would do."""
        return CustomerPreviews(self._claims, self.customer_lookup, self.clock, self.seal("sensitive-values"))

    @cached_property
    def identifier_index(self) -> IdentifierIndex:
        """The index of identifiers that customers may share."""
        return IdentifierIndex(self.storage.table(IDENTIFIER_INDEX_TABLE), self.seal("identifiers"))

    @cached_property
    def holders(self) -> dict[Subject, Holders]:
        """The rooms whose entities hold identifiers."""
        return {Subject.CUSTOMER: CustomerHolders(self._customer_store), Subject.ORDER: self._order_holders}

    @cached_property
    def identifier_rebuilds(self) -> RebuildService:
        """Operations on rebuilds of the index of identifiers."""
        return RebuildService(
            store=RebuildStore(self.storage.table(IDENTIFIER_REBUILDS_TABLE)),
            holders=self.holders,
            queue=self.storage.queue(QueueName.IDENTIFIER_REBUILD_SLICES),
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("ids"),
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def identifier_rebuild_runner(self) -> RebuildRunner:
        """The job that rebuilds the index of identifiers."""
        return RebuildRunner(
            service=self.identifier_rebuilds,
            store=self.identifier_rebuilds.store,
            examiner=Examiner(self.identifier_index, self.holders, self.clock),
            queue=self.storage.queue(QueueName.IDENTIFIER_REBUILD_SLICES),
            clock=self.clock,
        )

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

    @cached_property
    def outbox(self) -> Outbox:
        """Wake-ups kept while the queue cannot be reached."""
        return Outbox(self.storage.table(OUTBOX_TABLE), self.storage.queue(QueueName.CHANGES))

    @cached_property
    def relay(self) -> Relay:
        """Tells consumers what was committed."""
        return Relay(
            sources=self.sources,
            consumers={QueueName.MAINFRAME_UPDATES: self.storage.queue(QueueName.MAINFRAME_UPDATES)},
            bulk_consumers={
                QueueName.MAINFRAME_UPDATES: PacedQueue(
                    self.storage.queue(BULK_LANES[QueueName.MAINFRAME_UPDATES]), self.bulk_pace, self.clock
                )
            },
            changes=self.storage.queue(QueueName.CHANGES),
            bulk_changes=self.storage.queue(QueueName.CHANGES_BULK),
            clock=self.clock,
        )

    @cached_property
    def sources(self) -> dict[Subject, SubjectSource]:
        """The rooms whose entities are carried to consumers."""
        return {
            Subject.CUSTOMER: CustomerSource(self._customer_store),
            Subject.PREFERENCES: self._owned_source(Subject.PREFERENCES, PREFERENCES_PREFIX),
            Subject.ORDER: replace(
                self._order_holders.source, also=both(self._order_holders.refresh, self.flights.join)
            ),
            Subject.CONSENT: self._owned_source(Subject.CONSENT, CONSENT_PREFIX),
            Subject.SUBSCRIPTION: self._owned_source(Subject.SUBSCRIPTION, SUBSCRIPTION_PREFIX),
        }

    @cached_property
    def delivery(self) -> Delivery:
        """Delivers subjects to the mainframe."""
        return Delivery(
            sources=self.sources,
            writers={Subject.CUSTOMER: write_customer, Subject.ORDER: write_order},
            ledgers=self._ledgers,
            undelivered=self.undelivered,
            rejections=Rejections(
                queue=self.storage.queue(QueueName.MAINFRAME_UPDATES.poison),
                outcomes=self.storage.queue(QueueName.FAILURE_OUTCOMES),
            ),
            breaker=self.breaker,
            throughput=self.throughput,
            link=self.link,
            queue=self.storage.queue(QueueName.MAINFRAME_UPDATES),
            bulk_queue=self.storage.queue(QueueName.MAINFRAME_UPDATES_BULK),
            clock=self.clock,
            ids=self.ids,
            backoff=Backoff(self.settings.retry_base_seconds, self.settings.retry_cap_seconds),
            lease_seconds=self._call_seconds + _LEASE_MARGIN_SECONDS,
            max_attempts=self.settings.max_attempts,
        )

    @cached_property
    def bulk_delivery(self) -> BulkDelivery:
        """Delivers what may wait."""
        return BulkDelivery(self.delivery)

    @cached_property
    def bulk_pace(self) -> Pace:
        """When deliveries that may wait go out."""
        return Pace(self.storage.table(MAINFRAME_TABLE), self.clock, self.settings.bulk_rate_per_second)

    @cached_property
    def breaker(self) -> Breaker:
        """The circuit breaker before the mainframe."""
        return Breaker(
            table=self.storage.table(MAINFRAME_TABLE),
            clock=self.clock,
            ids=self.ids,
            threshold=self.settings.breaker_failures,
            open_seconds=self.settings.breaker_open_seconds,
            probe_seconds=self._call_seconds + _LEASE_MARGIN_SECONDS,
        )

    @cached_property
    def throughput(self) -> Throughput:
        """How many deliveries the mainframe acknowledged."""
        return Throughput(self.storage.table(MAINFRAME_TABLE), self.clock, self.ids)

    @cached_property
    def pauses(self) -> Pauses:
        """Pausing deliveries and resuming them."""
        return Pauses(
            table=self.storage.table(MAINFRAME_TABLE),
            breaker=self.breaker,
            clock=self.clock,
            ids=self.ids,
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def mainframe(self) -> Overviews:
        """The road to the mainframe in one look."""
        return Overviews(
            breaker=self.breaker,
            undelivered=self.undelivered,
            queue=self.storage.queue(QueueName.MAINFRAME_UPDATES),
            throughput=self.throughput,
            clock=self.clock,
        )

    @cached_property
    def undelivered(self) -> UndeliveredStore:
        """What has not reached the mainframe yet."""
        return UndeliveredStore(self.storage.table(UNDELIVERED_TABLE))

    @cached_property
    def waker(self) -> Waker:
        """Wakes what waits."""
        return Waker(
            undelivered=self.undelivered,
            breaker=self.breaker,
            queue=self.storage.queue(QueueName.MAINFRAME_UPDATES),
            clock=self.clock,
            rate_per_second=self.settings.wake_rate_per_second,
            window_seconds=self.settings.commit_window_seconds,
        )

    @cached_property
    def once(self) -> Once:
        """The first answers of keyed operations that are harmless to repeat."""
        return Once(self.storage.table(OPERATIONS_TABLE))

    @cached_property
    def failures(self) -> FailureService:
        """Operations on failures."""
        return FailureService(
            store=self._failure_store,
            sources=self.sources,
            ledgers=self._ledgers,
            clock=self.clock,
            cursors=Cursors(self.seal("cursors")),
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
            cursors=Cursors(self.seal("cursors")),
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
            store=ReconciliationStore(self.storage.table(RECONCILIATIONS_TABLE)),
            queue=self.storage.queue(QueueName.RECONCILIATION_SLICES),
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("ids"),
            cursors=Cursors(self.seal("cursors")),
        )

    @cached_property
    def slice_runner(self) -> SliceRunner:
        """The job that runs reconciliations."""
        return SliceRunner(
            service=self.reconciliations,
            store=self.reconciliations.store,
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
            store=ImportStore(self.storage.table(IMPORTS_TABLE)),
            blobs=self.storage.blobs(IMPORTS_CONTAINER),
            queue=self.storage.queue(QueueName.IMPORT_SLICES),
            clock=self.clock,
            seal=self.seal("ids"),
            cursors=Cursors(self.seal("cursors")),
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
                ImportKind.ORDERS: OrderLoader(self.orders, self.customers, owners),
                ImportKind.CONSENTS: ConsentLoader(self.consents, owners),
            },
            clock=self.clock,
            ids=self.ids,
            seal=self.seal("operations"),
            backoff=Backoff(self.settings.retry_base_seconds, self.settings.retry_cap_seconds),
            lease_seconds=self.settings.commit_window_seconds,
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
    def customer_deliveries(self) -> DeliveryStatuses:
        """Where the deliveries of customers stand."""
        return self._deliveries_of(Subject.CUSTOMER)

    @cached_property
    def order_deliveries(self) -> DeliveryStatuses:
        """Where the deliveries of orders stand."""
        return self._deliveries_of(Subject.ORDER)

    def owned(self, subject: Subject) -> OwnedEntities:
        """Return the entities of a subject that live in their customers' partitions."""
        return OwnedEntities(subject, self.storage.table(CUSTOMERS_TABLE), Writer(self.promises, self.clock))

    def seal(self, purpose: str) -> Seal:
        """Return keyed digests for one purpose."""
        return Seal.for_purpose(self.settings.platform_secret, purpose)

    @property
    def _call_seconds(self) -> float:
        return self.settings.mainframe_connect_timeout_seconds + self.settings.mainframe_call_timeout_seconds

    @cached_property
    def _order_holders(self) -> OwnedHolders:
        return OwnedHolders(
            id_prefix=ORDER_PREFIX,
            entities=self.owned(Subject.ORDER),
            entity_index=self.storage.table(ENTITY_INDEX_TABLE),
            index=self.identifier_index,
            identify=identifiers_of,
        )

    def _deliveries_of(self, subject: Subject) -> DeliveryStatuses:
        return DeliveryStatuses(
            source=self.sources[subject], subject=subject, ledgers=self._ledgers, undelivered=self.undelivered
        )

    def _owned_source(self, subject: Subject, id_prefix: str) -> OwnedSource:
        return OwnedSource(id_prefix, self.owned(subject), self.storage.table(ENTITY_INDEX_TABLE))

    @cached_property
    def _consent_store(self) -> ConsentStore:
        return ConsentStore(self.owned(Subject.CONSENT), self.seal("owned-ids"))

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

    @cached_property
    def _ranges(self) -> RangePages:
        return RangePages(self.storage.table(CUSTOMERS_TABLE), Cursors(self.seal("cursors")))

    @cached_property
    def _ledgers(self) -> LedgerStore:
        return LedgerStore(self.storage.table(CUSTOMERS_TABLE))

    @cached_property
    def _customer_store(self) -> CustomerStore:
        return CustomerStore(
            self.storage.table(CUSTOMERS_TABLE), self.storage.table(INDEX_TABLE), self.identifier_index
        )

    @cached_property
    def _claims(self) -> Claims:
        return Claims(
            table=self.storage.table(IDENTIFIERS_TABLE),
            customers=self._customer_store,
            clock=self.clock,
            window_seconds=self.settings.commit_window_seconds,
        )


def build(settings: Settings) -> Platform:
    """Return the platform of this process on its configured storage."""
    from lib.storage.azure import AzureStorage, ConnectionString, IdentityConnection

    clock = SystemClock()
    connection = (
        ConnectionString.parse(settings.data_storage)
        if settings.data_storage
        else IdentityConnection(
            table_service_uri=settings.data_table_uri,
            queue_service_uri=settings.data_queue_uri,
            blob_service_uri=settings.data_blob_uri,
            client_id=settings.data_client_id or None,
        )
    )
    link = MainframeClient(
        host=settings.mainframe_host,
        port=settings.mainframe_port,
        tls=settings.mainframe_tls,
        connect_timeout_seconds=settings.mainframe_connect_timeout_seconds,
        call_timeout_seconds=settings.mainframe_call_timeout_seconds,
    )
    return Platform(settings=settings, storage=AzureStorage(connection), link=link, clock=clock, ids=UlidIds(clock))
