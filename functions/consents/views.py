"""What callers see of consents beside the consents themselves, and what the paths to them hold."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Count, Time
from lib.changes.operation import Answer
from lib.clock import rfc3339
from lib.consents.decisions import Reasoned
from lib.consents.models import Capture, Consent
from lib.consents.rules import Because, standing
from lib.consents.vocabulary import PURPOSE_PATTERN, CapturedState, Channel, State
from lib.fields import Moment

_SHOWN: Final = 200

PurposePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=47,
        pattern=PURPOSE_PATTERN,
        description="What it is for: a known purpose, or one of your own that begins with custom-",
        examples=["marketing"],
    ),
]
ChannelPath = Annotated[Channel, Path(description="By which way; `any` stands for all", examples=["email"])]
At = Annotated[Moment | None, Query(description="As it stood at this moment, by when things were captured")]
AskedPurpose = Annotated[str, Query(min_length=1, max_length=47, pattern=PURPOSE_PATTERN, description="What it is for")]
AskedChannel = Annotated[Channel, Query(description="By which way")]


class ConsentList(BaseModel):
    """A page of consents."""

    items: Annotated[list[Consent], Field(max_length=200)]
    next: NextPage


class CaptureList(BaseModel):
    """A page of what was said, captured last first."""

    items: Annotated[list[Capture], Field(max_length=200)]
    next: NextPage


class WithdrawnView(BaseModel):
    """What was withdrawn by this request: how many consents, and the first 200 of them."""

    withdrawn: Count
    items: Annotated[list[Consent], Field(max_length=_SHOWN)]

    @classmethod
    def of(cls, consents: list[Consent]) -> "WithdrawnView":
        """Return how withdrawn consents are shown."""
        return cls(withdrawn=len(consents), items=consents[:_SHOWN])


class BasisView(BaseModel):
    """A consent that a decision rests on, as it stood then."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    consent_id: Annotated[str, Field(max_length=30)]
    channel: Channel
    state: State
    captured_at: Time | None = None


class DecisionView(BaseModel):
    """Whether consent allows something, and why."""

    allowed: bool
    because: Because
    at: Time
    basis: Annotated[list[BasisView], Field(max_length=2)]

    @classmethod
    def of(cls, reasoned: Reasoned) -> "DecisionView":
        """Return how a decision is shown."""
        return cls(
            allowed=reasoned.decision.allowed,
            because=reasoned.decision.because,
            at=rfc3339(reasoned.at),
            basis=[
                BasisView(
                    consent_id=consent.id,
                    channel=consent.channel,
                    state=consent.state,
                    captured_at=rfc3339(consent.captured_at) if consent.captured_at else None,
                )
                for consent in reasoned.consents
            ],
        )


def answer_of(consent: Consent) -> Answer:
    """Return a consent as an entity."""
    return Answer(entity_id=consent.id, version=consent.version, document=consent.json_text())


def written_of(answer: Answer, *, public: bool) -> tuple[Answer, Consent]:
    """Return what a write answers: the consent as it stood when it was written, also when it is told again."""
    kept = Consent.model_validate_json(answer.document)
    consent = standing(kept, kept.statement, kept.updated_at) if kept.updated_at else kept
    shown = consent.public() if public else consent
    return Answer(
        entity_id=answer.entity_id, version=answer.version, document=shown.json_text(), replayed=answer.replayed
    ), shown


def view_of(consent: Consent, view: str) -> str:
    """Return the view that the entity tag names. Time alone can end consent, so then the view is another one."""
    statement = consent.statement
    if statement is None or statement.state is not CapturedState.GRANTED or consent.state is State.GRANTED:
        return view
    return f"{view}{consent.state.value}"


EXAMPLE: Final[dict[str, Any]] = {
    "state": "granted",
    "textVersion": "marketing-2026-03",
    "language": "en-GB",
    "how": "web",
    "validUntil": "2028-03-01T00:00:00Z",
}
WITHDRAWN_EXAMPLE: Final[dict[str, Any]] = {"state": "withdrawn"}
CAPTURED_EXAMPLE: Final[dict[str, Any]] = {
    "state": "granted",
    "textVersion": "phone-script-7",
    "language": "en-GB",
    "captured": {"how": "call", "at": "2026-05-04T09:30:00Z", "agent": "A. Agent"},
    "proof": {"kind": "recording", "reference": "rec-20260504-0930-11"},
}
