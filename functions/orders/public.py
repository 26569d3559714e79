"""Public operations on orders."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OptionalIfMatch, PublicCaller
from functions.host.conditions import named_version
from functions.orders.views import TRIP, WIDGETS, ByState, ByTime, CustomersCancellation, OrderId, OrderList
from lib.orders.models import Order, OrderDetails

router = APIRouter(prefix="/api/v1/customers/{customerId}/orders", tags=["orders"])

VIEW: Final = "public"
_CUSTOMERS_WISH: Final = "the customer asked for it"


@router.post(
    "",
    operation_id="place_order",
    summary="Place an order",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        Order,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def place_order(
    caller: PublicCaller, customerId: CustomerId, details: Annotated[OrderDetails, Body(examples=[TRIP, WIDGETS])]
) -> Response:
    """Keep a new order; what it leaves open of meals, seats and drinks is filled in from the customer's preferences."""
    answer = await caller.platform.orders.place(
        customer_id=customerId, details=details, operation=caller.operation("place_order", customerId)
    )
    address = f"/api/v1/customers/{customerId}/orders/{answer.entity_id}"
    return written(answer, view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "",
    operation_id="list_orders",
    summary="List a customer's orders",
    responses=answers(HTTPStatus.OK, OrderList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_orders(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    when: ByTime = None,
    state: ByState = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List coming orders soonest first, past ones or all latest first; only `next` tells the end."""
    page = await platform.orders.list_page(customer_id=customerId, when=when, state=state, limit=limit, cursor=cursor)
    return listed(request, page)


@router.get(
    "/{orderId}",
    operation_id="get_order",
    summary="Read an order",
    responses=answers(HTTPStatus.OK, Order, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_order(
    platform: CurrentPlatform, customerId: CustomerId, orderId: OrderId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read an order with its items, their statuses, and its shipments and invoices."""
    answer = await platform.orders.read(customer_id=customerId, order_id=orderId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.post(
    "/{orderId}/cancel",
    operation_id="cancel_order",
    summary="Cancel an order",
    responses=answers(
        HTTPStatus.OK,
        Order,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def cancel_order(
    caller: PublicCaller,
    customerId: CustomerId,
    orderId: OrderId,
    cancellation: Annotated[CustomersCancellation, Body(examples=[{"reason": "plans changed"}, {}])],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Cancel an order that is placed or confirmed; with If-Match, only in the version that was read."""
    answer = await caller.platform.orders.cancel(
        customer_id=customerId,
        order_id=orderId,
        reason=cancellation.reason or _CUSTOMERS_WISH,
        by_customer=True,
        expected_version=named_version(if_match),
        operation=caller.operation("cancel_order", orderId),
    )
    return written(answer, view=VIEW)
