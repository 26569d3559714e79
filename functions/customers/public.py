"""Public operations on customers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path
from starlette.responses import Response

from functions.host.answers import BODY_REFUSALS, answers, entity, written
from functions.host.caller import CurrentPlatform, IfMatch, IfNoneMatch, PublicCaller
from functions.host.conditions import expected_version
from lib.customers.models import Customer, CustomerDetails
from lib.customers.patch import CustomerPatch

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])

CustomerId = Annotated[
    str, Path(max_length=64, description="The customer's id", examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]
VIEW = "public"
_EXAMPLE = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "nationality": "GB",
    "loyalty": {"number": "IO-204488", "tier": "gold"},
}


@router.post(
    "",
    operation_id="create_customer",
    summary="Create a customer",
    status_code=HTTPStatus.CREATED,
    responses=answers(
        HTTPStatus.CREATED,
        Customer,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
        replayable=True,
        tagged=True,
    ),
)
async def create_customer(
    caller: PublicCaller, details: Annotated[CustomerDetails, Body(examples=[_EXAMPLE])]
) -> Response:
    """Keep a new customer; the mainframe hears of it within seconds."""
    answer = await caller.platform.customers.create(details=details, operation=caller.operation("create_customer"))
    return written(answer, view=VIEW, status=HTTPStatus.CREATED, location=f"/api/v1/customers/{answer.entity_id}")


@router.get(
    "/{customerId}",
    operation_id="get_customer",
    summary="Read a customer",
    responses=answers(HTTPStatus.OK, Customer, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_customer(
    platform: CurrentPlatform, customerId: CustomerId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read a customer; the passport number is masked."""
    answer = await platform.customers.read(customer_id=customerId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.patch(
    "/{customerId}",
    operation_id="update_customer",
    summary="Change a customer",
    responses=answers(
        HTTPStatus.OK,
        Customer,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        *BODY_REFUSALS,
        HTTPStatus.PRECONDITION_REQUIRED,
        replayable=True,
        tagged=True,
    ),
)
async def update_customer(
    caller: PublicCaller,
    customerId: CustomerId,
    patch: Annotated[CustomerPatch, Body(media_type="application/merge-patch+json", examples=[{"title": "Countess"}])],
    if_match: IfMatch = None,
) -> Response:
    """Apply a JSON merge patch (RFC 7396) to the version that was read."""
    answer = await caller.platform.customers.amend(
        customer_id=customerId,
        patch=patch,
        expected_version=expected_version(if_match),
        operation=caller.operation("update_customer", customerId),
    )
    return written(answer, view=VIEW)
