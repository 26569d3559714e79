"""Private actions on orders: their states, the statuses of their items, shipments and invoices, and cancelling."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, answers, written
from functions.host.caller import OptionalIfMatch, PrivateCaller
from functions.host.conditions import named_version
from functions.orders.private import VIEW
from functions.orders.views import Cancellation, ItemPath, NewDocument, OrderId, OrderMove
from lib.orders.fulfilment import ItemStatusChange
from lib.orders.models import Order

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/orders/{orderId}", tags=["orders"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = answers(
    HTTPStatus.OK,
    Order,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
    replayable=True,
    tagged=True,
)


@router.post(
    "/cancel", operation_id="cancel_order_private", summary="Cancel an order for a customer", responses=_ANSWERS
)
async def cancel_order_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    orderId: OrderId,
    cancellation: Annotated[Cancellation, Body(examples=[{"reason": "flight withdrawn from sale"}])],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Cancel an order that is not fulfilled yet, and what can still be cancelled of it."""
    answer = await caller.platform.orders.cancel(
        customer_id=customerId,
        order_id=orderId,
        reason=cancellation.reason,
        by_customer=False,
        expected_version=named_version(if_match),
        operation=caller.operation("cancel_order_private", orderId),
    )
    return written(answer, view=VIEW)


@router.post("/state", operation_id="move_order_private", summary="Take an order to its next state", responses=_ANSWERS)
async def move_order_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    orderId: OrderId,
    move: Annotated[OrderMove, Body(examples=[{"state": "confirmed", "reason": "payment received"}])],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Move an order as the table of its states allows; with If-Match, only in the version that was read."""
    answer = await caller.platform.orders.move(
        customer_id=customerId,
        order_id=orderId,
        state=move.state,
        reason=move.reason,
        expected_version=named_version(if_match),
        operation=caller.operation("move_order_private", orderId),
    )
    return written(answer, view=VIEW)


@router.post(
    "/items/{itemId}/status",
    operation_id="change_order_item_status_private",
    summary="Give an item its next status",
    responses=_ANSWERS,
)
async def change_order_item_status_private(
    *,
    caller: PrivateCaller,
    customerId: CustomerId,
    orderId: OrderId,
    itemId: ItemPath,
    change: Annotated[
        ItemStatusChange,
        Body(
            examples=[
                {
                    "status": "delayed",
                    "details": {"estimatedDeparture": "2026-12-20T11:00:00Z", "delayMinutes": 90},
                    "reason": "told by the station",
                },
                {"status": "shipped", "reason": "left the warehouse"},
            ]
        ),
    ],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Change an item's status as the table of its kind allows; a rebooked segment may bring its replacement."""
    answer = await caller.platform.fulfilment.change_status(
        customer_id=customerId,
        order_id=orderId,
        item_id=itemId,
        change=change,
        expected_version=named_version(if_match),
        operation=caller.operation("change_order_item_status_private", f"{orderId}/{itemId}"),
    )
    return written(answer, view=VIEW)


@router.post(
    "/documents",
    operation_id="add_order_document_private",
    summary="Add a shipment or an invoice",
    responses=_ANSWERS,
)
async def add_order_document_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    orderId: OrderId,
    document: Annotated[
        NewDocument,
        Body(
            examples=[
                {
                    "kind": "shipment",
                    "number": "SH-1001",
                    "carrier": "DHL",
                    "trackingNumber": "00340434161094042557",
                    "reason": "handed to the carrier",
                },
                {
                    "kind": "invoice",
                    "number": "2026/10422",
                    "amount": {"amount": "545.40", "currency": "EUR"},
                    "reason": "billed",
                },
            ]
        ),
    ],
    if_match: OptionalIfMatch = None,
) -> Response:
    """Keep a shipment or an invoice with a confirmed order; a shipment ships the products that it names."""
    answer = await caller.platform.fulfilment.add_document(
        customer_id=customerId,
        order_id=orderId,
        details=document.details(),
        reason=document.reason,
        expected_version=named_version(if_match),
        operation=caller.operation("add_order_document_private", orderId),
    )
    return written(answer, view=VIEW)
