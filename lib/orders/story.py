"""What the timeline tells of a change to an order: one entry a version, in words for people. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from lib.orders.items import Item, Segment
from lib.orders.models import Order
from lib.orders.states import FlightStatus, OrderState
from lib.timeline.entries import TimelineEntry, TimelineType

_KINDS: Final[Mapping[OrderState, str]] = {
    OrderState.PLACED: "placed",
    OrderState.CONFIRMED: "confirmed",
    OrderState.IN_FULFILMENT: "fulfilmentBegun",
    OrderState.FULFILLED: "fulfilled",
    OrderState.CANCELLED: "cancelled",
}
_STATES: Final[Mapping[OrderState, str]] = {
    OrderState.PLACED: "Order placed",
    OrderState.CONFIRMED: "Order confirmed",
    OrderState.IN_FULFILMENT: "Fulfilment of the order begun",
    OrderState.FULFILLED: "Order fulfilled",
    OrderState.CANCELLED: "Order cancelled",
}
_FLIGHTS: Final[Mapping[FlightStatus, tuple[str, str]]] = {
    FlightStatus.ON_TIME: ("flightOnTime", "is on time"),
    FlightStatus.DELAYED: ("flightDelayed", "is delayed"),
    FlightStatus.CANCELLED: ("flightCancelled", "is cancelled"),
    FlightStatus.NO_SHOW: ("flightNoShow", "left without the passenger"),
    FlightStatus.REBOOKED: ("flightRebooked", "is rebooked"),
    FlightStatus.FLOWN: ("flightFlown", "was flown"),
}


def told(before: Order | None, after: Order, *, actor: str) -> TimelineEntry:
    """Return the timeline entry of a version of an order. What an event told late stands where it happened."""
    kind, summary, happened_at = _what(before, after)
    return TimelineEntry(
        id=f"{after.id}.{after.version}",
        type=TimelineType.ORDER,
        kind=kind,
        happened_at=happened_at or after.updated_at,
        recorded_at=after.updated_at,
        summary=summary,
        actor=actor,
        reference=after.id,
        sequence=after.version,
    )


def _what(before: Order | None, after: Order) -> tuple[str, str, datetime | None]:
    if before is None or before.state is not after.state:
        return _KINDS[after.state], f"{_STATES[after.state]}, {_count(after)}", None
    for item in after.items:
        old = before.item(item.id)
        if old is not None and (old.status, old.status_details) != (item.status, item.status_details):
            return _moved(item, after)
    if len(after.documents) > len(before.documents):
        document = after.documents[-1]
        return f"{document.kind}Added", f"{document.kind.capitalize()} {document.number} added to the order", None
    for segment in after.segments:
        old = before.item(segment.id)
        if isinstance(old, Segment) and segment.gate_known != old.gate_known:
            words = f"Flight {segment.flight} leaves from gate {segment.gate or 'to be announced'}"
            return "gateChanged", words, segment.gate_known.at if segment.gate_known else None
    return "changed", f"Order changed, {_count(after)}", None


def _moved(item: Item, order: Order) -> tuple[str, str, datetime | None]:
    if not isinstance(item, Segment):
        return "itemChanged", f"{item.name or item.kind.value} is {item.status.value}", None
    kind, words = _FLIGHTS[item.status]
    text = f"Flight {item.flight} from {item.departure_airport} to {item.arrival_airport} {words}"
    details = item.status_details
    if item.status is FlightStatus.DELAYED:
        text += f", leaves at {item.departs_at:%Y-%m-%d %H:%M} UTC"
    if details is not None and details.rebooked_to is not None:
        instead = order.item(details.rebooked_to)
        text += f" to {instead.flight}" if isinstance(instead, Segment) else ""
    return kind, text, item.status_known.at if item.status_known else None


def _count(order: Order) -> str:
    return "1 item" if len(order.items) == 1 else f"{len(order.items)} items"
