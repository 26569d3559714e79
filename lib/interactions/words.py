"""The words that interactions share: what they are about, through which channel, and who told of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from lib.clock import in_milliseconds
from lib.customers.models import SystemName
from lib.fields import Date, Moment
from lib.orders.travel import BookingReference, Designator
from lib.parts import Part


class InteractionKind(StrEnum):
    """What kind of thing happened."""

    CALL = "call"
    EMAIL = "email"
    CHAT = "chat"
    SOCIAL_MENTION = "socialMention"
    SHOP = "shop"
    LOUNGE = "lounge"
    CHAUFFEUR = "chauffeur"
    CHECK_IN = "checkIn"
    BAGGAGE = "baggage"
    IN_FLIGHT_RETAIL = "inFlightRetail"
    FLIGHT = "flight"
    OTHER = "other"


class InteractionChannel(StrEnum):
    """The way by which a customer and the airline met."""

    PHONE = "phone"
    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    SOCIAL = "social"
    WEB = "web"
    MOBILE = "mobile"
    POST = "post"
    SHOP = "shop"
    AIRPORT = "airport"
    LOUNGE = "lounge"
    ONBOARD = "onboard"
    PARTNER = "partner"
    OTHER = "other"


class Direction(StrEnum):
    """Who began it: the customer (inbound) or the airline (outbound)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


HappenedAt = Annotated[
    Moment,
    AfterValidator(in_milliseconds),
    Field(description="When it happened, which may be long before it is told; not in the future"),
]
EventId = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern="^[!-~]{1,200}$", examples=["evt-20260118-000417"]),
]
OrderId = Annotated[
    str, Field(max_length=30, pattern="^ord_[0-9A-HJKMNP-TV-Z]{26}$", examples=["ord_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]
InteractionId = Annotated[
    str, Field(max_length=30, pattern="^int_[0-9A-HJKMNP-TV-Z]{26}$", examples=["int_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]
CaseId = Annotated[
    str, Field(max_length=30, pattern="^cas_[0-9A-HJKMNP-TV-Z]{26}$", examples=["cas_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]


class EventSource(Part):
    """The system that tells of an event, and its own id of it: the same event told again is one record."""

    system: SystemName
    event_id: EventId


class FlightReference(Part):
    """A flight on a day."""

    designator: Designator
    date: Date


class References(Part):
    """What an interaction is about. That it exists is not asked: telling of an event never waits for others."""

    order_id: OrderId | None = None
    case_id: CaseId | None = None
    booking_reference: BookingReference | None = None
    flight: FlightReference | None = None
