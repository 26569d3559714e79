"""What we decide about orders: what is a valid one, what a change makes of it, and what it adds up to. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from lib.clock import rfc3339
from lib.errors import ConflictError, FieldProblem, InvalidError
from lib.merging import merged
from lib.money import Money, total
from lib.orders.items import Segment
from lib.orders.models import FilledIn, Order, OrderDetails, OrderPatch, Totals
from lib.orders.states import CLOSED, ITEM_MOVES, ORDER_MOVES, ItemKind, OrderState, first_status, is_gone
from lib.validation import problems_of

# Where a segment with another flight is another segment: nothing that was known of the one is known of the other.
_FLIGHT: Final = ("flight", "flightDate", "departureAirport")
_WHOLE_DIGITS: Final = 12
_OF_STATUS: Final = ("status", "statusDetails", "statusKnown", "gateKnown")


class OrderInvalidError(InvalidError):
    """What was sent would not make a valid order."""

    kind = "order-invalid"
    title = "Not a valid order"


class OrderMoveError(ConflictError):
    """The order cannot go from where it stands to where it was asked to."""

    kind = "order-move-not-allowed"
    title = "The order cannot go there"

    def __init__(self, before: OrderState, after: OrderState) -> None:
        allowed = ", ".join(sorted(ORDER_MOVES[before])) or "nowhere"
        super().__init__(f"An order that is {before} cannot become {after}; from here it may go: {allowed}.")


class OrderClosedError(ConflictError):
    """The order is over; it does not change any more."""

    kind = "order-closed"
    title = "The order is closed"

    def __init__(self, state: OrderState) -> None:
        super().__init__(f"The order is {state} and does not change any more.")


class ItemsOpenError(ConflictError):
    """Something still has to happen before the order is fulfilled."""

    kind = "order-items-open"
    title = "Items are open"

    def __init__(self, item_ids: Sequence[str]) -> None:
        super().__init__(f"Something still has to happen with: {', '.join(item_ids)}.")


class ItemInUseError(ConflictError):
    """An item that something happened to cannot be taken from its order."""

    kind = "order-item-in-use"
    title = "The item cannot be removed"

    def __init__(self, item_id: str) -> None:
        super().__init__(f"Something happened to item {item_id} already; change its status instead of removing it.")


def placed(details: OrderDetails, *, order_id: str, customer_id: str, at: datetime) -> Order:
    """Return the order that details make.

    Raises:
        OrderInvalidError: they contradict themselves; pointers are into the details.
    """
    values = details.model_dump(mode="json", by_alias=True, exclude_none=True)
    values["items"] = kept_items(values["items"], ())
    values |= {
        "id": order_id,
        "customerId": customer_id,
        "version": 1,
        "state": OrderState.PLACED,
        "placedAt": rfc3339(at),
    }
    return built(values, version=1, at=at)


def amended(order: Order, patch: OrderPatch, *, version: int, at: datetime) -> Order:
    """Return the order that a merge patch makes of one.

    Raises:
        OrderClosedError: it is over.
        ItemInUseError: an item would be lost to which something happened.
        OrderInvalidError: the result contradicts itself; pointers are into the patched order.
    """
    check_open(order)
    kept = order.json_values()
    changes = patch.changes()
    if changes.get("items"):
        changes["items"] = kept_items(changes["items"], kept["items"])
        left = {item["id"] for item in changes["items"]}
        for item in order.items:
            if item.id not in left and item.status != first_status(item.kind):
                raise ItemInUseError(item.id)
    return built(merged(kept, changes), version=version, at=at)


def built(values: Mapping[str, Any], *, version: int, at: datetime) -> Order:
    """Return the order that these values are, with its sums reckoned and what it says checked against itself.

    Raises:
        OrderInvalidError: they are no valid order.
    """
    items: Sequence[Mapping[str, Any]] = values.get("items") or ()
    _refuse(_money_problems(items, str(values.get("currency", ""))))
    draft = {
        **values,
        "version": version,
        "updatedAt": rfc3339(at),
        "totals": _totals(items, str(values["currency"])).model_dump(mode="json", by_alias=True),
    }
    try:
        order = Order.model_validate(draft)
    except ValidationError as error:
        raise OrderInvalidError("This would not be a valid order.", problems_of(error)) from None
    _refuse(_link_problems(order))
    return order.model_copy(update={"filled_in": _still_filled(order)})


def check_open(order: Order) -> None:
    """Refuse to change an order that is over.

    Raises:
        OrderClosedError: it is.
    """
    if order.state in CLOSED:
        raise OrderClosedError(order.state)


def moved(order: Order, state: OrderState, *, version: int, at: datetime) -> Order:
    """Return the order in another state. Cancelling it cancels what can still be cancelled of it.

    Raises:
        OrderMoveError: it cannot go there from here.
        ItemsOpenError: it cannot be fulfilled while something still has to happen.
    """
    if state not in ORDER_MOVES[order.state]:
        raise OrderMoveError(order.state, state)
    if state is OrderState.FULFILLED and order.open_items:
        raise ItemsOpenError(order.open_items)
    values: dict[str, Any] = {**order.json_values(), "state": state}
    if state in CLOSED:
        values["closedAt"] = rfc3339(at)
    if state is OrderState.CANCELLED:
        values["items"] = [_cancelled(item, at) for item in values["items"]]
    return built(values, version=version, at=at)


def _cancelled(item: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
    if "cancelled" not in ITEM_MOVES[ItemKind(item["kind"])][item["status"]]:
        return item
    known = {"statusKnown": {"at": rfc3339(at)}} if item["kind"] == ItemKind.FLIGHT_SEGMENT else {}
    return {**item, "status": "cancelled", **known}


def kept_items(
    written: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[str, Any]], *, taken: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return written items as they are kept: with ids, and with the status of the kept ones that they stand for."""
    before = {item["id"]: item for item in kept}
    names = {*taken, *before, *(item["id"] for item in written if "id" in item)}
    free = (name for number in range(1, 1000) if (name := f"item-{number}") not in names)
    items: list[dict[str, Any]] = []
    for item in written:
        item_id = item["id"] if "id" in item else next(free)
        old = before.get(item_id)
        if old is not None and all(old.get(name) == item.get(name) for name in ("kind", *_FLIGHT)):
            status = {name: old[name] for name in _OF_STATUS if name in old}
        else:
            status = {"status": first_status(ItemKind(item["kind"]))}
        items.append({**item, **status, "id": item_id})
    return items


