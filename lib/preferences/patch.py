"""What a merge patch of preferences may hold: every kind, each of which null withdraws (RFC 7396)."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from lib.fields import Language, Moment
from lib.parts import Part
from lib.preferences.meals import MealCode
from lib.preferences.models import (
    Accessibility,
    Agreed,
    ContactChannel,
    Interests,
    MealText,
    PreferenceKind,
    SeatFeatures,
    SeatPosition,
    SeatZone,
    Source,
    SourceKind,
    Words,
)


class SeatPatch(Part):
    """Changes to the preferred seat."""

    position: SeatPosition | None = None
    zone: SeatZone | None = None
    features: SeatFeatures | None = None


class MealPatch(Part):
    """Changes to the preferred meal."""

    code: MealCode | None = None
    text: MealText | None = None


class PreferencesPatch(Part):
    """Changes to preferences. Lists are replaced whole; null withdraws a value."""

    seat: SeatPatch | None = None
    meal: MealPatch | None = None
    drink: Words | None = None
    language: Language | None = None
    channel: ContactChannel | None = None
    accessibility: Accessibility | None = None
    interests: Interests | None = None
    consent: Annotated[
        Agreed | None, Field(description="The agreement that came with these values; it is kept beside each of them")
    ] = None

    def changes(self) -> dict[str, Any]:
        """Return the values of the patch as JSON by their wire names: only what the caller named."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, include=set(PreferenceKind))


class Stated(Part):
    """Who stated what a patch holds. Without a time it was stated now; what is inferred cannot be confirmed."""

    source: Source
    at: Moment | None = None
    confirmed: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _inferred_is_not_confirmed(self) -> Self:
        if self.confirmed and self.source.kind is SourceKind.INFERRED:
            raise ValueError("what is inferred cannot be confirmed")
        return self


BY_THE_CUSTOMER = Stated(source=Source(kind=SourceKind.CUSTOMER), confirmed=True)
BY_AN_AGENT = Stated(source=Source(kind=SourceKind.AGENT))


class StatedPatch(PreferencesPatch):
    """Changes to preferences, and who stated them: an agent, now and unconfirmed, unless `stated` says otherwise."""

    stated: Annotated[Stated, Field(description="Who stated this, when, and whether it is confirmed")] = BY_AN_AGENT
