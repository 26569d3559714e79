"""Private operations on interactions: systems and staff tell what passed between a customer and the airline."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import (
    BODY_REFUSALS,
    FIRST_LIMIT,
    Cursor,
    Limit,
    answers,
    entity,
    listed,
    recorded,
    recorded_answers,
)
from functions.host.caller import CurrentPlatform, IfNoneMatch, PrivateCaller
from functions.interactions.views import EXAMPLES, InteractionList
from lib.interactions.models import Interaction, InteractionDraft
from lib.interactions.words import InteractionChannel, InteractionKind

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/interactions", tags=["interactions"])

VIEW: Final = "private"
InteractionId = Annotated[
    str, Path(max_length=64, description="The interaction's id", examples=["int_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]


@router.post(
    "",
    operation_id="record_interaction_private",
    summary="Record an interaction",
    status_code=HTTPStatus.CREATED,
    responses=recorded_answers(
        Interaction,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
    ),
)
async def record_interaction_private(
    caller: PrivateCaller, customerId: CustomerId, draft: Annotated[InteractionDraft, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """Keep what happened, now or long ago, at its place in the timeline.

    The same event of the same source told again is one record: it is answered with 200 and the first record, or with
    409 when the content differs, as records do not change. Card numbers in free text are masked before they are kept.
    """
    kept = await caller.platform.interactions.record(
        customer_id=customerId, draft=draft, operation=caller.operation("record_interaction_private", customerId)
    )
    return recorded(kept, view=VIEW, folder=f"/api/private/v1/customers/{customerId}/interactions")


@router.get(
    "",
    operation_id="list_interactions_private",
    summary="List a customer's interactions",
    responses=answers(HTTPStatus.OK, InteractionList, HTTPStatus.NOT_FOUND),
)
async def list_interactions_private(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    kind: Annotated[InteractionKind | None, Query(description="Only of this kind")] = None,
    channel: Annotated[InteractionChannel | None, Query(description="Only through this channel")] = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List what happened, the latest first, without bodies."""
    page = await platform.interactions.list_page(
        customer_id=customerId, kind=kind, channel=channel, limit=limit, cursor=cursor
    )
    return listed(request, page)


@router.get(
    "/{interactionId}",
    operation_id="get_interaction_private",
    summary="Read an interaction",
    responses=answers(HTTPStatus.OK, Interaction, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_interaction_private(
    platform: CurrentPlatform, customerId: CustomerId, interactionId: InteractionId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read an interaction as it was told; card numbers are masked."""
    answer = await platform.interactions.read(customer_id=customerId, interaction_id=interactionId)
    return entity(answer, view=VIEW, if_none_match=if_none_match)
