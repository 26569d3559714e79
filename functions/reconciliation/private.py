"""Private operations on reconciliations."""

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
from functions.reconciliation.views import DriftView, ReconciliationList, ReconciliationRequest, ReconciliationView

router = APIRouter(prefix="/api/private/v1/reconciliations", tags=["reconciliations"])

ReconciliationId = Annotated[str, Path(max_length=64, description="The reconciliation's id")]
_WRITE: Final = (
    HTTPStatus.CONFLICT,
    *BODY_REFUSALS,
)


@router.post(
    "",
    operation_id="create_reconciliation_private",
    summary="Reconcile with the mainframe",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(HTTPStatus.ACCEPTED, ReconciliationView, *_WRITE, replayable=True),
)
async def create_reconciliation_private(
    caller: PrivateCaller,
    body: Annotated[ReconciliationRequest | None, Body(examples=[{"repair": True, "ratePerSecond": 20}])] = None,
) -> Response:
    """Start to compare everything with the mainframe, and answer where to watch it. One runs at a time."""
    asked = body or ReconciliationRequest()

    async def start() -> ReconciliationView:
        operation = caller.operation("create_reconciliation_private")
        run = await caller.platform.reconciliations.start(
            subjects=list(dict.fromkeys(asked.subjects)),
            repair=asked.repair,
            rate_per_second=asked.rate_per_second,
            operation=operation,
        )
        return ReconciliationView.of(run)

    return await caller.once(
        "create_reconciliation_private",
        "",
        start,
        status=HTTPStatus.ACCEPTED,
        location=lambda reconciliation_id: f"/api/private/v1/reconciliations/{reconciliation_id}",
    )


@router.get(
    "",
    operation_id="list_reconciliations_private",
    summary="List reconciliations",
    responses=answers(HTTPStatus.OK, ReconciliationList),
)
async def list_reconciliations_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List reconciliations, newest first."""
    page = await platform.reconciliations.list_page(limit=limit, cursor=cursor)
    return listed_models(request, [ReconciliationView.of(run) for run in page.items], page.cursor)


@router.get(
    "/{reconciliationId}",
    operation_id="get_reconciliation_private",
    summary="Tell how far a reconciliation is",
    responses=answers(HTTPStatus.OK, ReconciliationView, HTTPStatus.NOT_FOUND),
)
async def get_reconciliation_private(platform: CurrentPlatform, reconciliationId: ReconciliationId) -> Response:
    """Tell how far it is and what it found, with counts that always add up."""
    return shown(ReconciliationView.of(await platform.reconciliations.read(reconciliation_id=reconciliationId)))


@router.get(
    "/{reconciliationId}/result",
    operation_id="get_reconciliation_result_private",
    summary="Download what drifted",
    response_class=JsonLines,
    responses=lined_answers(DriftView, HTTPStatus.NOT_FOUND),
)
async def get_reconciliation_result_private(
    request: Request,
    platform: CurrentPlatform,
    reconciliationId: ReconciliationId,
    limit: Lines = MOST_LINES,
    cursor: Cursor = None,
) -> Response:
    """Download every key that drifted, one JSON object per line, in the mainframe's order.

    Up to 10,000 lines at once; when there are more, the header Link names the next part. While the reconciliation runs,
    this is what was found so far.
    """
    page = await platform.reconciliations.result_page(reconciliation_id=reconciliationId, limit=limit, cursor=cursor)
    return lines(request, [DriftView.of(drift) for drift in page.items], page.cursor, file_name=reconciliationId)


@router.post(
    "/{reconciliationId}/cancel",
    operation_id="cancel_reconciliation_private",
    summary="Cancel a reconciliation",
    responses=answers(HTTPStatus.OK, ReconciliationView, *_WRITE, HTTPStatus.NOT_FOUND, replayable=True),
)
async def cancel_reconciliation_private(caller: PrivateCaller, reconciliationId: ReconciliationId) -> Response:
    """End it where it is; what it found stays. Doing it again changes nothing."""

    async def cancel() -> ReconciliationView:
        cancelled = caller.platform.reconciliations.cancel(reconciliation_id=reconciliationId, actor=caller.actor)
        return ReconciliationView.of(await cancelled)

    return await caller.once("cancel_reconciliation_private", reconciliationId, cancel)
