"""What callers say and see of cases beside the case itself; customers see no more of them than is theirs."""

import json
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Path, Query
from fastapi.openapi.models import Example
from pydantic import BaseModel, Field

from functions.customers.views import NextPage
from lib.cases.models import Case, CaseSummary, Comment, OwnCase, OwnCaseSummary, OwnComment
from lib.cases.rules import MAXIMUM_COMMENTS
from lib.cases.states import CaseState
from lib.changes.operation import Answer
from lib.orders.words import FreeText
from lib.paging import Page
from lib.parts import Part

CaseId = Annotated[str, Path(max_length=64, description="The case's id", examples=["cas_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
CommentNumber = Annotated[
    int,
    Path(ge=1, le=MAXIMUM_COMMENTS, description="The comment's number", json_schema_extra={"format": "int32"}),
]
ByCaseState = Annotated[CaseState | None, Query(alias="state", description="Only cases in this state")]
BySettled = Annotated[
    bool | None, Query(description="true: only what is resolved or closed; false: only what is to be looked after")
]


class CaseList(BaseModel):
    """A page of cases as staff see them, the latest opened first."""

    items: Annotated[list[CaseSummary], Field(max_length=200)]
    next: NextPage


class OwnCaseList(BaseModel):
    """A page of cases as the customer sees them, the latest opened first."""

    items: Annotated[list[OwnCaseSummary], Field(max_length=200)]
    next: NextPage


class CommentList(BaseModel):
    """A page of comments as staff see them, the first first."""

    items: Annotated[list[Comment], Field(max_length=200)]
    next: NextPage


class OwnCommentList(BaseModel):
    """A page of comments as the customer sees them, the first first."""

    items: Annotated[list[OwnComment], Field(max_length=200)]
    next: NextPage


class CustomersReason(Part):
    """Why the customer asks for it."""

    reason: FreeText | None = None


def _staff_only(whole: type[BaseModel], own: type[BaseModel]) -> AbstractSet[str]:
    """Return the wire names of what only staff see."""
    return {field.alias or name for name, field in whole.model_fields.items() if name not in own.model_fields}


_STAFF_ONLY: Final = _staff_only(Case, OwnCase)
_STAFF_ONLY_IN_LISTS: Final = _staff_only(CaseSummary, OwnCaseSummary)
_STAFF_ONLY_IN_COMMENTS: Final = _staff_only(Comment, OwnComment)


def own_case(answer: Answer) -> Answer:
    """Return a case as the customer reads it."""
    return replace(answer, document=_without(answer.document, _STAFF_ONLY))


def own_comment(answer: Answer) -> Answer:
    """Return a comment as the customer reads it."""
    return replace(answer, document=_without(answer.document, _STAFF_ONLY_IN_COMMENTS))


def own_cases(page: Page[str]) -> Page[str]:
    """Return a page of cases as the customer reads it."""
    return replace(page, items=[_without(text, _STAFF_ONLY_IN_LISTS) for text in page.items])


def own_comments(page: Page[str]) -> Page[str]:
    """Return a page of comments as the customer reads it."""
    return replace(page, items=[_without(text, _STAFF_ONLY_IN_COMMENTS) for text in page.items])


def _without(document: str, names: AbstractSet[str]) -> str:
    kept: dict[str, Any] = json.loads(document)
    shown = {name: value for name, value in kept.items() if name not in names}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


_CLAIM: Final[dict[str, Any]] = {
    "type": "claim",
    "category": "baggage.delayed",
    "subject": "My bag came two days late",
    "description": "I had to buy clothes and have kept the receipts.",
}
_QUESTION: Final[dict[str, Any]] = {"type": "question", "subject": "May I bring a cello?"}
EXAMPLES: Final[dict[str, Example]] = {
    "claim": Example(summary="A claim", value=_CLAIM),
    "question": Example(summary="A question", value=_QUESTION),
}
RECORDED_EXAMPLES: Final[dict[str, Example]] = {
    "claim": Example(
        summary="A claim by letter",
        value=_CLAIM
        | {"priority": "high", "channel": "post", "assignee": "m.okafor", "openedAt": "2026-01-19T10:20:00Z"},
    ),
    "question": Example(summary="A question by telephone", value=_QUESTION | {"channel": "phone"}),
}
