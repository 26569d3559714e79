"""Private operations on deliveries."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import answers, shown
from functions.host.caller import CurrentPlatform
from functions.orders.views import OrderId
from lib.clock import rfc3339
from lib.customers.service import CustomerNotFoundError
from lib.ids import is_id
from lib.mainframe.status import DeliveryStatus, DeliveryStatusState
from lib.orders.models import ORDER_PREFIX
from lib.orders.service import OrderNotFoundError

router = APIRouter(prefix="/api/private/v1/customers", tags=["deliveries"])

_Time = Annotated[str, Field(max_length=30, json_schema_extra={"format": "date-time"})]
_Version = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class LastErrorView(BaseModel):
    """Why the last attempt did not succeed."""

    code: Annotated[str, Field(max_length=40)]
    text: Annotated[str, Field(max_length=200)]
    at: _Time


class DeliveryStatusView(BaseModel):
    """Where the delivery of a customer or an order to the mainframe stands."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    state: DeliveryStatusState
    version: Annotated[_Version, Field(description="The newest version that is kept here")]
    acknowledged_version: Annotated[
        _Version, Field(description="The newest version that the mainframe confirmed; 0 for none")
    ]
    attempts: Annotated[
        int,
        Field(ge=0, description="Without success since the last one with it", json_schema_extra={"format": "int32"}),
    ]
    next_attempt_at: _Time | None
    last_error: LastErrorView | None
    altered_fields: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(
            max_length=100, description="JSON pointers of what the mainframe holds spelled otherwise, cut or left out"
        ),
    ]

    @classmethod
    def of(cls, status: DeliveryStatus) -> "DeliveryStatusView":
        """Return how a status is shown."""
        error = status.last_error
        return cls(
            state=status.state,
            version=status.version,
            acknowledged_version=status.acknowledged_version,
            attempts=status.attempts,
            next_attempt_at=_text(status.next_attempt_at),
            last_error=LastErrorView(code=error.code, text=error.text, at=rfc3339(error.at)) if error else None,
            altered_fields=list(status.altered_fields),
        )


@router.get(
    "/{customerId}/deliveries/mainframe",
    operation_id="get_customer_mainframe_delivery_private",
    summary="Tell where a customer's delivery stands",
    responses=answers(HTTPStatus.OK, DeliveryStatusView, HTTPStatus.NOT_FOUND),
)
async def get_customer_mainframe_delivery_private(platform: CurrentPlatform, customerId: CustomerId) -> Response:
    """Tell whether the mainframe holds the newest version of a customer, and if not, why and what comes next."""
    status = (
        await platform.customer_deliveries.of(customerId, partition=customerId)
        if is_id(customerId, prefix="cus")
        else None
    )
    if status is None:
        raise CustomerNotFoundError
    return shown(DeliveryStatusView.of(status), nulls=True)


@router.get(
    "/{customerId}/orders/{orderId}/deliveries/mainframe",
    operation_id="get_order_mainframe_delivery_private",
    summary="Tell where an order's delivery stands",
    responses=answers(HTTPStatus.OK, DeliveryStatusView, HTTPStatus.NOT_FOUND),
)
async def get_order_mainframe_delivery_private(
    platform: CurrentPlatform, customerId: CustomerId, orderId: OrderId
) -> Response:
    """Tell whether the mainframe holds the newest version of an order, and if not, why and what comes next."""
    known = is_id(customerId, prefix="cus") and is_id(orderId, prefix=ORDER_PREFIX)
    status = await platform.order_deliveries.of(orderId, partition=customerId) if known else None
    if status is None:
        raise OrderNotFoundError
    return shown(DeliveryStatusView.of(status), nulls=True)


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
