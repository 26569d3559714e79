"""Private operations on replays."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from starlette.responses import Response

from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, listed_models, shown
from functions.host.caller import CurrentPlatform, PrivateCaller
from functions.replays.views import AuditEntryView, AuditView, DryRunView, ReplayList, ReplayView
from lib.replays.models import ReplayRequest

router = APIRouter(prefix="/api/private/v1/replays", tags=["replays"])

ReplayId = Annotated[str, Path(max_length=64, description="The replay's id")]
_EXAMPLE = {
    "filter": {"kind": "rejected", "code": "E042"},
    "reason": "Country table was corrected at the mainframe",
    "ticket": "OPS-1742",
    "requestedBy": "m.okafor",
    "ratePerSecond": 5,
    "canary": 1,
    "stopAfterFailures": 10,
    "dryRun": True,
}
_BODY = (
    HTTPStatus.CONFLICT,
    *BODY_REFUSALS,
)


@router.post(
    "",
    operation_id="create_replay_private",
    summary="Replay failures",
    status_code=HTTPStatus.ACCEPTED,
    responses={
        **answers(HTTPStatus.ACCEPTED, ReplayView, *_BODY, replayable=True),
        200: {"description": "What the replay would do (dryRun)", "model": DryRunView},
    },
)
async def create_replay_private(
    caller: PrivateCaller, replay: Annotated[ReplayRequest, Body(examples=[_EXAMPLE])]
) -> Response:
    """Send failures again: with `dryRun` only tell what would be sent; else start, and answer where to watch it.

    The same request twice is one replay, until that was stopped or cancelled; a `requestId` tells it from an equal one.
    """
    if replay.dry_run:
        return shown(DryRunView.of(await caller.platform.replays.dry_run(replay)))

    async def start() -> ReplayView:
        return ReplayView.of(await caller.platform.replays.start(replay, actor=caller.actor, anew=True))

    return await caller.once(
        "create_replay_private",
        "",
        start,
        status=HTTPStatus.ACCEPTED,
        location=lambda replay_id: f"/api/private/v1/replays/{replay_id}",
    )


@router.get(
    "", operation_id="list_replays_private", summary="List replays", responses=answers(HTTPStatus.OK, ReplayList)
)
async def list_replays_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List replays, newest first."""
    page = await platform.replays.list_page(limit=limit, cursor=cursor)
    return listed_models(request, [ReplayView.of(replay) for replay in page.items], page.cursor)


@router.get(
    "/{replayId}",
    operation_id="get_replay_private",
    summary="Tell where a replay stands",
    responses=answers(HTTPStatus.OK, ReplayView, HTTPStatus.NOT_FOUND),
)
async def get_replay_private(platform: CurrentPlatform, replayId: ReplayId) -> Response:
    """Tell where a replay stands, with counts that always add up."""
    return shown(ReplayView.of(await platform.replays.read(replay_id=replayId)))


@router.get(
    "/{replayId}/audit",
    operation_id="get_replay_audit_private",
    summary="Tell every step of a replay",
    responses=answers(HTTPStatus.OK, AuditView, HTTPStatus.NOT_FOUND),
)
async def get_replay_audit_private(platform: CurrentPlatform, replayId: ReplayId) -> Response:
    """Tell every step of a replay: who, when, on whose ticket."""
    entries = await platform.replays.audit(replay_id=replayId)
    return shown(AuditView(items=[AuditEntryView.of(entry) for entry in entries]))


@router.post(
    "/{replayId}/pause",
    operation_id="pause_replay_private",
    summary="Pause a replay",
    responses=answers(HTTPStatus.OK, ReplayView, *_BODY, HTTPStatus.NOT_FOUND, replayable=True),
)
async def pause_replay_private(caller: PrivateCaller, replayId: ReplayId) -> Response:
    """Stop sending until it is resumed; what was sent is delivered. Doing it again changes nothing."""

    async def pause() -> ReplayView:
        return ReplayView.of(await caller.platform.replays.pause(replay_id=replayId, actor=caller.actor))

    return await caller.once("pause_replay_private", replayId, pause)


@router.post(
    "/{replayId}/resume",
    operation_id="resume_replay_private",
    summary="Resume a replay",
    responses=answers(HTTPStatus.OK, ReplayView, *_BODY, HTTPStatus.NOT_FOUND, replayable=True),
)
async def resume_replay_private(caller: PrivateCaller, replayId: ReplayId) -> Response:
    """Go on where it was paused. Doing it again changes nothing."""

    async def resume() -> ReplayView:
        return ReplayView.of(await caller.platform.replays.resume(replay_id=replayId, actor=caller.actor))

    return await caller.once("resume_replay_private", replayId, resume)


@router.post(
    "/{replayId}/cancel",
    operation_id="cancel_replay_private",
    summary="Cancel a replay",
    responses=answers(HTTPStatus.OK, ReplayView, *_BODY, HTTPStatus.NOT_FOUND, replayable=True),
)
async def cancel_replay_private(caller: PrivateCaller, replayId: ReplayId) -> Response:
    """End it: what was sent is delivered, what still waits is open again. Doing it again changes nothing."""

    async def cancel() -> ReplayView:
        return ReplayView.of(await caller.platform.replays.cancel(replay_id=replayId, actor=caller.actor))

    return await caller.once("cancel_replay_private", replayId, cancel)
