"""The road to the mainframe: relay, delivery, breaker, waking."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lib.changes.relay import Relay
from lib.customers.store import CUSTOMERS_TABLE
from lib.mainframe.backoff import Backoff
from lib.mainframe.breaker import MAINFRAME_TABLE, Breaker
from lib.mainframe.bulk import BulkDelivery
from lib.mainframe.delivery import Delivery
from lib.mainframe.ledger import LedgerStore
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
from lib.messaging.catalogue import BULK_LANES, QueueName, Subject
from lib.wiring.rooms import Rooms

_LEASE_MARGIN_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Road(Rooms):
    """How what was committed reaches the mainframe."""

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
            cursors=self.cursors,
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
    def customer_deliveries(self) -> DeliveryStatuses:
        """Where the deliveries of customers stand."""
        return self._deliveries_of(Subject.CUSTOMER)

    @cached_property
    def order_deliveries(self) -> DeliveryStatuses:
        """Where the deliveries of orders stand."""
        return self._deliveries_of(Subject.ORDER)

    @property
    def _call_seconds(self) -> float:
        return self.settings.mainframe_connect_timeout_seconds + self.settings.mainframe_call_timeout_seconds

    def _deliveries_of(self, subject: Subject) -> DeliveryStatuses:
        return DeliveryStatuses(
            source=self.sources[subject], subject=subject, ledgers=self._ledgers, undelivered=self.undelivered
        )

    @cached_property
    def _ledgers(self) -> LedgerStore:
        return LedgerStore(self.storage.table(CUSTOMERS_TABLE))
