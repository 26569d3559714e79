"""Public operations on timelines: a customer's own."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.host.answers import FIRST_LIMIT, Cursor, Limit, answers, listed_models
from functions.host.caller import CurrentPlatform
from functions.timeline.views import EntryChannel, EntryKind, EntryType, From, Timeline, TimelineEntryView, To
from lib.timeline.filters import TimelineFilter

router = APIRouter(prefix="/api/v1/customers/{customerId}/timeline", tags=["timeline"])


@router.get(
    "",
    operation_id="get_timeline",
    summary="Read a customer's timeline",
    responses=answers(HTTPStatus.OK, Timeline, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def get_timeline(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    type: EntryType = None,  # noqa: A002 - its name on the wire
    channel: EntryChannel = None,
    kind: EntryKind = None,
    from_at: From = None,
    to_at: To = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Tell everything that happened to a customer, the latest first; what is told late stands where it happened.

    Nothing is met twice and nothing is passed over while more arrives; what takes its place above a cursor is met
    by reading from the start.
    """
    asked = TimelineFilter(type=type, channel=channel, kind=kind, from_at=from_at, to_at=to_at)
    page = await platform.timeline.page(customer_id=customerId, asked=asked, limit=limit, cursor=cursor)
    return listed_models(request, [TimelineEntryView.of(entry) for entry in page.items], page.cursor)
