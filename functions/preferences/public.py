"""Public operations on preferences: a customer's own."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, answers, entity, written
from functions.host.caller import CurrentPlatform, IfMatch, IfNoneMatch, PublicCaller
from functions.host.conditions import expected_version
from functions.preferences.views import EXAMPLE
from lib.preferences.models import Preferences
from lib.preferences.patch import BY_THE_CUSTOMER, PreferencesPatch

router = APIRouter(prefix="/api/v1/customers/{customerId}/preferences", tags=["preferences"])

VIEW: Final = "public"
AMENDED: Final = answers(
    HTTPStatus.OK,
    Preferences,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
    HTTPStatus.PRECONDITION_REQUIRED,
    replayable=True,
    tagged=True,
)


@router.get(
    "",
    operation_id="get_preferences",
    summary="Read a customer's preferences",
    responses=answers(HTTPStatus.OK, Preferences, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_preferences(
    platform: CurrentPlatform, customerId: CustomerId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the current values and who stated them; of a customer who stated none, version 0 without values."""
    answer = await platform.preferences.read(customer_id=customerId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.patch(
    "",
    operation_id="update_preferences",
    summary="State preferences",
    responses=AMENDED,
)
async def update_preferences(
    caller: PublicCaller,
    customerId: CustomerId,
    patch: Annotated[PreferencesPatch, Body(media_type="application/merge-patch+json", examples=[EXAMPLE])],
    if_match: IfMatch = None,
) -> Response:
    """Apply a JSON merge patch (RFC 7396) to the version that was read: stated now, by the customer, confirmed.

    The first patch carries the ETag of version 0, as it was read. Null withdraws a value.
    """
    answer = await caller.platform.preferences.amend(
        customer_id=customerId,
        patch=patch,
        by=BY_THE_CUSTOMER,
        expected_version=expected_version(if_match),
        operation=caller.operation("update_preferences", customerId),
    )
    return written(answer, view=VIEW)
