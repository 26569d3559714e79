"""What callers see and send of feedback beside the feedback itself."""

import json
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Path
from fastapi.openapi.models import Example
from pydantic import BaseModel, Field

from functions.customers.views import NextPage
from lib.changes.operation import Answer
from lib.feedback.models import Feedback

FeedbackId = Annotated[
    str, Path(max_length=64, description="The feedback's id", examples=["fbk_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]
_STAFF_ONLY: Final = frozenset({"agent", "recordedBy", "source"})


class FeedbackList(BaseModel):
    """A page of feedback, the latest first."""

    items: Annotated[list[Feedback], Field(max_length=200)]
    next: NextPage


def own(answer: Answer) -> Answer:
    """Return feedback as the customer reads it: without who took it down and by which system."""
    kept: dict[str, Any] = json.loads(answer.document)
    shown = {name: value for name, value in kept.items() if name not in _STAFF_ONLY}
    return replace(answer, document=json.dumps(shown, ensure_ascii=False, separators=(",", ":")))


_COMPLAINT: Final[dict[str, Any]] = {
    "kind": "complaint",
    "text": "My bag came two days late, and nobody called as promised.",
}
_RATING: Final[dict[str, Any]] = {
    "kind": "rating",
    "rating": {"scale": "nps", "score": 9},
    "text": "Friendly crew.",
}
_RECORDED: Final[dict[str, Any]] = {
    "channel": "phone",
    "agent": "m.okafor",
    "happenedAt": "2026-01-19T10:20:00Z",
    "source": {"system": "survey", "eventId": "csat-55120"},
}
EXAMPLES: Final[dict[str, Example]] = {
    "complaint": Example(summary="A complaint", value=_COMPLAINT),
    "rating": Example(summary="A rating", value=_RATING),
}
RECORDED_EXAMPLES: Final[dict[str, Example]] = {
    "complaint": Example(summary="A complaint by telephone", value=_COMPLAINT | _RECORDED),
    "rating": Example(
        summary="An answer to a survey",
        value={"kind": "rating", "rating": {"scale": "csat", "score": 4}} | _RECORDED | {"channel": "email"},
    ),
}
