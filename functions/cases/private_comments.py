"""Private operations on the comments of cases: what staff write to the customer and to each other."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.cases.private import VIEW
from functions.cases.views import CaseId, CommentList, CommentNumber
from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, PrivateCaller
from lib.cases.models import Comment, RecordedCommentDraft

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/cases/{caseId}/comments", tags=["cases"])


@router.post(
    "",
    operation_id="add_case_comment_private",
    summary="Write in a case for staff",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        Comment,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def add_case_comment_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    caseId: CaseId,
    draft: Annotated[
        RecordedCommentDraft,
        Body(
            examples=[
                {"text": "Please send us the receipts.", "visibility": "public"},
                {"text": "The station in Lisbon has the bag.", "visibility": "internal"},
                {"text": "I am home from Friday.", "author": "customer"},
            ]
        ),
    ],
) -> Response:
    """Add a comment for the customer or for colleagues, or what the customer said by another channel."""
    answer = await caller.platform.case_comments.add(
        customer_id=customerId,
        case_id=caseId,
        draft=draft,
        operation=caller.operation("add_case_comment_private", caseId),
    )
    address = f"/api/private/v1/customers/{customerId}/cases/{caseId}/comments/{answer.entity_id}"
    return written(answer, view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "",
    operation_id="list_case_comments_private",
    summary="Read all that was written in a case",
    responses=answers(HTTPStatus.OK, CommentList, HTTPStatus.NOT_FOUND),
)
async def list_case_comments_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    caseId: CaseId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List what customer and staff wrote, internal comments among it, the first first."""
    page = await platform.case_comments.page(
        customer_id=customerId, case_id=caseId, public=False, limit=limit, cursor=cursor
    )
    return listed(request, page)


@router.get(
    "/{number}",
    operation_id="get_case_comment_private",
    summary="Read a comment, internal or not",
    responses=answers(HTTPStatus.OK, Comment, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_case_comment_private(
    platform: CurrentPlatform,
    customerId: CustomerId,
    caseId: CaseId,
    number: CommentNumber,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read one comment, and who wrote it."""
    answer = await platform.case_comments.read(customer_id=customerId, case_id=caseId, number=number, public=False)
    return entity(answer, view=VIEW, if_none_match=if_none_match)
