"""Private operations on orders: placed, read, listed, changed and explained inside the company."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

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
from functions.host.caller import CurrentPlatform, IfMatch, IfNoneMatch, PrivateCaller
from functions.host.conditions import expected_version
from functions.orders.views import TRIP, WIDGETS, ByState, ByTime, OrderId, OrderList
from lib.orders.models import Order, OrderDetails, OrderPatch

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/orders", tags=["orders"])

VIEW: Final = "private"


@router.post(
    "",
    operation_id="place_order_private",
    summary="Place an order for a customer",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        Order,
        HTTPStatus.NOT_FOUND,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def place_order_private(
    caller: PrivateCaller, customerId: CustomerId, details: Annotated[OrderDetails, Body(examples=[TRIP, WIDGETS])]
) -> Response:
    """Keep a new order; what it leaves open of meals, seats and drinks is filled in from the customer's preferences."""
    answer = await caller.platform.orders.place(
        customer_id=customerId, details=details, operation=caller.operation("place_order_private", customerId)
    )
    address = f"/api/private/v1/customers/{customerId}/orders/{answer.entity_id}"
    return written(answer, view=VIEW, status=HTTPStatus.CREATED, location=address)


@router.get(
    "",
    operation_id="list_orders_private",
    summary="List a customer's orders",
    responses=answers(HTTPStatus.OK, OrderList, HTTPStatus.NOT_FOUND),
)
async def list_orders_private(
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
    operation_id="get_order_private",
    summary="Read an order",
    responses=answers(HTTPStatus.OK, Order, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_order_private(
    platform: CurrentPlatform, customerId: CustomerId, orderId: OrderId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read an order with its items, their statuses, and its shipments and invoices."""
    answer = await platform.orders.read(customer_id=customerId, order_id=orderId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.patch(
    "/{orderId}",
    operation_id="update_order_private",
    summary="Change an order",
    responses=answers(
        HTTPStatus.OK,
        Order,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        *BODY_REFUSALS,
        HTTPStatus.PRECONDITION_REQUIRED,
        replayable=True,
        tagged=True,
    ),
)
async def update_order_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    orderId: OrderId,
    patch: Annotated[
        OrderPatch,
        Body(
            media_type="application/merge-patch+json",
            examples=[{"reason": "asked for by phone", "notes": "Travels with a cello"}],
        ),
    ],
    if_match: IfMatch = None,
) -> Response:
    """Apply a JSON merge patch (RFC 7396) to the version that was read; `reason` says why, and is no part of it."""
    answer = await caller.platform.orders.amend(
        customer_id=customerId,
        order_id=orderId,
        patch=patch,
        expected_version=expected_version(if_match),
        operation=caller.operation("update_order_private", orderId),
    )
    return written(answer, view=VIEW)


@router.get(
    "/{orderId}/changes",
    operation_id="list_order_changes_private",
    summary="Tell who changed an order, and why",
    responses=answers(HTTPStatus.OK, ChangeList, HTTPStatus.NOT_FOUND),
)
async def list_order_changes_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    orderId: OrderId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List who changed what, when and why, newest first; items are named by their ids."""
    page = await platform.orders.changes_page(customer_id=customerId, order_id=orderId, limit=limit, cursor=cursor)
    return listed_models(request, [ChangeView.of(change) for change in page.items], page.cursor)
