"""How entities and lists are answered, and how that is written down in the OpenAPI documents."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, cast
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from functions.host.conditions import etag, not_modified
from functions.host.problems import PROBLEM_JSON, PrivateProblemView, ProblemView
from lib.changes.operation import Answer
from lib.changes.records import KeptRecord
from lib.paging import DEFAULT_LIMIT, MAXIMUM_CURSOR_LENGTH, MAXIMUM_LIMIT, Page

JSON: Final = "application/json"
_PRIVATE_CACHE: Final = "private, no-cache"

Limit = Annotated[
    int,
    Query(ge=1, le=MAXIMUM_LIMIT, description="How many items a page may have", json_schema_extra={"format": "int32"}),
]
Cursor = Annotated[
    str | None, Query(max_length=MAXIMUM_CURSOR_LENGTH, description="Where a page goes on, from the page before")
]
FIRST_LIMIT: Final = DEFAULT_LIMIT
MOST_LINES: Final = 10_000
Lines = Annotated[
    int,
    Query(ge=1, le=MOST_LINES, description="How many lines a part may have", json_schema_extra={"format": "int32"}),
]
BODY_REFUSALS: Final = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""What every operation that takes a body may answer to a bad one."""

# Worded here, because Python's own words for statuses differ between its versions and the documents must not.
_MEANING: Final[dict[int, str]] = {
    200: "Done",
    201: "Created",
    202: "Taken; the work goes on after this answer",
    304: "The caller has this version already",
    400: "The request cannot be read, or a parameter or header cannot be used",
    401: "The key that is demanded here is missing or wrong",
    404: "There is no such thing; without a body when no operation has this path and method",
    409: "It contradicts what is kept",
    412: "It changed since it was read",
    413: "The body is too large",
    415: "The body is of a kind that is not taken here",
    422: "The body breaks a rule, or the idempotency key was used with another body",
    428: "If-Match is required",
    500: "A defect on our side",
    503: "It cannot be done now; nothing was written unless the problem says that the outcome is unknown",
}

_TRACE_HEADER: Final = {"Trace-Id": {"description": "The trace of this request", "schema": {"type": "string"}}}
_ETAG_HEADER: Final = {
    "ETag": {"description": "Names this version in this view; send it back in If-Match", "schema": {"type": "string"}}
}
_REPLAYED_HEADER: Final = {
    "Idempotency-Replayed": {
        "description": "true when this is the first answer told again",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_LOCATION_HEADER: Final = {"Location": {"description": "Where the new resource is", "schema": {"type": "string"}}}
_LINK_HEADER: Final = {"Link": {"description": 'The next page, rel="next"', "schema": {"type": "string"}}}


class JsonLines(Response):
    """An answer of one JSON object per line."""

    media_type = "application/x-ndjson"


def entity(answer: Answer, *, view: str, if_none_match: str | None = None) -> Response:
    """Return an entity as it is read, or 304 when the caller has it already."""
    tag = etag(answer.version, view)
    headers = {"ETag": tag, "Cache-Control": _PRIVATE_CACHE}
    if not_modified(if_none_match, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(answer.document, media_type=JSON, headers=headers)


def written(answer: Answer, *, view: str, status: HTTPStatus = HTTPStatus.OK, location: str | None = None) -> Response:
    """Return what a write made of an entity."""
    headers = {"ETag": etag(answer.version, view), "Cache-Control": _PRIVATE_CACHE}
    if location is not None:
        headers["Location"] = location
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.document, status_code=status, media_type=JSON, headers=headers)


def recorded(kept: KeptRecord, *, view: str, folder: str) -> Response:
    """Return a record: 201 to the request that made it, 200 when the same was told before."""
    status = HTTPStatus.CREATED if kept.created else HTTPStatus.OK
    return written(kept.answer, view=view, status=status, location=f"{folder}/{kept.answer.entity_id}")


def listed(request: Request, page: Page[str], **members: bool) -> Response:
    """Return a page of items that are JSON texts already, with the address of the next page, and what else it says."""
    following = _next(request, page.cursor)
    headers = {"Cache-Control": _PRIVATE_CACHE}
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    return Response(list_text(page.items, following, **members), media_type=JSON, headers=headers)


def list_text(items: Sequence[str], following: str | None, **members: bool) -> str:
    """Return a page as JSON text: its items, which are JSON texts already, the next page's address, and what else."""
    more = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in members.items())
    return f'{{"items":[{",".join(items)}],"next":{json.dumps(following)}{more}}}'


def listed_models(request: Request, items: Sequence[BaseModel], cursor: str | None, **members: bool) -> Response:
    """Return a page of models, and what else it says."""
    texts = [item.model_dump_json(by_alias=True, exclude_none=True) for item in items]
    return listed(request, Page(texts, cursor), **members)


def lines(request: Request, items: Sequence[BaseModel], cursor: str | None, *, file_name: str) -> Response:
    """Return a part of a result for download: one JSON object per line, and the address of the next part in `Link`."""
    return text_lines(
        request, Page([item.model_dump_json(by_alias=True) for item in items], cursor), file_name=file_name
    )


def text_lines(request: Request, page: Page[str], *, file_name: str) -> Response:
    """Return a part of a result for download whose lines are JSON texts already."""
    body = "".join(f"{text}\n" for text in page.items)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file_name}.ndjson"'}
    following = _next(request, page.cursor)
    if following is not None:
        headers["Link"] = f'<{following}>; rel="next"'
    return JsonLines(body, headers=headers)


