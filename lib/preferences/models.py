"""What a customer's preferences are: the values, who stated each of them, and how they are read back."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from lib.fields import REDACTED, Language, Moment, ShortText, Text
from lib.parts import Part
from lib.preferences.meals import FORBIDDEN, MANDATORY, MealCode, free_text_of

_Item = TypeVar("_Item")


class PreferenceKind(StrEnum):
    """What is preferred; each kind has one current value."""

    SEAT = "seat"
    MEAL = "meal"
    DRINK = "drink"
    LANGUAGE = "language"
    CHANNEL = "channel"
    ACCESSIBILITY = "accessibility"
    INTERESTS = "interests"


class SeatPosition(StrEnum):
    """Where in its row a seat is."""

    WINDOW = "window"
    MIDDLE = "middle"
    AISLE = "aisle"


class SeatZone(StrEnum):
    """Where in its cabin a seat is."""

    FRONT = "front"
    MIDDLE = "middle"
    REAR = "rear"
    OVER_WING = "overWing"


class SeatFeature(StrEnum):
    """What else is liked about a seat."""

    EXTRA_LEGROOM = "extraLegroom"
    EXIT_ROW = "exitRow"
    BULKHEAD = "bulkhead"
    NEAR_LAVATORY = "nearLavatory"
    AWAY_FROM_LAVATORY = "awayFromLavatory"
    QUIET = "quiet"


class ContactChannel(StrEnum):
    """How a customer likes to be reached. It says how, never whether: that is a matter of consent."""

    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    POST = "post"
    PUSH = "push"
    WHATSAPP = "whatsapp"
    IN_APP = "inApp"


class AccessibilityCode(StrEnum):
    """Assistance that is needed, as its special service request code (ECAC Doc 30 part I, section 5; IATA)."""

    WHEELCHAIR_RAMP = "WCHR"
    WHEELCHAIR_STEPS = "WCHS"
    WHEELCHAIR_CABIN = "WCHC"
    WHEELCHAIR_LOWER_LIMBS = "WCHP"
    WHEELCHAIR_ON_BOARD = "WCOB"
    WHEELCHAIR_MANUAL = "WCMP"
    WHEELCHAIR_DRY_BATTERY = "WCBD"
    WHEELCHAIR_WET_BATTERY = "WCBW"
    WHEELCHAIR_LITHIUM_BATTERY = "WCLB"
    BLIND = "BLND"
    DEAF = "DEAF"
    INTELLECTUAL = "DPNA"
    MEET_AND_ASSIST = "MAAS"
    MEDICAL = "MEDA"
    STRETCHER = "STCR"
    OXYGEN = "OXYG"
    SERVICE_ANIMAL = "SVAN"


class SourceKind(StrEnum):
    """Who a value came from."""

    CUSTOMER = "customer"
    AGENT = "agent"
    PARTNER = "partner"
    IMPORTED = "imported"
    INFERRED = "inferred"


def _no_repeats(items: Sequence[_Item]) -> Sequence[_Item]:
    if len(set(items)) != len(items):
        raise ValueError("must not name the same thing twice")
    return items


SystemName = Annotated[
    str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9._-]{0,39}$", examples=["contact-centre"])
]
Words = Annotated[ShortText, REDACTED]
MealText = Annotated[Text, REDACTED]
SeatFeatures = Annotated[tuple[SeatFeature, ...], Field(max_length=6), AfterValidator(_no_repeats)]
Accessibility = Annotated[
    tuple[AccessibilityCode, ...], Field(min_length=1, max_length=10), AfterValidator(_no_repeats)
]
Interests = Annotated[tuple[Words, ...], Field(min_length=1, max_length=30), AfterValidator(_no_repeats)]


class Seat(Part):
    """A seat as it is liked: at least one of its members."""

    position: SeatPosition | None = None
    zone: SeatZone | None = None
    features: SeatFeatures | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.position is None and self.zone is None and not self.features:
            raise ValueError("one of position, zone and features is required")
        return self


class Meal(Part):
    """A special meal. SPML must say in words what it is, CHML may, and all others must not."""

    code: MealCode
    text: MealText | None = None

    @model_validator(mode="after")
    def _words_as_the_code_asks(self) -> Self:
        rule = free_text_of(self.code)
        if rule == FORBIDDEN and self.text is not None:
            raise ValueError("a request for this meal takes no text")
        if rule == MANDATORY and self.text is None:
            raise ValueError("a request for this meal must say in text what it is")
        return self


class PreferenceValues(Part):
    """The current values, each of which may be absent."""

    seat: Seat | None = None
    meal: Meal | None = None
    drink: Words | None = None
    language: Language | None = None
    channel: ContactChannel | None = None
    accessibility: Accessibility | None = None
    interests: Interests | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the values as JSON by their wire names, without absent ones."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(PreferenceKind))


class Source(Part):
    """Where a value was captured: from whom, and in which system."""

    kind: SourceKind
    system: SystemName | None = None


class Agreed(Part):
    """The customer's agreement that a value is kept and used: which wording was shown, and in which language.

    What tells of health or faith (assistance, some meals) may be kept on explicit consent (GDPR Art. 9(2)(a)).
    """

    text_version: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,59}$",
            examples=["preferences-2026-03"],
        ),
    ]
    language: Language | None = None


class Provenance(Part):
    """Who stated a value, when, whether it is confirmed, with which consent, and which version brought it."""

    stated_at: Moment
    source: Source
    confirmed: bool
    recorded_at: Moment
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    withdrawn: bool = False
    consent: Agreed | None = None


class Statements(Part):
    """Behind each current value, and each withdrawal, the statement that holds."""

    seat: Provenance | None = None
    meal: Provenance | None = None
    drink: Provenance | None = None
    language: Provenance | None = None
    channel: Provenance | None = None
    accessibility: Provenance | None = None
    interests: Provenance | None = None

    def of(self, kind: PreferenceKind) -> Provenance | None:
        """Return the statement that holds for one kind."""
        found: Provenance | None = getattr(self, kind.value)
        return found


class Preferences(PreferenceValues):
    """A customer's preferences as they are kept. Version 0 is that of a customer who never stated any."""

    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    version: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
    updated_at: Moment | None = None
    statements: Statements = Statements()

    def json_text(self) -> str:
        """Return the preferences as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
