"""Public operations on cases: customers open them, follow them, answer, reopen and withdraw them."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.cases.views import (
    EXAMPLES,
    ByCaseState,
    BySettled,
    CaseId,
    CommentNumber,
    CustomersReason,
    OwnCaseList,
    OwnCommentList,
    own_case,
    own_cases,
    own_comment,
    own_comments,
)
from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OptionalIfMatch, PublicCaller
from functions.host.conditions import named_version
from functions.orders.views import OrderId
from lib.cases.models import Author, CaseDraft, CommentDraft, OwnCase, OwnComment
from lib.cases.rules import Opening, reopened, withdrawn

router = APIRouter(prefix="/api/v1/customers/{customerId}", tags=["cases"])

VIEW: Final = "public"
_CUSTOMERS_WISH: Final = "the customer asked for it"
_MOVED: Final[dict[int | str, dict[str, Any]]] = answers(
    HTTPStatus.OK,
    OwnCase,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
    replayable=True,
    tagged=True,
)


@router.post(
    "/cases",
    operation_id="open_case",
    summary="Open a case",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        OwnCase,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def open_case(
    caller: PublicCaller, customerId: CustomerId, draft: Annotated[CaseDraft, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """Ask, complain or claim; `about` names the order, its items, or what else it is about.

    Card numbers in what is written are masked before it is kept.
    """
    answer = await caller.platform.cases.open(
        Opening(customer_id=customerId, draft=draft, by=Author.CUSTOMER),
        operation=caller.operation("open_case", customerId),
    )
    address = f"/api/v1/customers/{customerId}/cases/{answer.entity_id}"
    return written(own_case(answer), view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "/cases",
    operation_id="list_cases",
    summary="List a customer's cases",
    responses=answers(HTTPStatus.OK, OwnCaseList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_cases(
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
    return listed(request, own_cases(page))


@router.get(
    "/cases/{caseId}",
    operation_id="get_case",
    summary="Read a case",
    responses=answers(HTTPStatus.OK, OwnCase, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_case(
    platform: CurrentPlatform, customerId: CustomerId, caseId: CaseId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read where a case stands, what it is about, and how it was resolved."""
    answer = await platform.cases.read(customer_id=customerId, case_id=caseId)
    return entity(own_case(answer), view=VIEW, if_none_match=if_none_match)


@router.post("/cases/{caseId}/reopen", operation_id="reopen_case", summary="Reopen a case", responses=_MOVED)
async def reopen_case(
    caller: PublicCaller,
    customerId: CustomerId,
    caseId: CaseId,
    said: Annotated[CustomersReason, Body(examples=[{"reason": "it happened again"}, {}])],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Open a resolved case again; a closed one stays closed, and another one may follow it by `about.caseId`."""
    answer = await caller.platform.cases.move(
        customer_id=customerId,
        case_id=caseId,
        rule=reopened,
        reason=said.reason or _CUSTOMERS_WISH,
        expected_version=named_version(if_match),
        operation=caller.operation("reopen_case", caseId),
    )
    return written(own_case(answer), view=VIEW)


@router.post("/cases/{caseId}/withdraw", operation_id="withdraw_case", summary="Withdraw a case", responses=_MOVED)
async def withdraw_case(
    caller: PublicCaller,
    customerId: CustomerId,
    caseId: CaseId,
    said: Annotated[CustomersReason, Body(examples=[{"reason": "the bag was found"}, {}])],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Close a case that the customer does not pursue any more."""
    answer = await caller.platform.cases.move(
        customer_id=customerId,
        case_id=caseId,
        rule=withdrawn,
        reason=said.reason or _CUSTOMERS_WISH,
        expected_version=named_version(if_match),
        operation=caller.operation("withdraw_case", caseId),
    )
    return written(own_case(answer), view=VIEW)


@router.post(
    "/cases/{caseId}/comments",
    operation_id="add_case_comment",
    summary="Write in a case",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        OwnComment,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def add_case_comment(
    caller: PublicCaller,
    customerId: CustomerId,
    caseId: CaseId,
    draft: Annotated[CommentDraft, Body(examples=[{"text": "The receipts are attached to my e-mail of today."}])],
) -> Response:
    """Add what the customer says; a case that waited for the customer, or was resolved, is open again."""
    answer = await caller.platform.case_comments.add(
        customer_id=customerId,
        case_id=caseId,
        draft=draft,
        operation=caller.operation("add_case_comment", caseId),
    )
    address = f"/api/v1/customers/{customerId}/cases/{caseId}/comments/{answer.entity_id}"
    return written(own_comment(answer), view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "/cases/{caseId}/comments",
    operation_id="list_case_comments",
    summary="Read what was written in a case",
    responses=answers(HTTPStatus.OK, OwnCommentList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_case_comments(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    caseId: CaseId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List what customer and staff wrote to each other, the first first; only `next` tells the end."""
    page = await platform.case_comments.page(
        customer_id=customerId, case_id=caseId, public=True, limit=limit, cursor=cursor
    )
    return listed(request, own_comments(page))


@router.get(
    "/cases/{caseId}/comments/{number}",
    operation_id="get_case_comment",
    summary="Read a comment",
    responses=answers(HTTPStatus.OK, OwnComment, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_case_comment(
    platform: CurrentPlatform,
    customerId: CustomerId,
    caseId: CaseId,
    number: CommentNumber,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read one comment; numbers that staff wrote among themselves are not shown here."""
    answer = await platform.case_comments.read(customer_id=customerId, case_id=caseId, number=number, public=True)
    return entity(own_comment(answer), view=VIEW, if_none_match=if_none_match)


@router.get(
    "/orders/{orderId}/cases",
    operation_id="list_order_cases",
    summary="List the cases about an order",
    responses=answers(HTTPStatus.OK, OwnCaseList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_order_cases(
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
    return listed(request, own_cases(page))