def shown(model: BaseModel, status: HTTPStatus = HTTPStatus.OK, *, nulls: bool = False) -> Response:
    """Return a model that has no version of its own; absent fields are left out, or null where the shape is fixed."""
    return Response(
        model.model_dump_json(by_alias=True, exclude_none=not nulls),
        status_code=status,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )


def answers(
    success: HTTPStatus,
    model: type[BaseModel] | None,
    *problems: HTTPStatus,
    replayable: bool = False,
    tagged: bool = False,
) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an operation for its OpenAPI document, the host's own empty ones among them."""
    headers: dict[str, Any] = dict(_TRACE_HEADER)
    if tagged:
        headers |= _ETAG_HEADER
    if replayable:
        headers |= _REPLAYED_HEADER
    if success in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        headers |= _LOCATION_HEADER
    if model is not None and "next" in model.model_fields:
        headers |= _LINK_HEADER
    responses: dict[int | str, dict[str, Any]] = {int(success): {"description": _MEANING[success], "headers": headers}}
    if model is not None:
        responses[int(success)]["model"] = model
    if tagged and not replayable:
        responses[304] = {"description": _MEANING[304], "headers": headers}
    always = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR)
    for status in sorted({*problems, *always}):
        responses[int(status)] = {
            "description": _MEANING[status],
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "headers": _TRACE_HEADER,
        }
    return responses


def recorded_answers(model: type[BaseModel], *problems: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an operation that keeps a record: created, or told before."""
    made = answers(HTTPStatus.CREATED, model, *problems, replayable=True, tagged=True)
    return {200: made[201] | {"description": "The same was told before; this is the first record"}, **made}


def private(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a public operation for its private sister, whose missing key the host refuses itself."""
    return {status: response for status, response in responses.items() if status != HTTPStatus.UNAUTHORIZED}


def lined_answers(model: type[BaseModel], *problems: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a download whose lines are JSON objects of one model."""
    responses = answers(HTTPStatus.OK, None, *problems)
    schema = {"contentMediaType": JsonLines.media_type, "contentSchema": _in_one_piece(model.model_json_schema())}
    responses[200] = {
        "description": "One JSON object per line; the header Link names the next part",
        "headers": _TRACE_HEADER | _LINK_HEADER,
        "content": {JsonLines.media_type: {"schema": schema}},
    }
    return responses


def problem_schema(*, private: bool) -> dict[str, Any]:
    """Return the schema of problems for an OpenAPI document: the private API's say more."""
    view = PrivateProblemView if private else ProblemView
    return view.model_json_schema(ref_template="#/components/schemas/{model}")


def next_address(path: str, query: Sequence[tuple[str, str]], cursor: str | None) -> str | None:
    """Return the address of the page after this one: the same query with another cursor."""
    if cursor is None:
        return None
    kept = [(name, value) for name, value in query if name != "cursor"]
    return f"{path}?{urlencode([*kept, ('cursor', cursor)])}"


def _next(request: Request, cursor: str | None) -> str | None:
    return next_address(request.url.path, request.query_params.multi_items(), cursor)


def _in_one_piece(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with what it refers to written in place: inside a document, its own references lead nowhere."""
    parts: dict[str, Any] = schema.get("$defs", {})

    def placed(part: Any) -> Any:
        match part:
            case list():
                return [placed(one) for one in cast("list[Any]", part)]
            case {"$ref": str(name)}:
                return placed(parts[name.rpartition("/")[2]])
            case dict():
                members = cast("dict[str, Any]", part)
                return {name: placed(one) for name, one in members.items() if name != "$defs"}
            case _:
                return part

    whole: dict[str, Any] = placed(schema)
    return whole
