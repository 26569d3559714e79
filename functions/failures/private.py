"""Private operations on failures."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from functions.failures.views import (
    FailureDetailsView,
    FailureGroupsView,
    FailureList,
    FailureView,
    Reason,
)
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, listed_models, shown
from functions.host.caller import CurrentPlatform, PrivateCaller
from lib.failures.models import FailureFilter, FailureKind, FailureState
from lib.fields import Moment

router = APIRouter(prefix="/api/private/v1/failures", tags=["failures"])

FailureId = Annotated[str, Path(max_length=64, description="The failure's id")]
_When = Annotated[Moment | None, Query()]


async def _wanted(
    *,
    kind: FailureKind | None = None,
    code: Annotated[str | None, Query(min_length=1, max_length=40, description="The reason's code")] = None,
    customerId: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    failedAfter: _When = None,
    failedBefore: _When = None,
    state: Annotated[FailureState, Query(description="What became of it")] = FailureState.OPEN,
) -> FailureFilter:
    after: datetime | None = failedAfter
    before: datetime | None = failedBefore
    return FailureFilter(
        kind=kind, code=code, customer_id=customerId, failed_after=after, failed_before=before, state=state
    )


Wanted = Annotated[FailureFilter, Depends(_wanted)]


@router.get(
    "",
    operation_id="list_failures_private",
    summary="List failures",
    responses=answers(HTTPStatus.OK, FailureList),
)
async def list_failures_private(
    request: Request, platform: CurrentPlatform, wanted: Wanted, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List failures that are meant, newest first; the open ones unless another state is asked for."""
    page = await platform.failures.list_page(wanted=wanted, limit=limit, cursor=cursor)
    return listed_models(request, [FailureView.of(failure) for failure in page.items], page.cursor)


@router.get(
    "/groups",
    operation_id="get_failure_groups_private",
    summary="Count failures by cause",
    responses=answers(HTTPStatus.OK, FailureGroupsView),
)
async def get_failure_groups_private(platform: CurrentPlatform, wanted: Wanted) -> Response:
    """Count failures that are meant by their cause, with first and last time and a sample."""
    return shown(FailureGroupsView.of(await platform.failures.groups(wanted=wanted)))


@router.get(
    "/{failureId}",
    operation_id="get_failure_private",
    summary="Read a failure",
    responses=answers(HTTPStatus.OK, FailureDetailsView, HTTPStatus.NOT_FOUND),
)
async def get_failure_private(platform: CurrentPlatform, failureId: FailureId) -> Response:
    """Read a failure, what was done about it, and the poisoned message byte for byte."""
    return shown(FailureDetailsView.of_details(await platform.failures.read(failure_id=failureId)))


_WRITE = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    *BODY_REFUSALS,
)


@router.post(
    "/{failureId}/dismiss",
    operation_id="dismiss_failure_private",
    summary="Dismiss a failure",
    responses=answers(HTTPStatus.OK, FailureView, *_WRITE, replayable=True),
)
async def dismiss_failure_private(caller: PrivateCaller, failureId: FailureId, body: Reason) -> Response:
    """Take a failure off the list of what is open. Doing it again changes nothing."""

    async def dismiss() -> FailureView:
        dismissed = caller.platform.failures.dismiss(failure_id=failureId, reason=body.reason, actor=caller.actor)
        return FailureView.of(await dismissed)

    return await caller.once("dismiss_failure_private", failureId, dismiss)


@router.post(
    "/{failureId}/restore",
    operation_id="restore_failure_private",
    summary="Restore a dismissed failure",
    responses=answers(HTTPStatus.OK, FailureView, *_WRITE, replayable=True),
)
async def restore_failure_private(caller: PrivateCaller, failureId: FailureId, body: Reason) -> Response:
    """Put a dismissed failure back on the list of what is open. Doing it again changes nothing."""

    async def restore() -> FailureView:
        restored = caller.platform.failures.restore(failure_id=failureId, reason=body.reason, actor=caller.actor)
        return FailureView.of(await restored)

    return await caller.once("restore_failure_private", failureId, restore)
