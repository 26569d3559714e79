"""What is told of each kind of interaction beyond what all of them have."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lib.fields import FreeLine, Moment
from lib.money import Money
from lib.orders.travel import Airport, BagTagNumber, Seat
from lib.orders.words import Quantity
from lib.parts import Part

Seconds = Annotated[int, Field(strict=True, ge=0, le=604_800, json_schema_extra={"format": "int32"})]
Few = Annotated[int, Field(strict=True, ge=0, le=999, json_schema_extra={"format": "int32"})]
Many = Annotated[int, Field(strict=True, ge=0, le=10**9, json_schema_extra={"format": "int32"})]
Yes = Annotated[bool, Field(strict=True)]
Items = Annotated[tuple["Purchase", ...], Field(max_length=50)]


class ContactOutcome(StrEnum):
    """How a conversation ended."""

    RESOLVED = "resolved"
    FOLLOW_UP = "followUp"
    TRANSFERRED = "transferred"
    ABANDONED = "abandoned"


class CallAttributes(Part):
    """A telephone call."""

    duration_seconds: Seconds | None = None
    waiting_seconds: Seconds | None = None
    queue: FreeLine | None = None
    outcome: ContactOutcome | None = None


class EmailAttributes(Part):
    """An e-mail."""

    message_id: FreeLine | None = None
    mailbox: FreeLine | None = None
    attachments: Few | None = None


class ChatAttributes(Part):
    """A chat."""

    duration_seconds: Seconds | None = None
    messages: Many | None = None
    queue: FreeLine | None = None
    automated: Annotated[Yes | None, Field(description="Whether only a machine answered")] = None
    outcome: ContactOutcome | None = None


class SocialMentionAttributes(Part):
    """A mention in a social network."""

    network: FreeLine | None = None
    handle: FreeLine | None = None
    url: Annotated[str | None, Field(max_length=500, pattern="^https?://[!-~]{1,490}$")] = None
    reach: Many | None = None


class Purchase(Part):
    """Something that was bought."""

    name: FreeLine
    quantity: Quantity = 1
    unit_price: Money | None = None


class ShopAttributes(Part):
    """A purchase in a shop."""

    shop: FreeLine | None = None
    receipt: FreeLine | None = None
    items: Items = ()
    total: Money | None = None


class LoungeAttributes(Part):
    """A visit to a lounge."""

    airport: Airport | None = None
    lounge_name: FreeLine | None = None
    guests: Few | None = None
    left_at: Moment | None = None


class RideStatus(StrEnum):
    """How far a ride has come."""

    BOOKED = "booked"
    DISPATCHED = "dispatched"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "noShow"


class ChauffeurAttributes(Part):
    """A ride with the chauffeur service."""

    status: RideStatus | None = None
    pick_up: FreeLine | None = None
    drop_off: FreeLine | None = None
    vehicle: FreeLine | None = None


class CheckInMethod(StrEnum):
    """Where somebody checked in."""

    WEB = "web"
    MOBILE = "mobile"
    KIOSK = "kiosk"
    DESK = "desk"
    AUTOMATIC = "automatic"


class CheckInAttributes(Part):
    """A check-in for a flight, which `references` names."""

    airport: Airport | None = None
    method: CheckInMethod | None = None
    seat: Seat | None = None
    bags: Few | None = None


class BaggageStatus(StrEnum):
    """Where a bag is: the stages that IATA Resolution 753 tracks, and what may go wrong."""

    CHECKED = "checked"
    LOADED = "loaded"
    TRANSFERRED = "transferred"
    ARRIVED = "arrived"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    DAMAGED = "damaged"
    PILFERED = "pilfered"
    LOST = "lost"
    FOUND = "found"


class BaggageAttributes(Part):
    """Something that happened to a bag. Its tag is a licence plate of ten digits (IATA Resolution 740)."""

    tag: BagTagNumber | None = None
    status: BaggageStatus
    airport: Airport | None = None
    weight_grams: Annotated[int | None, Field(strict=True, ge=0, le=100_000, json_schema_extra={"format": "int32"})] = (
        None
    )
    file_reference: Annotated[
        str | None,
        Field(
            max_length=10, pattern="^[A-Z]{3}[A-Z0-9]{2}[0-9]{5}$", description="Of the property irregularity report"
        ),
    ] = None


class PaymentMethod(StrEnum):
    """How something was paid. Numbers of cards have no place here."""

    CARD = "card"
    CASH = "cash"
    VOUCHER = "voucher"
    MILES = "miles"


class InFlightRetailAttributes(Part):
    """A purchase on board."""

    items: Items = ()
    total: Money | None = None
    paid_by: PaymentMethod | None = None


class FlightMoment(StrEnum):
    """What happened to a traveller with a flight."""

    BOARDED = "boarded"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    DIVERTED = "diverted"
    REBOOKED = "rebooked"
    MISSED_CONNECTION = "missedConnection"
    DENIED_BOARDING = "deniedBoarding"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    NO_SHOW = "noShow"


class FlightAttributes(Part):
    """Something that happened with a flight, which `references` names."""

    event: FlightMoment
    origin: Airport | None = None
    destination: Airport | None = None
    delay_minutes: Annotated[
        int | None, Field(strict=True, ge=0, le=100_000, json_schema_extra={"format": "int32"})
    ] = None
    seat: Seat | None = None


class OtherAttributes(Part):
    """Something that no other kind names."""

    label: FreeLine | None = None
