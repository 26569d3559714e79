"""What a merge patch of a customer may hold: every field of the details, each of which null removes (RFC 7396)."""

from typing import Annotated, Any

from pydantic import Field

from lib.customers.models import (
    Address,
    Device,
    ExternalId,
    Gender,
    LoyaltyNumber,
    PassportNumber,
)
from lib.fields import BirthDate, Country, Date, Email, Language, Phone, ShortText, Text, Title
from lib.parts import Part


class PassportPatch(Part):
    """Changes to the travel document."""

    number: PassportNumber | None = None
    issuing_country: Country | None = None
    expires_on: Date | None = None


class LoyaltyPatch(Part):
    """Changes to the loyalty membership."""

    number: LoyaltyNumber | None = None
    tier: ShortText | None = None


class CustomerPatch(Part):
    """Changes to a customer. Lists are replaced whole; null removes a field or empties a list."""

    title: Title | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    date_of_birth: BirthDate | None = None
    gender: Gender | None = None
    nationality: Country | None = None
    language: Language | None = None
    passport: PassportPatch | None = None
    loyalty: LoyaltyPatch | None = None
    addresses: Annotated[tuple[Address, ...], Field(max_length=10)] | None = None
    external_ids: Annotated[tuple[ExternalId, ...], Field(max_length=20)] | None = None
    devices: Annotated[tuple[Device, ...], Field(max_length=10)] | None = None

    def changes(self) -> dict[str, Any]:
        """Return the patch as JSON values by their wire names: only what the caller named."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
