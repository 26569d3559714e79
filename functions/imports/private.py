"""Private operations on bulk imports."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import APIRouter, Path, Query, Request
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
    listed_models,
    shown,
    text_lines,
)
from functions.host.bodies import ReceivedFile, raw_body
from functions.host.caller import CurrentPlatform, PrivateCaller
from functions.imports.views import ImportList, ImportView, RowResultView
from lib.imports.models import MAXIMUM_FILE_BYTES, ImportKind, Outcome

router = APIRouter(prefix="/api/private/v1/imports", tags=["imports"])

ImportId = Annotated[
    str, Path(max_length=64, description="The import's id", examples=["imp_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])
]
_Source = Annotated[
    str,
    Query(
        min_length=1,
        max_length=100,
        pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$",
        description="Where the rows are from, such as crm-2026-11. The same rows from the same source are one import",
        examples=["crm-2026-11"],
    ),
]
_Outcomes = Annotated[
    list[Outcome] | None, Query(max_length=5, description="Only rows of which this became; several are allowed")
]
_EXAMPLE: Final = (
    '{"lastName":"Lovelace","email":"ada@example.com","externalIds":[{"system":"crm","id":"4711"}]}\n'
    '{"lastName":"Hopper","phone":"+12025550123","externalIds":[{"system":"crm","id":"4712"}]}\n'
)
_WRITE: Final = (*BODY_REFUSALS,)
_STEER: Final = (*_WRITE, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.post(
    "",
    operation_id="create_import_private",
    summary="Import rows in bulk",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(HTTPStatus.ACCEPTED, ImportView, *_WRITE, replayable=True),
    openapi_extra=raw_body("application/x-ndjson", MAXIMUM_FILE_BYTES, example=_EXAMPLE),
)
async def create_import_private(
    caller: PrivateCaller,
    kind: Annotated[ImportKind, Query(description="What the rows are")],
    source: _Source,
    dryRun: Annotated[bool, Query(description="Only tell what would become of each row; nothing is written")] = False,
) -> Response:
    """Take a file of up to 50 MiB, one JSON object per line, and import it; answers at once where to watch it.

    Each row is what the same kind's create takes, and is held to the same rules; one that breaks them is refused and
    listed, and holds up no other. Customers are created or replaced by the first of their `externalIds`; without any, a
    row always creates. Other rows say whose they are in a member `customer`, `{"id": "cus_…"}` or
    `{"system": "crm", "id": "4711"}`; an event of a source that was told before stays as it is, and so does an order
    or a case with a `reference` of its source. Consents bring `purpose` and `channel`, and take their place in time.
    The same rows from the same source are the same import, so sending them again is harmless.
    """
    file = cast("ReceivedFile", caller.body)
    asked = {"kind": kind, "source": source, "dryRun": dryRun, "sha256": file.digest}

    async def start() -> ImportView:
        run = await caller.platform.imports.start(
            content=file.content, kind=kind, source=source, dry_run=dryRun, actor=caller.actor
        )
        return ImportView.of(run)

    return await replace(caller, body=asked).once(
        "create_import_private",
        "",
        start,
        status=HTTPStatus.ACCEPTED,
        location=lambda import_id: f"/api/private/v1/imports/{import_id}",
    )


@router.get(
    "",
    operation_id="list_imports_private",
    summary="List imports",
    responses=answers(HTTPStatus.OK, ImportList),
)
async def list_imports_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List imports, newest first."""
    page = await platform.imports.list_page(limit=limit, cursor=cursor)
    return listed_models(request, [ImportView.of(run) for run in page.items], page.cursor)


@router.get(
    "/{importId}",
    operation_id="get_import_private",
    summary="Tell how far an import is",
    responses=answers(HTTPStatus.OK, ImportView, HTTPStatus.NOT_FOUND),
)
async def get_import_private(platform: CurrentPlatform, importId: ImportId) -> Response:
    """Tell how far it is, with counts that add up at every moment, its rate and how long the rest will take."""
    return shown(ImportView.of(await platform.imports.read(import_id=importId)))


@router.get(
    "/{importId}/results",
    operation_id="get_import_results_private",
    summary="Download what became of each row",
    response_class=JsonLines,
    responses=lined_answers(RowResultView, HTTPStatus.NOT_FOUND),
)
async def get_import_results_private(
    *,
    request: Request,
    platform: CurrentPlatform,
    importId: ImportId,
    outcome: _Outcomes = None,
    limit: Lines = MOST_LINES,
    cursor: Cursor = None,
) -> Response:
    """Download one JSON object per row, in the order of the file; while it runs, of the rows that are done.

    With `outcome=refused` only what has to be mended; never a value of the row. Up to 10,000 lines at once; when there
    are more, the header Link names the next part, which may be empty when it looks for what is rare.
    """
    page = await platform.imports.results_page(import_id=importId, outcomes=outcome or (), limit=limit, cursor=cursor)
    return text_lines(request, page, file_name=importId)


@router.post(
    "/{importId}/pause",
    operation_id="pause_import_private",
    summary="Pause an import",
    responses=answers(HTTPStatus.OK, ImportView, *_STEER, replayable=True),
)
async def pause_import_private(caller: PrivateCaller, importId: ImportId) -> Response:
    """Stop behind the rows in hand until it is resumed. Doing it again changes nothing."""

    async def pause() -> ImportView:
        return ImportView.of(await caller.platform.imports.pause(import_id=importId, actor=caller.actor))

    return await caller.once("pause_import_private", importId, pause)


@router.post(
    "/{importId}/resume",
    operation_id="resume_import_private",
    summary="Resume an import",
    responses=answers(HTTPStatus.OK, ImportView, *_STEER, replayable=True),
)
async def resume_import_private(caller: PrivateCaller, importId: ImportId) -> Response:
    """Go on where it was paused; one that stands still is pushed. Doing it again changes nothing."""

    async def resume() -> ImportView:
        return ImportView.of(await caller.platform.imports.resume(import_id=importId, actor=caller.actor))

    return await caller.once("resume_import_private", importId, resume)


@router.post(
    "/{importId}/cancel",
    operation_id="cancel_import_private",
    summary="Cancel an import",
    responses=answers(HTTPStatus.OK, ImportView, *_STEER, replayable=True),
)
async def cancel_import_private(caller: PrivateCaller, importId: ImportId) -> Response:
    """End it: rows that are done stay done, the others stay waiting for ever. Doing it again changes nothing."""

    async def cancel() -> ImportView:
        return ImportView.of(await caller.platform.imports.cancel(import_id=importId, actor=caller.actor))

    return await caller.once("cancel_import_private", importId, cancel)
