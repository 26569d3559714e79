"""Public operations on consents: a customer's own. Withdrawing is as easy as giving (GDPR Art. 7(3))."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.consents.views import (
    EXAMPLE,
    WITHDRAWN_EXAMPLE,
    At,
    CaptureList,
    ChannelPath,
    ConsentList,
    PurposePath,
    WithdrawnView,
    answer_of,
    view_of,
    written_of,
)
from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OverVersion, PublicCaller
from lib.consents.models import Consent, OwnStatement, Withdrawing

router = APIRouter(prefix="/api/v1/customers/{customerId}/consents", tags=["consents"])

VIEW: Final = "public"
RECORDED: Final = answers(
    HTTPStatus.OK,
    Consent,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
    HTTPStatus.PRECONDITION_REQUIRED,
    replayable=True,
    tagged=True,
)
WITHDRAWN: Final = answers(
    HTTPStatus.OK,
    WithdrawnView,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    *BODY_REFUSALS,
    replayable=True,
)


@router.get(
    "",
    operation_id="list_consents",
    summary="List a customer's consents",
    responses=answers(HTTPStatus.OK, ConsentList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_consents(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    at: At = None,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List what the customer was ever asked, in no promised order, as it stands now or stood at a moment."""
    page = await platform.consents.list_page(customer_id=customerId, at=at, limit=limit, cursor=cursor)
    return listed_models(request, [consent.public() for consent in page.items], page.cursor)


@router.get(
    "/{purpose}/{channel}",
    operation_id="get_consent",
    summary="Read a consent",
    responses=answers(HTTPStatus.OK, Consent, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_consent(
    platform: CurrentPlatform,
    customerId: CustomerId,
    purpose: PurposePath,
    channel: ChannelPath,
    *,
    at: At = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read how consent stands now, or stood at a moment; where nobody ever asked, version 0 and unknown."""
    consent = await platform.consents.read(customer_id=customerId, purpose=purpose, channel=channel, at=at)
    return entity(answer_of(consent.public()), view=view_of(consent, VIEW), if_none_match=if_none_match)


@router.put(
    "/{purpose}/{channel}",
    operation_id="put_consent",
    summary="Give, refuse or withdraw consent",
    responses=RECORDED,
)
async def put_consent(
    caller: PublicCaller,
    customerId: CustomerId,
    purpose: PurposePath,
    channel: ChannelPath,
    *,
    said: Annotated[OwnStatement, Body(examples=[EXAMPLE, WITHDRAWN_EXAMPLE])],
    over: OverVersion,
) -> Response:
    """Record what the customer says now; it is added to the history, and nothing is ever taken from that.

    Consent needs the version of the wording that was shown; withdrawing it needs nothing.
    """
    answer = await caller.platform.consents.record(
        customer_id=customerId,
        purpose=purpose,
        channel=channel,
        said=said,
        expected_version=over,
        operation=caller.operation("put_consent", f"{customerId}/{purpose}/{channel}"),
    )
    shown, consent = written_of(answer, public=True)
    return written(shown, view=view_of(consent, VIEW))


@router.post(
    "/withdraw-all",
    operation_id="withdraw_all_consents",
    summary="Withdraw every consent",
    responses=WITHDRAWN,
)
async def withdraw_all_consents(
    caller: PublicCaller, customerId: CustomerId, withdrawing: Annotated[Withdrawing, Body(examples=[{"how": "web"}])]
) -> Response:
    """Withdraw every consent that is given, in one call and without looking first. A repeat changes nothing."""

    async def work() -> WithdrawnView:
        consents = await caller.platform.consents.withdraw_all(
            customer_id=customerId,
            said=withdrawing.statement(),
            operation=caller.operation("withdraw_all_consents", customerId),
        )
        return WithdrawnView.of([consent.public() for consent in consents])

    return await caller.once("withdraw_all_consents", customerId, work)


@router.get(
    "/{purpose}/{channel}/history",
    operation_id="list_consent_history",
    summary="Tell what was said about a consent",
    responses=answers(HTTPStatus.OK, CaptureList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_consent_history(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    purpose: PurposePath,
    channel: ChannelPath,
    *,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List everything that was said, captured last first; what was told late stands where it belongs."""
    page = await platform.consents.history_page(
        customer_id=customerId, purpose=purpose, channel=channel, limit=limit, cursor=cursor
    )
    return listed_models(request, [capture.public() for capture in page.items], page.cursor)
