"""The job: what is known of a flight reaches every order with a segment on it, slice by slice.

Like everywhere, a message says what to bring up to date and not how: each order takes over what is newer than it knows,
so a slice that runs twice, late or beside another changes nothing twice. One order that cannot be changed now gets a
message of its own and holds up nobody.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from lib.changes.operation import Operation
from lib.clock import Clock
from lib.errors import NotFoundError, UnavailableError
from lib.ids import Ids
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.orders.flights.models import FlightState, FlightWakeUp
from lib.orders.flights.rules import on_flight, reason, updated
from lib.orders.flights.service import FlightService
from lib.orders.flights.store import FlightOrder, FlightStore
from lib.orders.models import Order
from lib.orders.service import OrderService
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import Trace, enter_trace, event_log

_SLICE: Final = 40
_AT_ONCE: Final = 8
_LOOK_AGAIN_SECONDS: Final = 2.0
_STORAGE_SECONDS: Final = 15.0

_log = event_log("flights")


class Fanned(StrEnum):
    """What became of a message."""

    DONE = "done"
    GOES_ON = "goesOn"
    LATER = "later"
    LET_GO = "letGo"


@dataclass(frozen=True, slots=True)
class FlightRunner:
    """Brings orders up to date with their flights."""

    flights: FlightService
    store: FlightStore
    orders: OrderService
    queue: Queue
    clock: Clock
    ids: Ids
    window_seconds: float

    async def take(self, body: str | bytes) -> Fanned:
        """Handle a message: one slice of a flight's orders, or one order.

        Raises:
            UnreadableMessageError: it is no such message; it is listed as a failure.
            StorageError: not even the queue answers; the host shall run it again.
        """
        try:
            message = FlightWakeUp.model_validate_json(unwrapped(body))
        except ValidationError:
            raise UnreadableMessageError("not a flight's wake-up of schema version 1") from None
        enter_trace(Trace.join(message.trace))
        try:
            outcome = await self._take(message)
        except (StorageError, UnavailableError) as error:
            # An outage of tables must not use up the host's few tries: the message is sent again instead.
            _log.warning("flight.storage", flight=message.flight, reason=type(error).__name__)
            outcome = await self._again(message, _STORAGE_SECONDS)
        _log.info("flight.slice", flight=message.flight, version=message.version, outcome=outcome)
        return outcome

    async def _take(self, message: FlightWakeUp) -> Fanned:
        now = self.clock.now()  # before the read: an event kept after its window must not slip in between
        kept = await self.store.read(message.flight)
        state = kept.state
        if state.version < message.version:  # promised, and not kept yet, or never
            overdue = now - message.sent_at > timedelta(seconds=self.window_seconds)
            # Whoever stood still on the way to keeping the event finds the fence, and promises anew.
            if overdue and await self.store.fence(message.flight, kept):
                return Fanned.LET_GO
            return await self._again(message, _LOOK_AGAIN_SECONDS)
        if message.order_id is not None and message.owner is not None:
            await self._bring_up(message.flight, state, message.order_id, message.owner)
            return Fanned.DONE
        orders, resume = await self.store.orders(message.flight, limit=_SLICE, resume=message.resume)
        for start in range(0, len(orders), _AT_ONCE):
            await asyncio.gather(*(self._one(message, state, order) for order in orders[start : start + _AT_ONCE]))
        if resume is None:
            return Fanned.DONE
        following = message.model_copy(update={"resume": resume, "version": state.version})
        await self.queue.send(following.body())
        return Fanned.GOES_ON

    async def _one(self, message: FlightWakeUp, state: FlightState, order: FlightOrder) -> None:
        try:
            there = await self._bring_up(message.flight, state, order.order_id, order.owner)
        except (StorageError, UnavailableError) as error:
            _log.warning("flight.orderLater", order=order.order_id, reason=type(error).__name__)
            await self.flights.wake(
                message.flight,
                state.version,
                order_id=order.order_id,
                owner=order.owner,
                delay_seconds=_LOOK_AGAIN_SECONDS,
            )
            return
        if not there:
            await self.store.drop_order(message.flight, order)

    async def _bring_up(self, flight: str, state: FlightState, order_id: str, owner: str) -> bool:
        """Bring one order up to date, and return whether it still has to do with the flight."""
        there = True

        async def make(order: Order, version: int, at: datetime) -> Order | None:
            nonlocal there
            there = on_flight(order, flight)
            return updated(order, flight, state, version=version, at=at)

        name = self.ids.new("att")
        try:
            await self.orders.change(
                customer_id=owner,
                order_id=order_id,
                expected_version=None,
                operation=Operation(name="flight_event", id=name, attempt=name, actor=_source(state)),
                reason=reason,
                make=make,
            )
        except NotFoundError:
            return False
        return there

    async def _again(self, message: FlightWakeUp, seconds: float) -> Fanned:
        await self.queue.send(message.body(), delay_seconds=seconds)
        return Fanned.LATER


def _source(state: FlightState) -> str:
    """Return who told the latest of what is known."""
    latest = max((known for known in (state.status, state.gate) if known is not None), key=lambda known: known.at)
    return latest.event.partition("/")[0]
