"""Private operations on preferences: for agents and systems, who say where a value comes from."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, private, written
from functions.host.caller import CurrentPlatform, IfMatch, IfNoneMatch, PrivateCaller
from functions.host.conditions import expected_version
from functions.preferences.public import AMENDED
from functions.preferences.views import STATED_EXAMPLE, StatementList, StatementView
from lib.preferences.models import PreferenceKind, Preferences
from lib.preferences.patch import StatedPatch

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/preferences", tags=["preferences"])

VIEW: Final = "private"


@router.get(
    "",
    operation_id="get_preferences_private",
    summary="Read a customer's preferences",
    responses=answers(HTTPStatus.OK, Preferences, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_preferences_private(
    platform: CurrentPlatform, customerId: CustomerId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the current values and who stated them; of a customer who stated none, version 0 without values."""
    answer = await platform.preferences.read(customer_id=customerId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.patch(
    "",
    operation_id="update_preferences_private",
    summary="Record what a customer prefers",
    responses=private(AMENDED),
)
async def update_preferences_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    patch: Annotated[StatedPatch, Body(media_type="application/merge-patch+json", examples=[STATED_EXAMPLE])],
    if_match: IfMatch = None,
) -> Response:
    """Apply a JSON merge patch (RFC 7396) and say who stated it, when, and whether it is confirmed.

    The latest confirmed statement holds; what is outranked goes to the history and leaves the current value alone.
    """
    answer = await caller.platform.preferences.amend(
        customer_id=customerId,
        patch=patch,
        by=patch.stated,
        expected_version=expected_version(if_match),
        operation=caller.operation("update_preferences_private", customerId),
    )
    return written(answer, view=VIEW)


@router.get(
    "/history",
    operation_id="list_preference_history_private",
    summary="Tell who stated which preference",
    responses=answers(HTTPStatus.OK, StatementList, HTTPStatus.NOT_FOUND),
)
async def list_preference_history_private(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    kind: Annotated[PreferenceKind | None, Query(description="Only statements of this kind")] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List everything that was stated, last stated first; what was told late stands where it belongs."""
    page = await platform.preferences.history_page(customer_id=customerId, kind=kind, limit=limit, cursor=cursor)
    return listed_models(request, [StatementView.model_validate(item) for item in page.items], page.cursor)
