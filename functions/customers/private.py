"""Private operations on customers: for systems and staff inside the company."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.customers.views import ChangeList, ChangeView, CustomerList
from functions.host.answers import FIRST_LIMIT, Cursor, Limit, answers, entity, listed, listed_models
from functions.host.caller import CurrentPlatform, IfNoneMatch
from lib.customers.models import Customer

router = APIRouter(prefix="/api/private/v1/customers", tags=["customers"])

VIEW = "private"


@router.get(
    "",
    operation_id="list_customers_private",
    summary="List all customers",
    responses=answers(HTTPStatus.OK, CustomerList),
)
async def list_customers_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List all customers, page by page in no promised order; a change shows within seconds."""
    return listed(request, await platform.customers.list_page(limit=limit, cursor=cursor))


@router.get(
    "/{customerId}",
    operation_id="get_customer_private",
    summary="Read a customer",
    responses=answers(HTTPStatus.OK, Customer, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_customer_private(
    platform: CurrentPlatform,
    customerId: CustomerId,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read a customer; the passport number is masked."""
    answer = await platform.customers.read(customer_id=customerId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.get(
    "/{customerId}/changes",
    operation_id="list_customer_changes_private",
    summary="Tell who changed a customer",
    responses=answers(HTTPStatus.OK, ChangeList, HTTPStatus.NOT_FOUND),
)
async def list_customer_changes_private(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List who changed what and when, newest first; sensitive values as keyed digests."""
    page = await platform.customers.changes_page(customer_id=customerId, limit=limit, cursor=cursor)
    return listed_models(request, [ChangeView.of(change) for change in page.items], page.cursor)
