"""What an order leaves open and the customer's preferences answer: filled in once, and kept with where it came from."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from lib.orders.items import Segment, Traveller
from lib.orders.models import FilledIn, Order
from lib.preferences.models import PreferenceKind, Preferences

_ANSWERS: Final[dict[str, PreferenceKind]] = {
    "meal": PreferenceKind.MEAL,
    "seat_request": PreferenceKind.SEAT,
    "drink": PreferenceKind.DRINK,
}
_ON_THE_WIRE: Final = {"meal": "meal", "seat_request": "seatRequest", "drink": "drink"}


def filled(order: Order, preferences: Preferences, *, at: datetime, kept_items: Collection[str] = ()) -> Order:
    """Return the order with what it leaves open filled in, for the passenger who is the customer.

    Only items that were not there before are filled in: what somebody emptied later stays empty. The order keeps its
    own copy of each answer, so a preference that changes later does not change the order.
    """
    own = {passenger.id for passenger in order.passengers if passenger.is_customer}
    made: list[FilledIn] = []
    items = [
        _filled_segment(item, own, preferences, at, made)
        if isinstance(item, Segment) and item.id not in kept_items
        else item
        for item in order.items
    ]
    if not made:
        return order
    return order.model_copy(update={"items": tuple(items), "filled_in": (*order.filled_in, *made)})


def _filled_segment(
    segment: Segment, own: Collection[str], preferences: Preferences, at: datetime, made: list[FilledIn]
) -> Segment:
    travellers = tuple(
        _filled_traveller(segment.id, traveller, preferences, at, made) if traveller.passenger_id in own else traveller
        for traveller in segment.travellers
    )
    return segment.model_copy(update={"travellers": travellers})


def _filled_traveller(
    item_id: str, traveller: Traveller, preferences: Preferences, at: datetime, made: list[FilledIn]
) -> Traveller:
    updates: dict[str, Any] = {}
    for name, kind in _ANSWERS.items():
        value, statement = getattr(preferences, kind.value), preferences.statements.of(kind)
        answered = getattr(traveller, name) is not None or (name == "seat_request" and traveller.seat is not None)
        if answered or value is None or statement is None:
            continue
        updates[name] = value
        made.append(
            FilledIn.model_validate(
                {
                    "item_id": item_id,
                    "passenger_id": traveller.passenger_id,
                    "field": _ON_THE_WIRE[name],
                    "value": value,
                    "preference_version": statement.version,
                    "filled_at": at,
                }
            )
        )
    return traveller.model_copy(update=updates)
