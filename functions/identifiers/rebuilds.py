"""Private operations on rebuilds of the index of identifiers."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Request
from starlette.responses import Response

from functions.host.answers import (
    BODY_REFUSALS,
    FIRST_LIMIT,
    MOST_LINES,
    Cursor,
    JsonLines,
    Limit,
    Lines,
    answers,
    lined_answers,
    lines,
    listed_models,
    shown,
)
from functions.host.caller import CurrentPlatform, PrivateCaller
from functions.identifiers.rebuild_views import DifferenceView, RebuildList, RebuildRequest, RebuildView

router = APIRouter(prefix="/api/private/v1/identifier-rebuilds", tags=["identifiers"])

RebuildId = Annotated[str, Path(max_length=64, description="The rebuild's id")]
_WRITE: Final = (
    HTTPStatus.CONFLICT,
    *BODY_REFUSALS,
)


@router.post(
    "",
    operation_id="create_identifier_rebuild_private",
    summary="Rebuild the index of identifiers",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(HTTPStatus.ACCEPTED, RebuildView, *_WRITE, replayable=True),
)
async def create_identifier_rebuild_private(
    caller: PrivateCaller, body: Annotated[RebuildRequest | None, Body(examples=[{"dryRun": True}])] = None
) -> Response:
    """Start to hold the index against all that is committed, and answer where to watch it. One runs at a time."""
    asked = body or RebuildRequest()

    async def start() -> RebuildView:
        operation = caller.operation("create_identifier_rebuild_private")
        return RebuildView.of(
            await caller.platform.identifier_rebuilds.start(dry_run=asked.dry_run, operation=operation)
        )

    return await caller.once(
        "create_identifier_rebuild_private",
        "",
        start,
        status=HTTPStatus.ACCEPTED,
        location=lambda rebuild_id: f"/api/private/v1/identifier-rebuilds/{rebuild_id}",
    )


@router.get(
    "",
    operation_id="list_identifier_rebuilds_private",
    summary="List rebuilds",
    responses=answers(HTTPStatus.OK, RebuildList),
)
async def list_identifier_rebuilds_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List rebuilds, newest first."""
    page = await platform.identifier_rebuilds.list_page(limit=limit, cursor=cursor)
    return listed_models(request, [RebuildView.of(run) for run in page.items], page.cursor)


@router.get(
    "/{rebuildId}",
    operation_id="get_identifier_rebuild_private",
    summary="Tell how far a rebuild is",
    responses=answers(HTTPStatus.OK, RebuildView, HTTPStatus.NOT_FOUND),
)
async def get_identifier_rebuild_private(platform: CurrentPlatform, rebuildId: RebuildId) -> Response:
    """Tell how far it is and what it found."""
    return shown(RebuildView.of(await platform.identifier_rebuilds.read(rebuild_id=rebuildId)))


@router.get(
    "/{rebuildId}/differences",
    operation_id="get_identifier_rebuild_differences_private",
    summary="Download where the index was wrong",
    response_class=JsonLines,
    responses=lined_answers(DifferenceView, HTTPStatus.NOT_FOUND),
)
async def get_identifier_rebuild_differences_private(
    request: Request,
    platform: CurrentPlatform,
    rebuildId: RebuildId,
    limit: Lines = MOST_LINES,
    cursor: Cursor = None,
) -> Response:
    """Download every difference, one JSON object per line, in the order in which they were found.

    Up to 10,000 lines at once; when there are more, the header Link names the next part. While the rebuild runs, this
    is what was found so far. What the relay was about to write counts as missing: a dry run at a busy time lists some.
    """
    page = await platform.identifier_rebuilds.difference_page(rebuild_id=rebuildId, limit=limit, cursor=cursor)
    return lines(request, [DifferenceView.of(one) for one in page.items], page.cursor, file_name=rebuildId)


@router.post(
    "/{rebuildId}/cancel",
    operation_id="cancel_identifier_rebuild_private",
    summary="Cancel a rebuild",
    responses=answers(HTTPStatus.OK, RebuildView, *_WRITE, HTTPStatus.NOT_FOUND, replayable=True),
)
async def cancel_identifier_rebuild_private(caller: PrivateCaller, rebuildId: RebuildId) -> Response:
    """End it where it is; what it found, and mended, stays. Doing it again changes nothing."""

    async def cancel() -> RebuildView:
        cancelled = caller.platform.identifier_rebuilds.cancel(rebuild_id=rebuildId, actor=caller.actor)
        return RebuildView.of(await cancelled)

    return await caller.once("cancel_identifier_rebuild_private", rebuildId, cancel)
