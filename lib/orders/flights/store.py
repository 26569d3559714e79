"""How flights are kept: a partition each, with what is known of it, the events that were taken, and its orders."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.changes.owned import after_prefix
from lib.orders.flights.models import FlightEvent, FlightState
from lib.storage.errors import RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert

FLIGHTS_TABLE: Final = "flights"
_STATE: Final = "state"
_ORDERS: Final = "order~"
_BELOW: Final = after_prefix(_ORDERS)


@dataclass(frozen=True, slots=True)
class KeptFlight:
    """What is known of a flight, with the row it was read from."""

    state: FlightState
    row: Row | None


@dataclass(frozen=True, slots=True)
class FlightOrder:
    """An order with a segment on a flight, as the index has it."""

    order_id: str
    owner: str
    row: Row


@dataclass(frozen=True, slots=True)
class FlightStore:
    """Reads and writes flights."""

    table: Table

    async def read(self, flight: str) -> KeptFlight:
        """Return what is known of a flight, in one storage call."""
        row = await self.table.get(flight, _STATE)
        if row is None:
            return KeptFlight(FlightState(), None)
        return KeptFlight(FlightState.model_validate_json(str(row.values["document"])), row)

    async def taken(self, event: FlightEvent) -> str | None:
        """Return the content under which an event was taken before, or None when it never was."""
        row = await self.table.get(event.key, _event_key(event))
        return str(row.values["document"]) if row else None

    async def take(self, event: FlightEvent, kept: KeptFlight) -> FlightState:
        """Keep an event, and what is known after it, in one transaction.

        Raises:
            RowExistsError, RowChangedError: the event was taken before, or another came first.
            OutcomeUnknownError: no answer came back.
        """
        state = kept.state.after(event)
        values = {"version": state.version, "document": state.model_dump_json(by_alias=True, exclude_none=True)}
        await self.table.write(
            event.key,
            Insert(_event_key(event), {"document": document_of(event), "version": state.version}),
            Insert(_STATE, values) if kept.row is None else Replace(_STATE, values, kept.row.etag),
        )
        return state

    async def fence(self, flight: str, kept: KeptFlight) -> bool:
        """Rewrite what is known unchanged, so that no event is kept any more over what was read; tell whether it was.

        Raises:
            OutcomeUnknownError: no answer came back.
        """
        document = kept.state.model_dump_json(by_alias=True, exclude_none=True)
        values = {"version": kept.state.version, "document": document}
        write = Insert(_STATE, values) if kept.row is None else Replace(_STATE, values, kept.row.etag)
        try:
            await self.table.write(flight, write)
        except (RowExistsError, RowChangedError):
            return False
        return True

    async def orders(self, flight: str, *, limit: int, resume: str | None) -> tuple[Sequence[FlightOrder], str | None]:
        """Return a page of the orders with a segment on a flight, and where it goes on, in one storage call."""
        page = await self.table.page(flight, from_key=_ORDERS, below_key=_BELOW, limit=limit, resume=resume)
        found = [FlightOrder(row.key.removeprefix(_ORDERS), str(row.values["owner"]), row) for row in page.rows]
        return found, page.resume

    async def add_order(self, flight: str, order_id: str, owner: str) -> None:
        """Note that an order has a segment on a flight."""
        await self.table.write(flight, Upsert(f"{_ORDERS}{order_id}", {"owner": owner}))

    async def drop_order(self, flight: str, order: FlightOrder) -> None:
        """Forget an order that has none any more; one that was noted again meanwhile stays."""
        try:
            await self.table.write(flight, Delete(order.row.key, order.row.etag))
        except RowChangedError:
            return


def document_of(event: FlightEvent) -> str:
    """Return an event as it is kept, and compared with one of the same name."""
    return event.model_dump_json(by_alias=True, exclude_none=True)


def _event_key(event: FlightEvent) -> str:
    # A digest, because ids of other systems hold characters that keys must not.
    return f"event~{hashlib.sha256(event.name.encode()).hexdigest()}"
