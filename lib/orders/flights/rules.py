"""What knowledge of a flight makes of an order with a segment on it. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from lib.clock import rfc3339
from lib.orders.flights.models import FlightState, GateKnown, StatusKnown, key_of, rank
from lib.orders.items import Segment
from lib.orders.models import Order
from lib.orders.rules import built
from lib.orders.states import CLOSED, is_gone, may_move

_MINUTE: Final = timedelta(minutes=1)


def on_flight(order: Order, key: str) -> bool:
    """Tell whether an order still has to do with a flight."""
    return order.state not in CLOSED and any(
        key_of(segment) == key and segment.status != "rebooked" for segment in order.segments
    )


def updated(order: Order, key: str, state: FlightState, *, version: int, at: datetime) -> Order | None:
    """Return the order after what is known of a flight, or None when that is nothing new to it.

    Of each segment, only what is newer than the order's own knowledge counts, and only moves that the table of statuses
    allows: who was rebooked or missed the flight stays so.
    """
    if order.state in CLOSED:
        return None
    values = order.json_values()
    changed = False
    for segment, item in zip(order.items, values["items"], strict=True):
        if isinstance(segment, Segment) and key_of(segment) == key:
            changes = _changes(segment, state)
            changed = changed or bool(changes)
            for name, value in changes.items():
                if value is None:
                    item.pop(name, None)
                else:
                    item[name] = value
    return built(values, version=version, at=at) if changed else None


def reason(before: Order, after: Order) -> str:
    """Return which events changed an order, for its change log."""
    told: dict[str, None] = {}
    for segment in after.segments:
        old = before.item(segment.id)
        for known, kept in (
            (segment.status_known, getattr(old, "status_known", None)),
            (segment.gate_known, getattr(old, "gate_known", None)),
        ):
            if known is not None and known.event is not None and known != kept:
                told[known.event] = None
    return f"flight event {', '.join(told)}"


def _changes(segment: Segment, state: FlightState) -> dict[str, Any]:
    status, gate = state.status, state.gate
    changes: dict[str, Any] = {}
    if (
        status is not None
        and rank(status) > rank(segment.status_known)
        and may_move(segment.kind, segment.status, status.status)
    ):
        changes |= {
            "status": status.status.value,
            "statusDetails": _details(segment, status) or None,
            "statusKnown": {"at": rfc3339(status.at), "event": status.event},
        }
    if gate is not None and rank(gate) > rank(segment.gate_known) and not is_gone(segment.status):
        changes |= _gate(gate)
    return changes


def _details(segment: Segment, known: StatusKnown) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if known.estimated_departure is not None:
        details["estimatedDeparture"] = rfc3339(known.estimated_departure)
        late = (known.estimated_departure - segment.scheduled_departure) // _MINUTE
        details["delayMinutes"] = known.delay_minutes if known.delay_minutes is not None else min(max(0, late), 20_000)
    elif known.delay_minutes is not None:
        details["delayMinutes"] = known.delay_minutes
    if known.estimated_arrival is not None:
        details["estimatedArrival"] = rfc3339(known.estimated_arrival)
    if known.reason is not None:
        details["reason"] = known.reason
    return details


def _gate(known: GateKnown) -> dict[str, Any]:
    told = {name: value for name, value in (("gate", known.gate), ("terminal", known.terminal)) if value is not None}
    return {**told, "gateKnown": {"at": rfc3339(known.at), "event": known.event}}
