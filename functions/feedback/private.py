"""Private operations on feedback: staff and surveys record what customers say, and read it."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.feedback.views import RECORDED_EXAMPLES, FeedbackId, FeedbackList
from functions.host.answers import (
    BODY_REFUSALS,
    FIRST_LIMIT,
    Cursor,
    Limit,
    answers,
    entity,
    listed,
    recorded,
    recorded_answers,
)
from functions.host.caller import CurrentPlatform, IfNoneMatch, PrivateCaller
from lib.feedback.models import Feedback, FeedbackKind, RecordedFeedbackDraft

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/feedback", tags=["feedback"])

VIEW: Final = "private"


@router.post(
    "",
    operation_id="record_feedback_private",
    summary="Record feedback",
    status_code=HTTPStatus.CREATED,
    responses=recorded_answers(
        Feedback,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
    ),
)
async def record_feedback_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    draft: Annotated[RecordedFeedbackDraft, Body(openapi_examples=RECORDED_EXAMPLES)],
) -> Response:
    """Keep what a customer said, at its place in the timeline.

    The same event of the same source told again is one record: it is answered with 200 and the first record, or with
    409 when the content differs, as records do not change.
    """
    kept = await caller.platform.feedback.give(
        customer_id=customerId, draft=draft, operation=caller.operation("record_feedback_private", customerId)
    )
    return recorded(kept, view=VIEW, folder=f"/api/private/v1/customers/{customerId}/feedback")


@router.get(
    "",
    operation_id="list_feedback_private",
    summary="List a customer's feedback",
    responses=answers(HTTPStatus.OK, FeedbackList, HTTPStatus.NOT_FOUND),
)
async def list_feedback_private(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    kind: Annotated[FeedbackKind | None, Query(description="Only of this kind")] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List what a customer said, the latest first."""
    page = await platform.feedback.list_page(customer_id=customerId, kind=kind, limit=limit, cursor=cursor)
    return listed(request, page)


@router.get(
    "/{feedbackId}",
    operation_id="get_feedback_private",
    summary="Read feedback",
    responses=answers(HTTPStatus.OK, Feedback, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_feedback_private(
    platform: CurrentPlatform, customerId: CustomerId, feedbackId: FeedbackId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what was said, and who took it down; card numbers are masked."""
    answer = await platform.feedback.read(customer_id=customerId, feedback_id=feedbackId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)
