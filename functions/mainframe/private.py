"""Private operations on the road to the mainframe."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, listed_models, shown
from functions.host.caller import CurrentPlatform, PrivateCaller
from functions.mainframe.views import (
    MainframeView,
    PauseAuditList,
    PauseAuditView,
    PauseRequest,
    ResumeRequest,
    SwitchView,
)

router = APIRouter(prefix="/api/private/v1/mainframe", tags=["mainframe"])

_WRITE: Final = (*BODY_REFUSALS,)
_EXAMPLE: Final = {"reason": "Quarterly upgrade", "ticket": "CHG-2210", "until": "2026-03-01T04:00:00Z"}


@router.get(
    "",
    operation_id="get_mainframe_private",
    summary="Tell how the road to the mainframe does",
    responses=answers(HTTPStatus.OK, MainframeView),
)
async def get_mainframe_private(platform: CurrentPlatform) -> Response:
    """Tell whether deliveries go out, what waits and since when, and how much arrives."""
    return shown(MainframeView.of(await platform.mainframe.look()), nulls=True)


@router.post(
    "/pause",
    operation_id="pause_mainframe_private",
    summary="Pause deliveries to the mainframe",
    responses=answers(HTTPStatus.OK, SwitchView, *_WRITE, replayable=True),
)
async def pause_mainframe_private(
    caller: PrivateCaller, body: Annotated[PauseRequest, Body(examples=[_EXAMPLE])]
) -> Response:
    """Park everything and call nothing, for a maintenance window. Calls on their way finish.

    Asked for again, nothing changes; with another reason, ticket or end, the pause that holds is changed.
    """

    async def pause() -> SwitchView:
        view = await caller.platform.pauses.pause(
            actor=caller.actor, reason=body.reason, ticket=body.ticket, until=body.until
        )
        return SwitchView.of(view, caller.platform.clock.now())

    return await caller.once("pause_mainframe_private", "", pause)


@router.post(
    "/resume",
    operation_id="resume_mainframe_private",
    summary="Resume deliveries to the mainframe",
    responses=answers(HTTPStatus.OK, SwitchView, *_WRITE, replayable=True),
)
async def resume_mainframe_private(
    caller: PrivateCaller, body: Annotated[ResumeRequest | None, Body()] = None
) -> Response:
    """Let deliveries go out again, oldest first at a bounded rate. Asked for again, nothing changes."""
    asked = body or ResumeRequest()

    async def resume() -> SwitchView:
        view = await caller.platform.pauses.resume(actor=caller.actor, reason=asked.reason, ticket=asked.ticket)
        return SwitchView.of(view, caller.platform.clock.now())

    return await caller.once("resume_mainframe_private", "", resume)


@router.get(
    "/audit",
    operation_id="list_mainframe_audit_private",
    summary="Tell who paused and resumed deliveries",
    responses=answers(HTTPStatus.OK, PauseAuditList),
)
async def list_mainframe_audit_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List every pause, change of a pause and resumption, newest first: who, when, why, on whose ticket."""
    page = await platform.pauses.audit_page(limit=limit, cursor=cursor)
    return listed_models(request, [PauseAuditView.of(entry) for entry in page.items], page.cursor)
