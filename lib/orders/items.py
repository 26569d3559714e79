"""What an order holds: one model per kind of item, as callers write it and as it is kept with its status."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lib.fields import Date, Moment, ShortText
from lib.money import Money
from lib.orders.states import AncillaryStatus, FlightStatus, ItemKind, ProductStatus, RetailStatus, ServiceStatus
from lib.orders.travel import (
    Airport,
    BagTagNumber,
    BookingClass,
    BookingReference,
    Designator,
    Gate,
    Seat,
    Terminal,
    TicketNumber,
)
from lib.orders.words import FreeText, ItemId, PassengerId, Plain, Quantity
from lib.parts import Part
from lib.preferences import models as preferences

MAXIMUM_ITEMS: Final = 30
MAXIMUM_PASSENGERS: Final = 20
_NEXT_DAY: Final = timedelta(days=1)
_LONGEST_FLIGHT: Final = timedelta(hours=48)
_LATEST_DEPARTURE: Final = datetime.max.replace(tzinfo=UTC) - _LONGEST_FLIGHT


class CabinClass(StrEnum):
    """The class of service that was bought."""

    ECONOMY = "economy"
    PREMIUM_ECONOMY = "premiumEconomy"
    BUSINESS = "business"
    FIRST = "first"


class ProductFamily(StrEnum):
    """What Iommi trades in."""

    WIDGET = "widget"
    DOOHICKEY = "doohickey"


class _Priced(Part):
    name: Plain | None = None
    unit_price: Money | None = None
    taxes: Annotated[Money | None, Field(description="For the whole item")] = None


class _ForPassengers(_Priced):
    passenger_ids: Annotated[tuple[PassengerId, ...], Field(max_length=MAXIMUM_PASSENGERS)] = ()


class _Product(_Priced):
    kind: Literal[ItemKind.PRODUCT]
    family: ProductFamily
    sku: Annotated[str, Field(min_length=1, max_length=40, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    quantity: Quantity = 1
    expected_at: Annotated[Moment | None, Field(description="When it shall be there")] = None


class _Service(_ForPassengers):
    """A McGuffin service."""

    kind: Literal[ItemKind.SERVICE]
    service_code: Annotated[str, Field(min_length=1, max_length=40, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    quantity: Quantity = 1
    scheduled_at: Moment | None = None


class Traveller(Part):
    """One passenger on one flight. What is left open here is filled in from the customer's preferences."""

    passenger_id: PassengerId
    ticket_number: TicketNumber | None = None
    seat: Seat | None = None
    seat_request: preferences.Seat | None = None
    meal: preferences.Meal | None = None
    drink: ShortText | None = None
    bag_tags: Annotated[tuple[BagTagNumber, ...], Field(max_length=6)] = ()


class FlightSegment(_Priced):
    """A flight between two airports, for some of the passengers."""

    kind: Literal[ItemKind.FLIGHT_SEGMENT]
    booking_reference: BookingReference | None = None
    flight: Designator
    flight_date: Annotated[Date, Field(description="The local date of departure, as on the ticket")]
    departure_airport: Airport
    arrival_airport: Airport
    scheduled_departure: Moment
    scheduled_arrival: Moment
    cabin_class: CabinClass | None = None
    booking_class: BookingClass | None = None
    gate: Gate | None = None
    terminal: Terminal | None = None
    travellers: Annotated[tuple[Traveller, ...], Field(max_length=MAXIMUM_PASSENGERS)] = ()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.departure_airport == self.arrival_airport:
            raise ValueError("arrivalAirport must not be the departureAirport")
        if self.scheduled_arrival <= self.scheduled_departure:
            raise ValueError("scheduledArrival must be after scheduledDeparture")
        if self.scheduled_arrival - self.scheduled_departure > _LONGEST_FLIGHT:
            raise ValueError("scheduledArrival must be within 48 hours of scheduledDeparture")
        if not _near(self.flight_date, self.scheduled_departure):
            raise ValueError("flightDate must be the local date of scheduledDeparture")
        if len({traveller.passenger_id for traveller in self.travellers}) != len(self.travellers):
            raise ValueError("travellers must not name a passenger twice")
        return self


