"""What sources of flight events may ask: take this event. And what the relay tells: this order is on that flight."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lib.changes.owned import kept_entity
from lib.changes.subjects import Snapshot
from lib.clock import Clock
from lib.errors import ConflictError, FieldProblem, InvalidError, UnavailableError
from lib.orders.flights.models import FlightEvent, FlightState, FlightWakeUp, flight_key, key_of
from lib.orders.flights.rules import on_flight, updated
from lib.orders.flights.store import FlightStore, document_of
from lib.orders.models import Order
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Queue
from lib.telemetry import current_trace, event_log

_TRIES: Final = 6
_HIDDEN_SECONDS: Final = 2.0
_AHEAD: Final = timedelta(minutes=10)

_log = event_log("flights")


class EventConflictError(ConflictError):
    """Another event was taken under this id."""

    kind = "flight-event-conflict"
    title = "Another event has this id"

    def __init__(self) -> None:
        super().__init__("The source sent another event under this id before; an event never changes.")


class EventFromTheFutureError(InvalidError):
    """The event says that it happened later than now: it would outrank every event until then."""

    kind = "flight-event-from-the-future"
    title = "The event is still to come"

    def __init__(self) -> None:
        super().__init__(
            "The event is still to come.",
            [FieldProblem("/occurredAt", "must not be in the future")],
        )


@dataclass(frozen=True, slots=True)
class FlightService:
    """The operations on flights."""

    store: FlightStore
    queue: Queue
    clock: Clock

    async def take(self, *, event: FlightEvent) -> FlightState:
        """Keep an event and return what is known of its flight after it; its orders follow within seconds.

        The message to them is promised before the event is kept, so that none is forgotten when a process dies. The
        same event again changes nothing.

        Raises:
            EventFromTheFutureError: it would outrank events that are still to come.
            EventConflictError: the source used its id for another event.
            UnavailableError: it cannot be done now; nothing was kept unless the answer of storage was lost.
        """
        if event.occurred_at > self.clock.now() + _AHEAD:
            raise EventFromTheFutureError
        for _ in range(_TRIES):
            before, kept = await asyncio.gather(self.store.taken(event), self.store.read(event.key))
            if before is not None:
                if before != document_of(event):
                    raise EventConflictError
                return kept.state
            await self._promise(event.key, kept.state.version + 1)
            try:
                state = await self.store.take(event, kept)
            except (RowExistsError, RowChangedError, OutcomeUnknownError):
                continue  # it may be there, or the promise was let go behind a fence: the next look tells
            _log.info("flight.eventTaken", flight=event.key, version=state.version)
            return state
        raise UnavailableError("The event could not be kept now; send it again.")

    async def read(self, *, flight: str, flight_date: date, departure_airport: str) -> tuple[str, FlightState]:
        """Return what a flight is called here, and what is known of it; without events, nothing."""
        key = flight_key(flight, flight_date, departure_airport)
        return key, (await self.store.read(key)).state

    async def join(self, snapshot: Snapshot) -> None:
        """Note on which flights a committed order is, and have it told what was known of them before.

        An order notes itself and then looks at the flight; an event is kept and then looks for orders. So whichever
        comes first, one of the two sees the other.
        """
        kept = kept_entity(snapshot.row)
        if kept is None:
            return
        order = Order.read(kept.document)
        for flight in dict.fromkeys(key_of(segment) for segment in order.segments):
            if not on_flight(order, flight):
                continue
            await self.store.add_order(flight, order.id, order.customer_id)
            state = (await self.store.read(flight)).state
            if state.version and updated(order, flight, state, version=order.version, at=order.updated_at) is not None:
                await self.wake(flight, state.version, order_id=order.id, owner=order.customer_id)

    async def wake(self, flight: str, version: int, *, order_id: str, owner: str, delay_seconds: float = 0) -> None:
        """Have one order brought up to date."""
        await self.queue.send(
            FlightWakeUp(
                flight=flight,
                version=version,
                order_id=order_id,
                owner=owner,
                sent_at=self.clock.now(),
                trace=current_trace().traceparent,
            ).body(),
            delay_seconds=delay_seconds,
        )

    async def _promise(self, flight: str, version: int) -> None:
        message = FlightWakeUp(
            flight=flight, version=version, sent_at=self.clock.now(), trace=current_trace().traceparent
        )
        await self.queue.send(message.body(), delay_seconds=_HIDDEN_SECONDS)


def both(
    first: Callable[[Snapshot], Awaitable[None]], second: Callable[[Snapshot], Awaitable[None]]
) -> Callable[[Snapshot], Awaitable[None]]:
    """Return one listener that tells two."""

    async def tell(snapshot: Snapshot) -> None:
        await first(snapshot)
        await second(snapshot)

    return tell
