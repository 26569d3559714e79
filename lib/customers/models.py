"""What a customer is: what callers may write, what is kept, and how it is read back."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from lib.fields import (
    BirthDate,
    Country,
    Date,
    Email,
    Language,
    Moment,
    Phone,
    PostalCode,
    ShortText,
    Text,
    Title,
    masked,
)
from lib.parts import Part


class Gender(StrEnum):
    """As asked by carriers: what the travel document says, or unspecified."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNSPECIFIED = "unspecified"


class AddressKind(StrEnum):
    """What an address is for."""

    HOME = "home"
    WORK = "work"
    BILLING = "billing"
    SHIPPING = "shipping"
    OTHER = "other"


class DeviceKind(StrEnum):
    """What a device is."""

    MOBILE = "mobile"
    TABLET = "tablet"
    DESKTOP = "desktop"
    OTHER = "other"


PassportNumber = Annotated[
    str,
    Field(
        min_length=5,
        max_length=20,
        pattern=r"^([A-Za-z0-9]{5,20}|\*{2,17}[A-Za-z0-9]{3})$",
        description="Accepted on write, read back masked; a write that carries the mask means unchanged",
        examples=["533380006"],
    ),
]
LoyaltyNumber = Annotated[
    str, Field(min_length=3, max_length=20, pattern="^[A-Za-z0-9-]{3,20}$", examples=["IO-204488"])
]
SystemName = Annotated[
    str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9._-]{0,39}$", examples=["booking"])
]


class Passport(Part):
    """A travel document."""

    number: PassportNumber
    issuing_country: Country
    expires_on: Date | None = None


class Loyalty(Part):
    """Membership of the loyalty programme; the number belongs to one customer."""

    number: LoyaltyNumber
    tier: ShortText | None = None


class Address(Part):
    """A postal address."""

    kind: AddressKind
    lines: Annotated[tuple[Text, ...], Field(min_length=1, max_length=6)]
    city: Text
    region: Text | None = None
    postal_code: PostalCode | None = None
    country: Country


class ExternalId(Part):
    """The customer's id in another system; it belongs to one customer."""

    system: SystemName
    id: Text


class Place(Part):
    """Where something was, roughly."""

    city: Text | None = None
    country: Country | None = None


class Device(Part):
    """A device that the customer was seen with."""

    kind: DeviceKind
    operating_system: Text | None = None
    browser: Text | None = None
    location: Place | None = None
    last_seen_at: Moment | None = None


class CustomerDetails(Part):
    """What a caller says about a customer: `lastName` and one of `email`, `phone` and `loyalty` are required."""

    title: Title | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text
    email: Email | None = None
    phone: Phone | None = None
    date_of_birth: BirthDate | None = None
    gender: Gender | None = None
    nationality: Country | None = None
    language: Language | None = None
    passport: Passport | None = None
    loyalty: Loyalty | None = None
    addresses: Annotated[tuple[Address, ...], Field(max_length=10)] = ()
    external_ids: Annotated[tuple[ExternalId, ...], Field(max_length=20)] = ()
    devices: Annotated[tuple[Device, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.email is None and self.phone is None and self.loyalty is None:
            raise ValueError("one of email, phone and loyalty.number is required")
        return self

    @model_validator(mode="after")
    def _no_repeated_ids(self) -> Self:
        pairs = [(external.system, external.id) for external in self.external_ids]
        if len(set(pairs)) != len(pairs):
            raise ValueError("externalIds must not name the same id twice")
        return self


class Kept(Part):
    """What the platform says of a customer it keeps. `version` counts changes from 1."""

    id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    created_at: Moment
    updated_at: Moment


class Customer(CustomerDetails, Kept):
    """A customer as it is kept."""

    @classmethod
    def of(
        cls, details: CustomerDetails, *, customer_id: str, version: int, created_at: datetime, updated_at: datetime
    ) -> Self:
        """Return the customer with these details. They are valid already, so nothing is checked a second time."""
        given = {name: getattr(details, name) for name in CustomerDetails.model_fields}
        return cls.model_construct(
            **given, id=customer_id, version=version, created_at=created_at, updated_at=updated_at
        )

    def details(self) -> dict[str, Any]:
        """Return what callers may write, as JSON values by their wire names, without absent fields."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"id", "version", "created_at", "updated_at"}
        )

    def shown(self) -> Self:
        """Return the customer as it is read back: sensitive values masked."""
        if self.passport is None:
            return self
        return self.model_copy(
            update={"passport": self.passport.model_copy(update={"number": masked(self.passport.number)})}
        )

    def json_text(self) -> str:
        """Return the customer as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