class _Ancillary(_ForPassengers):
    """What is booked beside a flight: baggage, lounge, transfer."""

    kind: Literal[ItemKind.ANCILLARY]
    ancillary_type: ShortText
    segment_id: Annotated[ItemId | None, Field(description="The flight segment it belongs to")] = None
    attributes: Annotated[dict[ShortText, Plain] | None, Field(max_length=10)] = None


class _RetailPurchase(_ForPassengers):
    """Something bought on board or in a shop."""

    kind: Literal[ItemKind.RETAIL_PURCHASE]
    sku: Annotated[str, Field(min_length=1, max_length=40, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    quantity: Quantity = 1
    purchased_at: Moment | None = None
    segment_id: Annotated[ItemId | None, Field(description="The flight segment on which it was bought")] = None


class _New(Part):
    id: Annotated[ItemId | None, Field(description="Unique in its order; given when left out")] = None


class NewProduct(_Product, _New):
    """Widgets or doohickeys to order."""


class NewService(_Service, _New):
    """A McGuffin service to book."""


class NewFlightSegment(FlightSegment, _New):
    """A flight segment that was booked."""


class NewAncillary(_Ancillary, _New):
    """Something to book beside a flight."""


class NewRetailPurchase(_RetailPurchase, _New):
    """Something that was bought on board or in a shop."""


NewItem: TypeAlias = Annotated[
    NewProduct | NewService | NewFlightSegment | NewAncillary | NewRetailPurchase, Field(discriminator="kind")
]


class StatusDetails(Part):
    """What is known about a status: why, and for a flight the times that hold instead of the scheduled ones."""

    reason: FreeText | None = None
    estimated_departure: Moment | None = None
    estimated_arrival: Moment | None = None
    delay_minutes: Annotated[int | None, Field(strict=True, ge=0, le=20_000)] = None
    rebooked_to: Annotated[ItemId | None, Field(description="The segment that is flown instead")] = None


class Known(Part):
    """Since when something is known of a flight, and from which event; without an event, from whoever changed it."""

    at: Moment
    event: Annotated[str | None, Field(max_length=150, examples=["ops-feed/7f3a"])] = None


class _Kept(Part):
    id: ItemId
    status_details: StatusDetails | None = None


class Product(_Product, _Kept):
    """Widgets or doohickeys."""

    status: ProductStatus


class Service(_Service, _Kept):
    """A McGuffin service."""

    status: ServiceStatus


class Segment(FlightSegment, _Kept):
    """A flight segment. What is known of it is as old as `statusKnown` and `gateKnown` say."""

    status: FlightStatus
    status_known: Known | None = None
    gate_known: Known | None = None

    @property
    def departs_at(self) -> datetime:
        """When it leaves, as far as is known."""
        return (self.status_details and self.status_details.estimated_departure) or self.scheduled_departure

    @property
    def arrives_at(self) -> datetime:
        """When it arrives, as far as is known: as late as it leaves, unless somebody knows better."""
        if self.status_details is not None and self.status_details.estimated_arrival is not None:
            return self.status_details.estimated_arrival
        return min(self.departs_at, _LATEST_DEPARTURE) + (self.scheduled_arrival - self.scheduled_departure)


class Ancillary(_Ancillary, _Kept):
    """What was booked beside a flight."""

    status: AncillaryStatus


class RetailPurchase(_RetailPurchase, _Kept):
    """Something bought on board or in a shop."""

    status: RetailStatus


Item: TypeAlias = Annotated[Product | Service | Segment | Ancillary | RetailPurchase, Field(discriminator="kind")]


def _near(day: date, moment: datetime) -> bool:
    """Tell whether this is the date of a moment somewhere on earth."""
    return abs(day - moment.date()) <= _NEXT_DAY
