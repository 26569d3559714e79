"""What consents are: what may be captured, what is kept of it, and how it is read back."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from lib.consents.vocabulary import CapturedState, Channel, How, OwnHow, ProofKind, Purpose, State
from lib.fields import REDACTED, Language, Moment, ShortText, Text
from lib.pan import without_card_numbers
from lib.parts import Part

TextVersion = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,59}$",
        description="Which wording the customer saw",
        examples=["marketing-2026-03"],
    ),
]


def _no_card_number(text: str) -> str:
    # Refused, not masked: a reference that was changed leads to no proof.
    if without_card_numbers(text) != text:
        raise ValueError("must not hold a payment card number")
    return text


Reference = Annotated[Text, AfterValidator(_no_card_number)]
PlaceText = Annotated[Text, REDACTED]
Agent = Annotated[ShortText, REDACTED]
Version = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class Proof(Part):
    """Where the proof of a statement is kept: a reference, a SHA-256 digest of it, or both."""

    kind: ProofKind
    reference: Reference | None = None
    sha256: Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.reference is None and self.sha256 is None:
            raise ValueError("one of reference and sha256 is required")
        return self


class Said(Part):
    """What every statement holds. Consent needs the wording that was shown (GDPR Art. 7(1)), a refusal needs none."""

    state: CapturedState
    text_version: TextVersion | None = None
    language: Annotated[Language | None, Field(description="The language of the wording (BCP 47)")] = None
    proof: Proof | None = None
    valid_until: Annotated[Moment | None, Field(description="When consent ends by itself; it is expired from then")] = (
        None
    )

    @model_validator(mode="after")
    def _consent_can_be_demonstrated(self) -> Self:
        if self.state is CapturedState.GRANTED:
            if self.text_version is None:
                raise ValueError("consent needs the textVersion that the customer saw")
        elif self.valid_until is not None or getattr(self, "valid_from", None) is not None:
            raise ValueError("only consent has a time of validity; a refusal holds until there is consent")
        return self


class OwnStatement(Said):
    """What a customer says: stated now, in the web or the app."""

    how: OwnHow = OwnHow.WEB


class Captured(Part):
    """When, how and where a statement was captured, and by which agent. Without a time: now."""

    how: How
    at: Moment | None = None
    place: PlaceText | None = None
    agent: Annotated[Agent | None, Field(description="Who took the statement down")] = None


class CapturedStatement(Said):
    """What agents and systems captured."""

    valid_from: Annotated[Moment | None, Field(description="When consent begins, if not when it was captured")] = None
    captured: Captured


class Withdrawing(Part):
    """How a customer withdraws everything."""

    how: OwnHow = OwnHow.WEB

    def statement(self) -> OwnStatement:
        """Return what is said of each consent."""
        return OwnStatement(state=CapturedState.WITHDRAWN, how=self.how)


class CapturedWithdrawing(Part):
    """How it was captured that a customer withdraws everything."""

    how: How
    place: PlaceText | None = None
    agent: Agent | None = None
    proof: Proof | None = None

    def statement(self) -> CapturedStatement:
        """Return what is said of each consent."""
        captured = Captured(how=self.how, place=self.place, agent=self.agent)
        return CapturedStatement(state=CapturedState.WITHDRAWN, captured=captured, proof=self.proof)


class KeptCapture(Part):
    """When, how and where a statement was captured."""

    at: Moment
    how: How
    place: PlaceText | None = None
    agent: Agent | None = None


class Capture(Part):
    """One statement as it is kept: what was said and how, and when and by whom it was recorded."""

    state: CapturedState
    text_version: TextVersion | None = None
    language: Language | None = None
    captured: KeptCapture
    proof: Proof | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    recorded_at: Moment
    recorded_by: Annotated[str | None, Field(max_length=100)] = None
    version: Annotated[Version, Field(description="The version of the consent that recorded it")]

    def public(self) -> Self:
        """Return it without the names of staff."""
        captured = self.captured.model_copy(update={"agent": None})
        return self.model_copy(update={"captured": captured, "recorded_by": None})

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON by wire names, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Consent(Part):
    """How consent for one purpose and channel stands, and the statement that says so.

    Version 0 is that of a customer who was never asked.
    """

    id: Annotated[str, Field(max_length=30)]
    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    purpose: Purpose
    channel: Channel
    version: Version
    state: State
    statement: Capture | None = None
    updated_at: Moment | None = None

    def json_text(self) -> str:
        """Return the consent as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    def public(self) -> Self:
        """Return it without the names of staff."""
        return self.model_copy(update={"statement": self.statement.public() if self.statement else None})

    @property
    def captured_at(self) -> datetime | None:
        """When the statement that holds was captured."""
        return self.statement.captured.at if self.statement else None
