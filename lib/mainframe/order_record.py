"""Write an order as the mainframe's record: our words on the left, the copybook's on the right."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from lib.mainframe.errors import UnfitError
from lib.mainframe.items import Group, Number
from lib.mainframe.layouts import ORDER_LAYOUT
from lib.mainframe.pen import Pen, WrittenRecord, member, widths
from lib.mainframe.text import TOO_LONG

_IDENTIFIERS: Final = {
    "customerId": "CUSTOMER-ID",
    "state": "STATE",
    "currency": "CURRENCY",
    "placedAt": "PLACED-AT",
    "closedAt": "CLOSED-AT",
    "updatedAt": "UPDATED-AT",
}
_NAMES: Final = {"channel": "CHANNEL"}
_TOTALS: Final = {"net": "NET-AMOUNT", "taxes": "TAX-AMOUNT", "gross": "GROSS-AMOUNT"}
_PASSENGER_IDENTIFIERS: Final = {"id": "PASSENGER-ID", "type": "PASSENGER-TYPE"}
_PASSENGER_NAMES: Final = {"lastName": "LAST-NAME", "firstName": "FIRST-NAME"}
_ITEM_IDENTIFIERS: Final = {
    "id": "ITEM-ID",
    "kind": "KIND",
    "status": "STATUS",
    "flight": "FLIGHT",
    "flightDate": "FLIGHT-DATE",
    "departureAirport": "DEPARTURE-AIRPORT",
    "arrivalAirport": "ARRIVAL-AIRPORT",
    "bookingReference": "BOOKING-REFERENCE",
    "cabinClass": "CABIN-CLASS",
    "bookingClass": "BOOKING-CLASS",
    "gate": "GATE",
}
_PRICES: Final = {"unitPrice": "UNIT-PRICE", "taxes": "TAXES"}
_CODES: Final = ("sku", "serviceCode", "ancillaryType")
_TRAVELLER_IDENTIFIERS: Final = {"passengerId": "PASSENGER-ID", "ticketNumber": "TICKET-NUMBER", "seat": "SEAT"}
_GONE: Final = frozenset({"cancelled", "rebooked", "refunded", "returned"})

_ROOT: Final = ORDER_LAYOUT.root
_WIDTHS: Final = widths(_ROOT)
_PASSENGERS: Final = cast("Group", member(_ROOT, "PASSENGERS"))
_PASSENGER_WIDTHS: Final = widths(_PASSENGERS)
_ITEMS: Final = cast("Group", member(_ROOT, "ITEMS"))
_ITEM_WIDTHS: Final = widths(_ITEMS)
_TRAVELLERS: Final = cast("Group", member(_ITEMS, "TRAVELLERS"))
_TRAVELLER_WIDTHS: Final = widths(_TRAVELLERS)
_BAG_TAG: Final = member(_TRAVELLERS, "BAG-TAG")


def write_order(order: Mapping[str, Any]) -> WrittenRecord:
    """Return the order record that holds an order in its public JSON shape; what is missing is blank or zero.

    Of what does not fit, the items that take place go before those that do not, and the rest is flagged.

    Raises:
        UnfitError: an identifier or an amount does not fit, or nothing of a name can be written; names the field.
    """
    pen = Pen()
    values = pen.write(order, "", _WIDTHS, names=_NAMES, identifiers=_IDENTIFIERS)
    totals: Mapping[str, Any] = order.get("totals") or {}
    values |= _amounts(_ROOT, totals, "/totals", _TOTALS)
    passengers: Sequence[Mapping[str, Any]] = order.get("passengers") or ()
    values["PASSENGER-COUNT"] = len(passengers)
    values["PASSENGERS"] = [
        pen.write(
            passenger,
            f"/passengers/{number}",
            _PASSENGER_WIDTHS,
            names=_PASSENGER_NAMES,
            identifiers=_PASSENGER_IDENTIFIERS,
        )
        for number, passenger in enumerate(pen.as_many_as_fit(passengers, _PASSENGERS, "/passengers"))
    ]
    items: Sequence[Mapping[str, Any]] = order.get("items") or ()
    values["ITEM-COUNT"] = len(items)
    values["ITEMS"] = _items(pen, items)
    values["ALTERED"] = "Y" if pen.altered else ""
    return WrittenRecord(ORDER_LAYOUT.encode(values), tuple(pen.altered))


def _items(pen: Pen, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    numbered = sorted(enumerate(items), key=lambda entry: entry[1].get("status") in _GONE)
    chosen = pen.as_many_as_fit(numbered, _ITEMS, "/items")
    return [_item(pen, item, f"/items/{number}") for number, item in sorted(chosen, key=lambda entry: entry[0])]


def _item(pen: Pen, item: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    values = pen.write(item, pointer, _ITEM_WIDTHS, names={}, identifiers=_ITEM_IDENTIFIERS)
    word = next((word for word in _CODES if item.get(word)), None)
    values["CODE"] = pen.name(item[word], _ITEM_WIDTHS["CODE"], f"{pointer}/{word}") if word else ""
    values["QUANTITY"] = int(item.get("quantity", 1))
    values |= _amounts(_ITEMS, item, pointer, _PRICES)
    details: Mapping[str, Any] = item.get("statusDetails") or {}
    values["DEPARTS-AT"] = details.get("estimatedDeparture") or item.get("scheduledDeparture") or ""
    values["ARRIVES-AT"] = details.get("estimatedArrival") or item.get("scheduledArrival") or ""
    values["REBOOKED-TO"] = details.get("rebookedTo") or ""
    travellers = pen.as_many_as_fit(item.get("travellers") or (), _TRAVELLERS, f"{pointer}/travellers")
    values["TRAVELLERS"] = [
        _traveller(pen, traveller, f"{pointer}/travellers/{number}") for number, traveller in enumerate(travellers)
    ]
    return values


def _traveller(pen: Pen, traveller: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    values = pen.write(traveller, pointer, _TRAVELLER_WIDTHS, names={}, identifiers=_TRAVELLER_IDENTIFIERS)
    values["MEAL-CODE"] = (traveller.get("meal") or {}).get("code", "")
    values["BAG-TAG"] = list(pen.as_many_as_fit(traveller.get("bagTags") or (), _BAG_TAG, f"{pointer}/bagTags"))
    return values


def _amounts(group: Group, source: Mapping[str, Any], pointer: str, names: Mapping[str, str]) -> dict[str, Decimal]:
    values: dict[str, Decimal] = {}
    for word, name in names.items():
        amount = Decimal((source.get(word) or {}).get("amount", "0"))
        number = cast("Number", member(group, name))
        if amount >= 10 ** (number.digits - number.scale):
            raise UnfitError(TOO_LONG, f"{pointer}/{word}", "more than the mainframe's digits hold")
        values[name] = amount
    return values
