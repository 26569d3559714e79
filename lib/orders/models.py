"""What an order is: what callers write, what is kept, and how it is read back."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field

from lib.fields import Moment, ShortText, Text, Title
from lib.money import Currency, Money
from lib.orders.items import MAXIMUM_ITEMS, MAXIMUM_PASSENGERS, Item, NewItem, Product, Segment, Service
from lib.orders.states import OrderState, is_gone, is_open
from lib.orders.words import FreeText, ItemId, PassengerId
from lib.parts import Part
from lib.preferences.models import Meal, Seat

ORDER_PREFIX: Final = "ord"
MAXIMUM_DOCUMENTS: Final = 20


class PassengerType(StrEnum):
    """Who travels, as fares know them."""

    ADULT = "adult"
    YOUTH = "youth"
    CHILD = "child"
    INFANT = "infant"


class Passenger(Part):
    """Somebody for whom the items are. Travel documents stay with the airline."""

    id: PassengerId
    type: PassengerType = PassengerType.ADULT
    title: Title | None = None
    first_name: Text | None = None
    last_name: Text
    is_customer: Annotated[
        bool, Field(strict=True, description="Whether this is the customer, whose preferences then fill in")
    ] = False


class DocumentKind(StrEnum):
    """What follows an order."""

    SHIPMENT = "shipment"
    INVOICE = "invoice"


class DocumentDetails(Part):
    """A shipment or an invoice, as whoever issues it says."""

    kind: DocumentKind
    number: Annotated[str, Field(min_length=1, max_length=40, pattern="^[A-Za-z0-9][A-Za-z0-9./-]{0,39}$")]
    issued_at: Annotated[Moment | None, Field(description="Now when left out")] = None
    item_ids: Annotated[
        tuple[ItemId, ...], Field(max_length=MAXIMUM_ITEMS, description="What it is about; all items when left out")
    ] = ()
    carrier: ShortText | None = None
    tracking_number: Annotated[str | None, Field(max_length=40, pattern="^[A-Za-z0-9-]{1,40}$")] = None
    amount: Money | None = None


class Document(DocumentDetails):
    """A shipment or an invoice as it is kept with its order."""

    added_at: Moment


class FilledIn(Part):
    """What the order left open and a preference of the customer answered, as it was then."""

    item_id: ItemId
    passenger_id: PassengerId
    field: Literal["meal", "seatRequest", "drink"]
    value: Meal | Seat | ShortText
    source: Literal["preference"] = "preference"
    preference_version: Annotated[
        int,
        Field(ge=1, json_schema_extra={"format": "int64"}, description="Of the preferences that said so"),
    ]
    filled_at: Moment


class Totals(Part):
    """The exact sums of the items that take place, in the order's currency."""

    net: Money
    taxes: Money
    gross: Money


_Passengers = Annotated[tuple[Passenger, ...], Field(max_length=MAXIMUM_PASSENGERS)]
_NewItems = Annotated[tuple[NewItem, ...], Field(min_length=1, max_length=MAXIMUM_ITEMS)]


class OrderDetails(Part):
    """What a caller orders."""

    currency: Currency
    channel: ShortText | None = None
    passengers: _Passengers = ()
    items: _NewItems
    notes: FreeText | None = None


class OrderPatch(Part):
    """Changes to an order. Lists are replaced whole; items that keep their id keep their status."""

    reason: Annotated[FreeText, Field(description="Why; kept in the change log and not in the order")]
    channel: ShortText | None = None
    passengers: _Passengers | None = None
    items: _NewItems | None = None
    notes: FreeText | None = None

    def changes(self) -> dict[str, Any]:
        """Return the patch as JSON values by their wire names: only what the caller named, without the reason."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"reason"})


class Order(Part):
    """An order as it is kept. `version` counts changes from 1."""

    id: Annotated[str, Field(max_length=30, examples=["ord_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    state: OrderState
    currency: Currency
    channel: ShortText | None = None
    passengers: _Passengers = ()
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=MAXIMUM_ITEMS)]
    notes: FreeText | None = None
    totals: Totals
    filled_in: Annotated[tuple[FilledIn, ...], Field(max_length=3 * MAXIMUM_ITEMS)] = ()
    documents: Annotated[tuple[Document, ...], Field(max_length=MAXIMUM_DOCUMENTS)] = ()
    placed_at: Moment
    updated_at: Moment
    closed_at: Moment | None = None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The flight segments, in the order they were booked."""
        return tuple(item for item in self.items if isinstance(item, Segment))

    @property
    def open_items(self) -> tuple[str, ...]:
        """The ids of the items with which something still has to happen."""
        return tuple(item.id for item in self.items if is_open(item.status))

    def item(self, item_id: str) -> Item | None:
        """Return the item of this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    def starts(self) -> tuple[datetime, ...]:
        """Return when something of it begins, soonest first: departures, services, deliveries."""
        moments = (one.departs_at if isinstance(one, Segment) else _due(one) for one in self._taking_place())
        return tuple(sorted({moment for moment in moments if moment is not None}))

    def ends(self) -> tuple[datetime, ...]:
        """Return when something of it is over, soonest first; a closed order is over since it was closed."""
        if self.closed_at is not None:
            return (self.closed_at,)
        moments = (one.arrives_at if isinstance(one, Segment) else _due(one) for one in self._taking_place())
        return tuple(sorted({moment for moment in moments if moment is not None}))

    def _taking_place(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not is_gone(item.status))

    def json_text(self) -> str:
        """Return the order as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    def json_values(self) -> dict[str, Any]:
        """Return the order as JSON values by their wire names, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def read(cls, document: str) -> Self:
        """Return the order that a kept document is."""
        return cls.model_validate_json(document)


def _due(item: Item) -> datetime | None:
    match item:
        case Service():
            return item.scheduled_at
        case Product():
            return item.expected_at
        case _:
            return None


class OrderSummary(Part):
    """An order as lists show it."""

    id: Annotated[str, Field(max_length=30, examples=["ord_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    state: OrderState
    placed_at: Moment
    updated_at: Moment
    starts_at: Annotated[Moment | None, Field(description="When the first of it begins")] = None
    ends_at: Annotated[Moment | None, Field(description="When the last of it is over")] = None
    gross: Money
    item_count: Annotated[int, Field(ge=1, json_schema_extra={"format": "int32"})]
    route: Annotated[str | None, Field(max_length=400, description="Its flights", examples=["LHR-JFK, JFK-LHR"])] = None

    @classmethod
    def of(cls, order: Order) -> Self:
        """Return how lists show an order."""
        starts, ends = order.starts(), order.ends()
        legs = [f"{one.departure_airport}-{one.arrival_airport}" for one in order.segments if not is_gone(one.status)]
        return cls(
            id=order.id,
            version=order.version,
            state=order.state,
            placed_at=order.placed_at,
            updated_at=order.updated_at,
            starts_at=starts[0] if starts else None,
            ends_at=ends[-1] if ends else None,
            gross=order.totals.gross,
            item_count=len(order.items),
            route=", ".join(legs) or None,
        )