def _refuse(problems: Sequence[FieldProblem]) -> None:
    if problems:
        raise OrderInvalidError("The order contradicts itself; errors says where.", tuple(problems))


def _money_problems(items: Sequence[Mapping[str, Any]], currency: str) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    for number, item in enumerate(items):
        for name in ("unitPrice", "taxes"):
            money = item.get(name)
            if money is not None and money["currency"] != currency:
                problems.append(FieldProblem(f"/items/{number}/{name}/currency", "must be the currency of the order"))
            if money is not None and len(money["amount"].partition(".")[0]) > _WHOLE_DIGITS:
                problems.append(FieldProblem(f"/items/{number}/{name}/amount", "is more than anything costs"))
    return problems


def _totals(items: Sequence[Mapping[str, Any]], currency: str) -> Totals:
    there = [item for item in items if not is_gone(str(item.get("status", "")))]
    net = total((_value(item, "unitPrice") * int(item.get("quantity", 1)) for item in there), currency)
    taxes = total((_value(item, "taxes") for item in there), currency)
    return Totals(net=net, taxes=taxes, gross=total((net.value, taxes.value), currency))


def _value(item: Mapping[str, Any], name: str) -> Decimal:
    money = item.get(name)
    return Money.model_validate(money).value if money else Decimal(0)


def _link_problems(order: Order) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    _once("/passengers", [passenger.id for passenger in order.passengers], problems)
    _once("/items", [item.id for item in order.items], problems)
    if sum(passenger.is_customer for passenger in order.passengers) > 1:
        problems.append(FieldProblem("/passengers", "at most one may be the customer"))
    passengers = {passenger.id for passenger in order.passengers}
    segments = {segment.id for segment in order.segments}
    for number, item in enumerate(order.items):
        if isinstance(item, Segment):
            names = [(f"travellers/{place}/passengerId", one.passenger_id) for place, one in enumerate(item.travellers)]
        else:
            given: Sequence[str] = getattr(item, "passenger_ids", ())
            names = [(f"passengerIds/{place}", one) for place, one in enumerate(given)]
        _unknown(f"/items/{number}", names, passengers, "must be one of the passengers", problems)
        segment_id: str | None = getattr(item, "segment_id", None)
        links = [("segmentId", segment_id)] if segment_id is not None else []
        _unknown(f"/items/{number}", links, segments, "must be one of the flight segments", problems)
    for number, document in enumerate(order.documents):
        links = [(f"itemIds/{place}", one) for place, one in enumerate(document.item_ids)]
        ids = {item.id for item in order.items}
        _unknown(f"/documents/{number}", links, ids, "must be one of the items", problems)
    return problems


def _once(pointer: str, ids: Sequence[str], problems: list[FieldProblem]) -> None:
    if len(set(ids)) != len(ids):
        problems.append(FieldProblem(pointer, "must not name the same id twice"))


def _unknown(
    pointer: str,
    names: Sequence[tuple[str, str]],
    known: set[str],
    problem: str,
    problems: list[FieldProblem],
) -> None:
    problems.extend(FieldProblem(f"{pointer}/{place}", problem) for place, name in names if name not in known)


def _still_filled(order: Order) -> tuple[FilledIn, ...]:
    """Return what preferences filled in and nobody has changed since."""
    values = {
        (segment.id, traveller.passenger_id): traveller
        for segment in order.segments
        for traveller in segment.travellers
    }
    return tuple(
        filled
        for filled in order.filled_in
        if (traveller := values.get((filled.item_id, filled.passenger_id))) is not None
        and _FILLED[filled.field](traveller) == filled.value
    )


_FILLED: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "meal": lambda traveller: traveller.meal,
    "seatRequest": lambda traveller: traveller.seat_request,
    "drink": lambda traveller: traveller.drink,
}
