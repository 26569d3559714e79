"""The one place where kinds of refusal become HTTP answers: RFC 9457 problem details."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from lib.errors import (
    ConflictError,
    FieldProblem,
    IdempotencyMismatchError,
    InvalidError,
    MalformedRequestError,
    NotAuthenticatedError,
    NotFoundError,
    PlatformError,
    PreconditionMissingError,
    StaleError,
    TooLargeError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from lib.storage.errors import StorageError
from lib.telemetry import current_trace, event_log
from lib.validation import problems_in

PROBLEM_JSON: Final = "application/problem+json"
_RETRY_AFTER_SECONDS: Final = "2"
_INSTANCE_LENGTH: Final = 2000
_PRIVATE_PREFIX: Final = "/api/private/"
_STATUS_OF: Final[Mapping[type[PlatformError], HTTPStatus]] = {
    MalformedRequestError: HTTPStatus.BAD_REQUEST,
    NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    StaleError: HTTPStatus.PRECONDITION_FAILED,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyMismatchError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PreconditionMissingError: HTTPStatus.PRECONDITION_REQUIRED,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_CAUGHT: Final = (PlatformError, StorageError, RequestValidationError, HTTPException, Exception)

_ROUTING: Final = {
    404: ("Not found", "There is no operation at this address."),
    405: ("Method not allowed", "This address does not take this method."),
}

_log = event_log("http")


class FieldProblemView(BaseModel):
    """What is wrong with one part of the request."""

    pointer: Annotated[
        str, Field(max_length=500, description="JSON pointer (RFC 6901) into the body, or the parameter")
    ]
    detail: Annotated[str, Field(max_length=500)]


class ProblemView(BaseModel):
    """An error, as RFC 9457 describes it."""

    model_config = ConfigDict(title="Problem")

    type: Annotated[str, Field(max_length=200, description="A stable name for this kind of problem")]
    title: Annotated[str, Field(max_length=200)]
    status: Annotated[int, Field(ge=400, le=599, json_schema_extra={"format": "int32"})]
    detail: Annotated[str, Field(max_length=1000)]
    instance: Annotated[str, Field(max_length=_INSTANCE_LENGTH, description="The path that was asked for")]
    traceId: Annotated[str, Field(max_length=32, description="Quote this to support")]  # noqa: N815 - the wire's name
    errors: Annotated[list[FieldProblemView] | None, Field(max_length=50)] = None


class HolderView(BaseModel):
    """The customer who has what was asked for."""

    id: Annotated[str, Field(max_length=30)]
    href: Annotated[str, Field(max_length=200)]


class PrivateProblemView(ProblemView):
    """An error, as the private API tells it."""

    holder: Annotated[
        HolderView | None, Field(description="With identifier-taken and external-id-exists: the customer who has it")
    ] = None


def problem_type(kind: str) -> str:
    """Return the stable name of a kind of problem, as a URI."""
    return f"urn:iommi:problem:{kind}"


def problem(  # noqa: PLR0917 - the members of RFC 9457, in its order
    kind: str,
    title: str,
    status: HTTPStatus,
    detail: str,
    instance: str,
    errors: tuple[FieldProblem, ...] = (),
    headers: Mapping[str, str] | None = None,
    holder: str | None = None,
) -> Response:
    """Return a problem+json answer."""
    body: dict[str, Any] = {
        "type": problem_type(kind),
        "title": title,
        "status": int(status),
        "detail": detail,
        "instance": instance[:_INSTANCE_LENGTH],
        "traceId": current_trace().trace_id,
    }
    if errors:
        body["errors"] = [{"pointer": error.pointer[:500], "detail": error.detail[:500]} for error in errors]
    if holder is not None:
        body["holder"] = {"id": holder, "href": f"{_PRIVATE_PREFIX}v1/customers/{holder}"}
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    extra = dict(headers or {})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        extra.setdefault("Retry-After", _RETRY_AFTER_SECONDS)
    return Response(raw, status_code=status, media_type=PROBLEM_JSON, headers=extra)


def status_of(error: PlatformError) -> HTTPStatus:
    """Return the status that a kind of refusal becomes."""
    for kind in type(error).__mro__:
        if kind in _STATUS_OF:
            return _STATUS_OF[kind]
    raise error


def problem_of(error: Exception, instance: str) -> Response:
    """Return the answer for an exception; one that we did not foresee is logged with its stack and says nothing."""
    if isinstance(error, PlatformError):
        errors = error.problems if isinstance(error, InvalidError) else ()
        # Whoever asks from outside must not learn whose it is.
        holder = error.private_holder if instance.startswith(_PRIVATE_PREFIX) else None
        return problem(error.kind, error.title, status_of(error), str(error), instance, errors, holder=holder)
    if isinstance(error, RequestValidationError):
        return _validation(error, instance)
    if isinstance(error, StorageError):
        _log.warning("storage.refused", reason=type(error).__name__)
        unavailable = UnavailableError("Storage does not answer now; the same request may work later.")
        return problem_of(unavailable, instance)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        return problem(
            kind, status.phrase, status, f"{status.description or status.phrase}.", instance, (), error.headers
        )
    _log.defect("request.defect")
    return problem(
        "internal-error",
        "Internal error",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The request met a defect on our side; it was recorded.",
        instance,
    )


async def handle(request: Request, error: Exception) -> Response:
    """Answer an exception that an operation raised."""
    return problem_of(error, request.url.path)


HANDLERS: Final[dict[int | type[Exception], Any]] = dict.fromkeys(_CAUGHT, handle)


def _validation(error: RequestValidationError, instance: str) -> Response:
    found = error.errors()
    in_body = [entry for entry in found if entry["loc"][:1] == ("body",)]
    elsewhere = [entry for entry in found if entry["loc"][:1] != ("body",)]
    if elsewhere and not in_body:
        errors = problems_in(elsewhere)
        return problem(
            "bad-parameter",
            "A parameter cannot be used",
            HTTPStatus.BAD_REQUEST,
            "A path, query or header parameter cannot be used; errors says which.",
            instance,
            errors,
        )
    return problem(
        InvalidError.kind,
        InvalidError.title,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The body breaks rules; errors says which.",
        instance,
        problems_in(in_body, skip=1),
    )
