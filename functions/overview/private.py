"""The private operation that tells all of a customer in one call."""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import JSON, answers
from functions.host.caller import CurrentPlatform
from functions.overview.sections import BY_NAME
from functions.overview.views import Include, OverviewView, overview_text
from lib.clock import rfc3339

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/overview", tags=["overview"])


@router.get(
    "",
    operation_id="get_overview_private",
    summary="Read all that is known of a customer",
    responses=answers(HTTPStatus.OK, OverviewView, HTTPStatus.NOT_FOUND),
)
async def get_overview_private(platform: CurrentPlatform, customerId: CustomerId, include: Include = None) -> Response:
    """Read the profile and the first page of everything else side by side, each within a time limit of its own.

    A section that cannot be read says so and leaves the others as they are; only when no section can be read is the
    answer 503. `next` of a list is where its own operation goes on.
    """
    names = list(dict.fromkeys(include.split(","))) if include else list(BY_NAME)
    readers = {name: partial(BY_NAME[name].read, platform, customerId) for name in names}
    found = await platform.overview.read(customer_id=customerId, readers=readers)
    text = overview_text(customerId, rfc3339(platform.clock.now()), found, names)
    return Response(text, media_type=JSON, headers={"Cache-Control": "no-store"})
