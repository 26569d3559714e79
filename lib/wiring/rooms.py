"""The rooms: customers and what belongs to them."""

from dataclasses import dataclass, replace
from functools import cached_property

from lib.cases.commenting import CommentService
from lib.cases.links import Links
from lib.cases.models import CASE_PREFIX
from lib.cases.service import CaseService
from lib.changes.owned_source import ENTITY_INDEX_TABLE
from lib.changes.records import Records
from lib.changes.subjects import SubjectSource
from lib.changes.writer import Writer
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
from lib.feedback.service import FEEDBACK, FeedbackService
from lib.identifiers.holders import Holders, OwnedHolders
from lib.identifiers.index import IDENTIFIER_INDEX_TABLE, IdentifierIndex
from lib.interactions.service import INTERACTIONS, InteractionService
from lib.messaging.catalogue import QueueName, Subject
from lib.orders.flights.runner import FlightRunner
from lib.orders.flights.service import FlightService, both
from lib.orders.flights.store import FLIGHTS_TABLE, FlightStore
from lib.orders.fulfilment import Fulfilment
from lib.orders.identifiers import identifiers_of
from lib.orders.models import ORDER_PREFIX
from lib.orders.service import OrderService
from lib.orders.store import OrderStore
from lib.overview.service import OverviewService
from lib.preferences.service import PREFERENCES_PREFIX, PreferenceService
from lib.timeline.ranges import RangePages
from lib.timeline.service import TimelineService
from lib.wiring.base import Base


@dataclass(frozen=True)
class Rooms(Base):
    """The operations on customers and on what belongs to them."""

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
            cursors=self.cursors,
        )

    @cached_property
    def customer_lookup(self) -> CustomerLookup:
        """Finding customers by identifiers."""
        return CustomerLookup(
            store=self._customer_store,
            claims=self._claims,
            index=self.identifier_index,
            holders=self.holders,
            cursors=self.cursors,
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
    def preferences(self) -> PreferenceService:
        """Operations on preferences."""
        return PreferenceService(
            entities=self.owned(Subject.PREFERENCES),
            customers=self.customers,
            clock=self.clock,
            id_seal=self.seal("owned-ids"),
            value_seal=self.seal("sensitive-values"),
            cursors=self.cursors,
        )

    @cached_property
    def consents(self) -> ConsentService:
        """Operations on consents."""
        return ConsentService(
            store=self._consent_store,
            customers=self.customers,
            decisions=ConsentDecisions(store=self._consent_store, customers=self.customers, clock=self.clock),
            clock=self.clock,
            cursors=self.cursors,
        )

    @cached_property
    def subscription_groups(self) -> GroupService:
        """Operations on subscription groups."""
        return GroupService(
            table=self.storage.table(GROUPS_TABLE),
            once=self.once,
            clock=self.clock,
            cursors=self.cursors,
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
            cursors=self.cursors,
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
    def cases(self) -> CaseService:
        """Operations on cases."""
        return CaseService(
            entities=self.owned(Subject.CASE),
            links=Links(self.orders, self.storage.table(CUSTOMERS_TABLE)),
            pages=self._ranges,
            customers=self.customers,
            clock=self.clock,
            ids=self.ids,
            id_seal=self.seal("case-ids"),
        )

    @cached_property
    def case_comments(self) -> CommentService:
        """Operations on the comments of cases."""
        return CommentService(self.cases)

    @cached_property
    def timeline(self) -> TimelineService:
        """Operations on timelines."""
        return TimelineService(pages=self._ranges, check=check_customer_id, require=self.customers.require)

    @cached_property
    def overview(self) -> OverviewService:
        """All that is known of a customer in one look."""
        return OverviewService(self.customers, self.settings.overview_section_seconds)

    @cached_property
    def identifier_index(self) -> IdentifierIndex:
        """The index of identifiers that customers may share."""
        return IdentifierIndex(self.storage.table(IDENTIFIER_INDEX_TABLE), self.seal("identifiers"))

    @cached_property
    def holders(self) -> dict[Subject, Holders]:
        """The rooms whose entities hold identifiers."""
        return {Subject.CUSTOMER: CustomerHolders(self._customer_store), Subject.ORDER: self._order_holders}

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
            Subject.CASE: self._owned_source(Subject.CASE, CASE_PREFIX),
        }

    @cached_property
    def _order_holders(self) -> OwnedHolders:
        return OwnedHolders(
            id_prefix=ORDER_PREFIX,
            entities=self.owned(Subject.ORDER),
            entity_index=self.storage.table(ENTITY_INDEX_TABLE),
            index=self.identifier_index,
            identify=identifiers_of,
        )

    @cached_property
    def _consent_store(self) -> ConsentStore:
        return ConsentStore(self.owned(Subject.CONSENT), self.seal("owned-ids"))

    @cached_property
    def _ranges(self) -> RangePages:
        return RangePages(self.storage.table(CUSTOMERS_TABLE), self.cursors)

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
