"""What we decide about feedback: what it has to hold, and how it is summed up in a line. Pure."""

from datetime import datetime
from typing import Final

from lib.errors import FieldProblem, InvalidError
from lib.feedback.models import SCORES, FeedbackDraft, FeedbackKind, Rating, RecordedFeedbackDraft
from lib.interactions.rules import check_happened

_NAMES: Final = {
    FeedbackKind.COMPLAINT: "Complaint",
    FeedbackKind.COMPLIMENT: "Compliment",
    FeedbackKind.SUGGESTION: "Suggestion",
    FeedbackKind.RATING: "Rating",
}


class FeedbackInvalidError(InvalidError):
    """What was sent is not feedback."""

    kind = "feedback-invalid"
    title = "Not valid feedback"


def check_feedback(draft: FeedbackDraft, *, now: datetime) -> None:
    """Refuse what says nothing, and scores that their scale does not have.

    Raises:
        FeedbackInvalidError: a rating is missing or off its scale, or words are missing.
        InteractionInvalidError: it lies in the future.
    """
    problems: list[FieldProblem] = []
    if draft.kind is FeedbackKind.RATING and draft.rating is None:
        problems.append(FieldProblem("/rating", "is required of a rating"))
    if draft.kind is not FeedbackKind.RATING and draft.text is None:
        problems.append(FieldProblem("/text", f"is required of a {draft.kind}"))
    if draft.rating is not None and draft.rating.score not in SCORES[draft.rating.scale]:
        scores = SCORES[draft.rating.scale]
        problems.append(
            FieldProblem("/rating/score", f"has to be {scores[0]} to {scores[-1]} on the scale {draft.rating.scale}")
        )
    if problems:
        raise FeedbackInvalidError("The feedback breaks rules; errors says which.", problems)
    if isinstance(draft, RecordedFeedbackDraft):
        check_happened(draft.happened_at, now=now)


def summary_of(kind: FeedbackKind, rating: Rating | None) -> str:
    """Return a line for the timeline, without the customer's words."""
    name = _NAMES[kind]
    return f"{name}: {rating.scale} {rating.score} of {SCORES[rating.scale][-1]}" if rating else name
