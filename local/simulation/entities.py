"""What a simulation keeps and the mainframe shall hold: customers, and orders in their customers' partitions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.changes.owned import kept_entity
from lib.changes.owned_source import ENTITY_INDEX_TABLE
from lib.customers.store import PROFILE_KEY, kept_from
from lib.mainframe.order_record import write_order
from lib.mainframe.records import write_customer
from lib.messaging.catalogue import Subject
from lib.orders.flights.models import key_of
from lib.orders.flights.rules import on_flight
from lib.orders.flights.store import FLIGHTS_TABLE
from lib.orders.listing import LIST_PREFIX, list_rows
from lib.orders.models import Order
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Row

_ORDERS = f"{Subject.ORDER}~"


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that is kept in a version."""

    subject: Subject
    id: str
    version: int
    row: Row

    def record(self) -> bytes:
        """Return the record that the mainframe shall hold of it."""
        if self.subject is Subject.ORDER:
            return write_order(self.order().json_values()).body
        return write_customer(
            kept_from(self.row).customer().model_dump(mode="json", by_alias=True, exclude_none=True)
        ).body

    def order(self) -> Order:
        """Return the order that it is."""
        kept = kept_entity(self.row)
        if kept is None:
            raise ValueError("nothing was committed")
        return Order.read(kept.document)


def entities_of(rows: Sequence[Row]) -> Iterator[Entity]:
    """Return the entities among the rows of customers' partitions."""
    for row in rows:
        version = int(str(row.values.get("version", 0)))
        if row.key == PROFILE_KEY and version:
            yield Entity(Subject.CUSTOMER, row.partition, version, row)
        elif row.key.startswith(_ORDERS) and version:
            yield Entity(Subject.ORDER, row.key.removeprefix(_ORDERS), version, row)


def changed_id(row: Row) -> str:
    """Return whose change a row of a change log is."""
    return row.key.split("~")[2]


def delivered_id(row: Row) -> str:
    """Return whose delivery row or failure record this is."""
    return row.key.split("~")[2]


def order_problems(storage: MemoryStorage) -> Iterator[str]:
    """Return what is wrong with the lists and indexes of orders, once everything has come to rest."""
    rows = storage.table("customers").rows()
    orders = [entity for entity in entities_of(rows) if entity.subject is Subject.ORDER]
    listed = {(row.partition, row.key): dict(row.values) for row in rows if row.key.startswith(LIST_PREFIX)}
    wanted = {
        (entity.row.partition, key): dict(values)
        for entity in orders
        for key, values in list_rows(entity.order()).items()
    }
    for place in sorted({*listed, *wanted}):
        if listed.get(place) != wanted.get(place):
            yield f"{place}: {listed.get(place)} instead of {wanted.get(place)}"
    index = {row.key: row for row in storage.table(ENTITY_INDEX_TABLE).rows() if row.partition == Subject.ORDER}
    flights = {(row.partition, row.key) for row in storage.table(FLIGHTS_TABLE).rows()}
    for entity in orders:
        row = index.get(entity.id)
        if row is None or (row.values["version"], row.values["owner"]) != (entity.version, entity.row.partition):
            yield f"{entity.id} v{entity.version} is not what the index shows"
        order = entity.order()
        for flight in {key_of(segment) for segment in order.segments if on_flight(order, key_of(segment))}:
            if (flight, f"order~{entity.id}") not in flights:
                yield f"{entity.id} is not found by its flight"
