"""What orders and their items can be, and from where to where they may go: one table each."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    IN_FULFILMENT = "inFulfilment"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


ORDER_MOVES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    OrderState.PLACED: frozenset({OrderState.CONFIRMED, OrderState.CANCELLED}),
    OrderState.CONFIRMED: frozenset({OrderState.IN_FULFILMENT, OrderState.CANCELLED}),
    OrderState.IN_FULFILMENT: frozenset({OrderState.FULFILLED, OrderState.CANCELLED}),
    OrderState.FULFILLED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}
CUSTOMER_MAY_CANCEL: Final = frozenset({OrderState.PLACED, OrderState.CONFIRMED})
"""Where customers may cancel by themselves; once fulfilment has begun only staff may."""
CLOSED: Final = frozenset({OrderState.FULFILLED, OrderState.CANCELLED})


class ItemKind(StrEnum):
    """What an item is."""

    PRODUCT = "product"
    SERVICE = "service"
    FLIGHT_SEGMENT = "flightSegment"
    ANCILLARY = "ancillary"
    RETAIL_PURCHASE = "retailPurchase"


class ProductStatus(StrEnum):
    """Where a widget or doohickey is."""

    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class ServiceStatus(StrEnum):
    """Where a McGuffin service stands."""

    BOOKED = "booked"
    PERFORMED = "performed"
    SERVICE_DISRUPTION = "serviceDisruption"
    CANCELLED = "cancelled"


class FlightStatus(StrEnum):
    """How a flight segment goes."""

    ON_TIME = "onTime"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    NO_SHOW = "noShow"
    REBOOKED = "rebooked"
    FLOWN = "flown"


class AncillaryStatus(StrEnum):
    """Whether what was booked beside a flight was rendered."""

    BOOKED = "booked"
    FULFILLED = "fulfilled"
    SERVICE_DISRUPTION = "serviceDisruption"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class RetailStatus(StrEnum):
    """What became of something bought on board."""

    PURCHASED = "purchased"
    REFUNDED = "refunded"


def _moves(**rows: str) -> Mapping[str, frozenset[str]]:
    return {status: frozenset(targets.split()) for status, targets in rows.items()}


# The first row of each is where an item begins. A status that may follow itself takes new details (a longer delay).
ITEM_MOVES: Final[Mapping[ItemKind, Mapping[str, frozenset[str]]]] = {
    ItemKind.PRODUCT: _moves(
        ordered="shipped delivered cancelled",
        shipped="delivered returned",
        delivered="returned",
        returned="",
        cancelled="",
    ),
    ItemKind.SERVICE: _moves(
        booked="performed serviceDisruption cancelled",
        serviceDisruption="performed cancelled",
        performed="",
        cancelled="",
    ),
    ItemKind.FLIGHT_SEGMENT: _moves(
        onTime="onTime delayed cancelled noShow rebooked flown",
        delayed="onTime delayed cancelled noShow rebooked flown",
        cancelled="onTime delayed rebooked",
        noShow="rebooked",
        rebooked="",
        flown="",
    ),
    ItemKind.ANCILLARY: _moves(
        booked="fulfilled serviceDisruption cancelled",
        serviceDisruption="fulfilled refunded cancelled",
        fulfilled="",
        refunded="",
        cancelled="refunded",
    ),
    ItemKind.RETAIL_PURCHASE: _moves(purchased="refunded", refunded=""),
}
_OPEN: Final = frozenset({"ordered", "shipped", "booked", "onTime", "delayed"})
"""What still has to happen before an order is fulfilled."""
_GONE: Final = frozenset({"cancelled", "rebooked", "refunded", "returned"})
"""What will not take place."""


def first_status(kind: ItemKind) -> str:
    """Return the status in which an item of this kind begins."""
    return next(iter(ITEM_MOVES[kind]))


def may_move(kind: ItemKind, before: str, after: str) -> bool:
    """Tell whether an item of this kind may go from one status to the other."""
    return after in ITEM_MOVES[kind][before]


def is_open(status: str) -> bool:
    """Tell whether something still has to happen with an item in this status."""
    return status in _OPEN


def is_gone(status: str) -> bool:
    """Tell whether an item in this status will not take place."""
    return status in _GONE
