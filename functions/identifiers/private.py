"""Private operations on identifiers: finding customers, and stating them under the id of another system.

The names of the functions begin with letters before those of operations on `/customers/{customerId}`: the host matches
routes in the order of names.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from functions.customers.private import VIEW
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, written
from functions.host.caller import CurrentPlatform, IfNoneExists, IfNoneMatch, OptionalIfMatch, PrivateCaller
from functions.host.conditions import creates_only, named_version
from functions.identifiers.views import CUSTOMERS, LookupRequest, MatchList, MatchView
from lib.customers.models import Customer, CustomerDetails, ExternalId
from lib.customers.upsert import Condition
from lib.identifiers.rules import MAXIMUM_TEXT_LENGTH
from lib.text import plain_text

router = APIRouter(prefix=CUSTOMERS, tags=["identifiers"])

_Identifier = Annotated[
    str,
    Query(
        min_length=3,
        max_length=MAXIMUM_TEXT_LENGTH,
        description="`type:value` with email, phone, loyalty, ticket, pnr or external, or `<system>:<external id>`; "
        "passport only in a body",
        examples=["email:ada@example.com"],
    ),
]
_System = Annotated[str, Path(min_length=1, max_length=40, pattern="^[a-z][a-z0-9._-]{0,39}$", examples=["booking"])]
_Id = Annotated[
    str,
    Path(min_length=1, max_length=100, description="The id there; a slash in it is sent as %2F", examples=["B-1"]),
    AfterValidator(plain_text),
]
_EXAMPLE: Final = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "nationality": "GB"}
_UNUSABLE: Final = HTTPStatus.UNPROCESSABLE_ENTITY
_WRITE: Final = (
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
)


async def _condition(if_match: OptionalIfMatch = None, if_none_match: IfNoneExists = None) -> Condition:
    return Condition(
        create_only=creates_only(if_none_match),
        expected_version=named_version(if_match),
    )


@router.get(
    "/lookup",
    operation_id="find_customers_private",
    summary="Find customers by an identifier",
    responses=answers(HTTPStatus.OK, MatchList, _UNUSABLE),
)
async def find_customers_private(
    request: Request,
    platform: CurrentPlatform,
    identifier: _Identifier,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Find whoever holds an identifier; several may share an e-mail address or a phone number, nobody is no error.

    Values are compared in their normal form. Loyalty numbers and external ids are found at once, everything else within
    seconds of its change. A blocked value is refused (422): it identifies nobody. What is sensitive goes into the body
    of the POST, because addresses are logged on their way.
    """
    found = await platform.customer_lookup.find(text=identifier, limit=limit, cursor=cursor, in_address=True)
    return listed_models(request, [MatchView.of(one) for one in found.items], found.cursor, truncated=found.truncated)


@router.post(
    "/lookup",
    operation_id="find_customers_by_body_private",
    summary="Find customers by an identifier in the body",
    responses=answers(
        HTTPStatus.OK,
        MatchList,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        _UNUSABLE,
    ),
)
async def find_customers_by_body_private(
    request: Request,
    caller: PrivateCaller,
    body: Annotated[LookupRequest, Body(examples=[{"identifier": "passport:533380006"}])],
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Find whoever holds an identifier, as GET does, without writing it into anybody's logs.

    Nothing is written, so an Idempotency-Key changes nothing. The next page is the same body sent to `next`.
    """
    found = await caller.platform.customer_lookup.find(text=body.identifier, limit=limit, cursor=cursor)
    return listed_models(request, [MatchView.of(one) for one in found.items], found.cursor, truncated=found.truncated)


@router.get(
    "/by-external-id/{system}/{externalId:path}",
    operation_id="find_customer_by_external_id_private",
    summary="Read the customer who has an external id",
    responses=answers(HTTPStatus.OK, Customer, HTTPStatus.NOT_FOUND, _UNUSABLE, tagged=True),
)
async def find_customer_by_external_id_private(
    platform: CurrentPlatform, system: _System, externalId: _Id, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the customer whom another system knows by this id; the passport number is masked."""
    answer = await platform.customer_upserts.read(external_id=ExternalId(system=system, id=externalId))
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.put(
    "/by-external-id/{system}/{externalId:path}",
    operation_id="create_or_replace_customer_private",
    summary="State the customer who has an external id",
    responses=answers(HTTPStatus.OK, Customer, *_WRITE, replayable=True, tagged=True)
    | answers(HTTPStatus.CREATED, Customer, replayable=True, tagged=True),
)
async def create_or_replace_customer_private(
    caller: PrivateCaller,
    system: _System,
    externalId: _Id,
    details: Annotated[CustomerDetails, Body(examples=[_EXAMPLE])],
    condition: Annotated[Condition, Depends(_condition)],
) -> Response:
    """Create the customer whom another system knows by this id (201), or replace it (200).

    The body is the whole of what callers may write (RFC 9110 section 9.3.4): what it leaves out is removed. Only
    external ids are kept where it names none of their system, and the id of the address always stays. Saying the same
    again changes nothing. Of any number of first requests at once, one creates.
    """
    put = await caller.platform.customer_upserts.put(
        external_id=ExternalId(system=system, id=externalId),
        details=details,
        condition=condition,
        operation=caller.operation("create_or_replace_customer_private", f"{system}:{externalId}"),
    )
    if not put.created:
        return written(put.answer, view=VIEW)
    location = f"{CUSTOMERS}/{put.answer.entity_id}"
    return written(put.answer, view=VIEW, status=HTTPStatus.CREATED, location=location)
