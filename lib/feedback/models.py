"""What feedback is: what the customer says, what staff record of it, and how it is read back."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from lib.fields import REDACTED, FreeLine, Moment
from lib.interactions.words import CaseId, EventSource, HappenedAt, InteractionChannel, InteractionId, OrderId
from lib.parts import Part
from lib.text import prose

FEEDBACK_PREFIX: Final = "fbk"
FeedbackId = Annotated[
    str, Field(max_length=30, pattern="^fbk_[0-9A-HJKMNP-TV-Z]{26}$", examples=["fbk_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]


class FeedbackKind(StrEnum):
    """What somebody wants to say."""

    COMPLAINT = "complaint"
    COMPLIMENT = "compliment"
    SUGGESTION = "suggestion"
    RATING = "rating"


class RatingScale(StrEnum):
    """What a number measures.

    Customer satisfaction (CSAT, 1 to 5), the likelihood to recommend behind the net promoter score (NPS, 0 to 10), and
    customer effort (CES, 1 to 7, where 7 is the least effort).
    """

    CSAT = "csat"
    NPS = "nps"
    CES = "ces"


SCORES: Final = {RatingScale.CSAT: range(1, 6), RatingScale.NPS: range(11), RatingScale.CES: range(1, 8)}


class Rating(Part):
    """A number on a scale: csat 1 to 5, nps 0 to 10, ces 1 to 7."""

    scale: RatingScale
    score: Annotated[int, Field(strict=True, ge=0, le=10, json_schema_extra={"format": "int32"})]


class About(Part):
    """What feedback is about. What is named has to be this customer's."""

    interaction_id: InteractionId | None = None
    order_id: OrderId | None = None
    case_id: CaseId | None = None


FeedbackText = Annotated[
    str,
    Field(min_length=1, max_length=5_000, description="In the customer's words; card numbers are masked"),
    AfterValidator(prose),
    REDACTED,
]


class FeedbackDraft(Part):
    """What a customer says: in words, or as a rating."""

    kind: FeedbackKind
    text: FeedbackText | None = None
    rating: Rating | None = None
    about: About | None = None


class RecordedFeedbackDraft(FeedbackDraft):
    """What staff and systems record of what a customer said."""

    channel: InteractionChannel | None = None
    agent: Annotated[FreeLine | None, Field(description="Who took it down")] = None
    happened_at: HappenedAt
    source: EventSource | None = None


class OwnFeedback(Part):
    """Feedback as the customer reads it back."""

    id: Annotated[str, Field(max_length=30, examples=["fbk_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    kind: FeedbackKind
    text: Annotated[str | None, Field(max_length=5_000)] = None
    rating: Rating | None = None
    about: About | None = None
    channel: InteractionChannel | None = None
    happened_at: Moment
    recorded_at: Moment


class Feedback(OwnFeedback):
    """Feedback as staff read it back."""

    agent: Annotated[str | None, Field(max_length=200)] = None
    recorded_by: Annotated[str, Field(max_length=100, description="Who told of it, as asserted")]
    source: EventSource | None = None
