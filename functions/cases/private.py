"""Private operations on cases: staff open them, look after them, and tell who did what."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.cases.views import RECORDED_EXAMPLES, ByCaseState, BySettled, CaseId, CaseList
from functions.customers.public import CustomerId
from functions.customers.views import ChangeList, ChangeView
from functions.host.answers import (
    BODY_REFUSALS,
    FIRST_LIMIT,
    Cursor,
    Limit,
    answers,
    entity,
    listed,
    listed_models,
    written,
)
from functions.host.caller import CurrentPlatform, IfMatch, IfNoneMatch, OptionalIfMatch, PrivateCaller
from functions.host.conditions import expected_version, named_version
from functions.orders.views import OrderId
from lib.cases.models import Author, Case, CaseMove, CasePatch, RecordedCaseDraft
from lib.cases.rules import Opening, moved

router = APIRouter(prefix="/api/private/v1/customers/{customerId}", tags=["cases"])

VIEW: Final = "private"


@router.post(
    "/cases",
    operation_id="open_case_private",
    summary="Open a case for a customer",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        Case,
        HTTPStatus.NOT_FOUND,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def open_case_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    draft: Annotated[RecordedCaseDraft, Body(openapi_examples=RECORDED_EXAMPLES)],
) -> Response:
    """Open a case for a customer; the items of the order that it is about are kept as they stand now."""
    answer = await caller.platform.cases.open(
        Opening(customer_id=customerId, draft=draft, by=Author.STAFF),
        operation=caller.operation("open_case_private", customerId),
    )
    address = f"/api/private/v1/customers/{customerId}/cases/{answer.entity_id}"
    return written(answer, view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "/cases",
    operation_id="list_cases_private",
    summary="List a customer's cases for staff",
    responses=answers(HTTPStatus.OK, CaseList, HTTPStatus.NOT_FOUND),
)
async def list_cases_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    state: ByCaseState = None,
    settled: BySettled = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List cases, the latest opened first; only `next` tells the end."""
    page = await platform.cases.list_page(
        customer_id=customerId, state=state, settled=settled, limit=limit, cursor=cursor
    )
    return listed(request, page)


@router.get(
    "/cases/{caseId}",
    operation_id="get_case_private",
    summary="Read a case with what staff know of it",
    responses=answers(HTTPStatus.OK, Case, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_case_private(
    platform: CurrentPlatform, customerId: CustomerId, caseId: CaseId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read where a case stands, what it is about, and who looks after it."""
    answer = await platform.cases.read(customer_id=customerId, case_id=caseId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.patch(
    "/cases/{caseId}",
    operation_id="update_case_private",
    summary="Change a case",
    responses=answers(
        HTTPStatus.OK,
        Case,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        *BODY_REFUSALS,
        HTTPStatus.PRECONDITION_REQUIRED,
        replayable=True,
        tagged=True,
    ),
)
async def update_case_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    caseId: CaseId,
    patch: Annotated[
        CasePatch,
        Body(
            media_type="application/merge-patch+json",
            examples=[{"priority": "urgent", "assignee": "m.okafor", "reason": "travels again tomorrow"}],
        ),
    ],
    if_match: IfMatch = None,
) -> Response:
    """Apply a JSON merge patch (RFC 7396) to the version that was read; `reason` says why, and is no part of it."""
    answer = await caller.platform.cases.amend(
        customer_id=customerId,
        case_id=caseId,
        patch=patch,
        expected_version=expected_version(if_match),
        operation=caller.operation("update_case_private", caseId),
    )
    return written(answer, view=VIEW)


@router.post(
    "/cases/{caseId}/state",
    operation_id="move_case_private",
    summary="Take a case to its next state",
    responses=answers(
        HTTPStatus.OK,
        Case,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def move_case_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    caseId: CaseId,
    move: Annotated[
        CaseMove,
        Body(
            examples=[
                {"state": "open", "reason": "taken over from the night shift"},
                {
                    "state": "resolved",
                    "resolution": {"code": "solved", "text": "We have refunded what you had to buy."},
                },
            ]
        ),
    ],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Move a case as the table of its states allows; resolving and closing take a resolution."""
    answer = await caller.platform.cases.move(
        customer_id=customerId,
        case_id=caseId,
        rule=partial(moved, move=move),
        reason=move.reason or "",
        expected_version=named_version(if_match),
        operation=caller.operation("move_case_private", caseId),
    )
    return written(answer, view=VIEW)


@router.get(
    "/cases/{caseId}/changes",
    operation_id="list_case_changes_private",
    summary="Tell who changed a case, and why",
    responses=answers(HTTPStatus.OK, ChangeList, HTTPStatus.NOT_FOUND),
)
async def list_case_changes_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    caseId: CaseId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List who changed what, when and why, newest first."""
    page = await platform.cases.changes_page(customer_id=customerId, case_id=caseId, limit=limit, cursor=cursor)
    return listed_models(request, [ChangeView.of(change) for change in page.items], page.cursor)


@router.get(
    "/orders/{orderId}/cases",
    operation_id="list_order_cases_private",
    summary="List the cases about an order for staff",
    responses=answers(HTTPStatus.OK, CaseList, HTTPStatus.NOT_FOUND),
)
async def list_order_cases_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    orderId: OrderId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List the cases about an order and its items (`itemIds`), the latest opened first."""
    page = await platform.cases.list_of_order(customer_id=customerId, order_id=orderId, limit=limit, cursor=cursor)
    return listed(request, page)
