"""Who is calling, under which idempotency key: what every write needs to know of its request."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from functions.host.conditions import ETAG_PATTERN, expected_or_first
from functions.host.edge import PARSED_BODY
from lib.changes.operation import Answer, Operation, fingerprint_of, keyed_fingerprint
from lib.errors import MalformedRequestError
from lib.wiring import Platform

# These stand in the OpenAPI documents too, so they keep to what all dialects of regular expressions share.
_ACTOR_PATTERN: Final = "[!-~]([ -~]{0,98}[!-~])?"
# The IETF draft writes the key as a structured string, in quotes; most clients send it bare.
_KEY_PATTERN: Final = '([!#-~][!-~]{0,254})|"([!-~]{1,255})"'
_ACTOR: Final = re.compile(_ACTOR_PATTERN)
_KEY: Final = re.compile(_KEY_PATTERN)
_PRINCIPAL_HEADER: Final = "x-ms-client-principal-id"
PRIVATE_PREFIX: Final = "/api/private/"


def _if_match(description: str) -> Any:
    return Header(
        alias="If-Match",
        max_length=500,
        description=description,
        json_schema_extra={"pattern": f"^{ETAG_PATTERN}$"},
    )


IfMatch = Annotated[str | None, _if_match("The ETag that was read; required")]
OptionalIfMatch = Annotated[str | None, _if_match("The ETag that was read, to replace no other version than that")]
IfNoneExists = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=10,
        description="`*`: create only",
        json_schema_extra={"enum": ["*"]},
    ),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=2000, description="ETags that the caller has already")
]
_IfMatchUnlessFirst = Annotated[
    str | None, _if_match("The ETag that was read; required unless this is the first, by If-None-Match")
]
_IfFirst = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=20,
        description="`*` when there is none yet, in place of If-Match",
        json_schema_extra={"enum": ["*"]},
    ),
]
_KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=257,
        description="Makes a repeat of this write harmless: same key and body, the first answer again",
        json_schema_extra={"pattern": f"^({_KEY_PATTERN})$"},
    ),
]
_ActorHeader = Annotated[
    str | None,
    Header(
        alias="X-Actor",
        max_length=100,
        description="Who asks, as asserted",
        json_schema_extra={"pattern": f"^{_ACTOR_PATTERN}$"},
    ),
]


class BadHeaderError(MalformedRequestError):
    """A header cannot be used as it was sent."""

    kind = "bad-header"
    title = "A header cannot be used"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of one write."""

    platform: Platform
    actor: str
    key: str | None
    body: Any

    def operation(self, name: str, target: str = "") -> Operation:
        """Return this request as an operation; with a key, its id is the same at every repeat by the same caller."""
        attempt = self.platform.ids.new("att")
        if self.key is None:
            return Operation(name=name, id=attempt, attempt=attempt, actor=self.actor)
        operation_id = self.platform.seal("operations").id("opr", self.actor, name, target, self.key)
        return Operation(
            name=name,
            id=operation_id,
            attempt=attempt,
            actor=self.actor,
            fingerprint=keyed_fingerprint(self.body, self.platform.seal("fingerprints")),
            plain_fingerprint=fingerprint_of(self.body),
        )

    async def once(
        self,
        name: str,
        target: str,
        work: Callable[[], Awaitable[BaseModel]],
        *,
        status: HTTPStatus = HTTPStatus.OK,
        location: Callable[[str], str] | None = None,
    ) -> Response:
        """Answer a write that is harmless to repeat; with a key, the first answer again."""

        async def made() -> Answer:
            model = await work()
            document = model.model_dump_json(by_alias=True, exclude_none=True)
            return Answer(entity_id=str(getattr(model, "id", target)), version=0, document=document)

        answer = await self.platform.once.answer(self.operation(name, target), made)
        headers = {"Cache-Control": "no-store"}
        if answer.replayed:
            headers["Idempotency-Replayed"] = "true"
        if location is not None:
            headers["Location"] = location(answer.entity_id)
        return Response(answer.document, status_code=status, media_type="application/json", headers=headers)


async def platform_of(request: Request) -> Platform:
    """Return the platform that serves this request."""
    return request.app.state.platform()


async def over_version(if_match: _IfMatchUnlessFirst = None, if_none_match: _IfFirst = None) -> int:
    """Return the version that a write is to be made over, 0 for the first."""
    return expected_or_first(if_match, if_none_match)


async def public_caller(request: Request, idempotency_key: _KeyHeader = None) -> Caller:
    """Return the caller of a public write."""
    return _caller(request, actor=_principal(request) or "public", key=idempotency_key)


async def private_caller(request: Request, idempotency_key: _KeyHeader = None, x_actor: _ActorHeader = None) -> Caller:
    """Return the caller of a private write."""
    if x_actor is not None and not _ACTOR.fullmatch(x_actor):
        raise BadHeaderError("X-Actor may hold up to 100 printable ASCII characters.")
    return _caller(request, actor=_principal(request) or x_actor or "private", key=idempotency_key)


def _caller(request: Request, *, actor: str, key: str | None) -> Caller:
    if key is not None:
        written = _KEY.fullmatch(key)
        if written is None:
            raise BadHeaderError("Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.")
        key = written[1] or written[2]
    return Caller(request.app.state.platform(), actor, key, request.scope.get(PARSED_BODY))


def _principal(request: Request) -> str | None:
    asserted = request.headers.get(_PRINCIPAL_HEADER)
    return asserted if asserted and _ACTOR.fullmatch(asserted) else None


CurrentPlatform = Annotated[Platform, Depends(platform_of)]
PublicCaller = Annotated[Caller, Depends(public_caller)]
PrivateCaller = Annotated[Caller, Depends(private_caller)]
OverVersion = Annotated[int, Depends(over_version)]
