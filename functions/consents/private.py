"""Private operations on consents: for agents and systems that capture them, and for those who must ask first."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.consents.public import RECORDED, WITHDRAWN
from functions.consents.views import (
    CAPTURED_EXAMPLE,
    AskedChannel,
    AskedPurpose,
    At,
    CaptureList,
    ChannelPath,
    ConsentList,
    DecisionView,
    PurposePath,
    WithdrawnView,
    answer_of,
    view_of,
    written_of,
)
from functions.customers.public import CustomerId
from functions.host.answers import FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, private, shown, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OverVersion, PrivateCaller
from lib.consents.models import CapturedStatement, CapturedWithdrawing, Consent

router = APIRouter(prefix="/api/private/v1/customers/{customerId}/consents", tags=["consents"])

VIEW: Final = "private"


@router.get(
    "",
    operation_id="list_consents_private",
    summary="List a customer's consents",
    responses=answers(HTTPStatus.OK, ConsentList, HTTPStatus.NOT_FOUND),
)
async def list_consents_private(
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
    return listed_models(request, page.items, page.cursor)


@router.get(
    "/decision",
    operation_id="get_consent_decision_private",
    summary="Ask whether consent allows something",
    responses=answers(HTTPStatus.OK, DecisionView, HTTPStatus.NOT_FOUND),
)
async def get_consent_decision_private(
    platform: CurrentPlatform,
    customerId: CustomerId,
    *,
    purpose: AskedPurpose,
    channel: AskedChannel,
    at: At = None,
) -> Response:
    """Tell whether something is allowed now, or was at a moment, and why. Missing consent means no."""
    reasoned = await platform.consents.decisions.decide(customer_id=customerId, purpose=purpose, channel=channel, at=at)
    return shown(DecisionView.of(reasoned))


@router.get(
    "/{purpose}/{channel}",
    operation_id="get_consent_private",
    summary="Read a consent",
    responses=answers(HTTPStatus.OK, Consent, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_consent_private(
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
    return entity(answer_of(consent), view=view_of(consent, VIEW), if_none_match=if_none_match)


@router.put(
    "/{purpose}/{channel}",
    operation_id="put_consent_private",
    summary="Record captured consent",
    responses=private(RECORDED),
)
async def put_consent_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    purpose: PurposePath,
    channel: ChannelPath,
    *,
    said: Annotated[CapturedStatement, Body(examples=[CAPTURED_EXAMPLE])],
    over: OverVersion,
) -> Response:
    """Record what was captured, with its proof; what is told late goes to its place in the history.

    The statement captured last holds; of several captured at one moment the strictest does.
    """
    answer = await caller.platform.consents.record(
        customer_id=customerId,
        purpose=purpose,
        channel=channel,
        said=said,
        expected_version=over,
        operation=caller.operation("put_consent_private", f"{customerId}/{purpose}/{channel}"),
    )
    told, consent = written_of(answer, public=False)
    return written(told, view=view_of(consent, VIEW))


@router.post(
    "/withdraw-all",
    operation_id="withdraw_all_consents_private",
    summary="Withdraw every consent",
    responses=private(WITHDRAWN),
)
async def withdraw_all_consents_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    withdrawing: Annotated[CapturedWithdrawing, Body(examples=[{"how": "call", "agent": "A. Agent"}])],
) -> Response:
    """Withdraw every consent that is given, now and in one call. A repeat changes nothing."""

    async def work() -> WithdrawnView:
        consents = await caller.platform.consents.withdraw_all(
            customer_id=customerId,
            said=withdrawing.statement(),
            operation=caller.operation("withdraw_all_consents_private", customerId),
        )
        return WithdrawnView.of(list(consents))

    return await caller.once("withdraw_all_consents_private", customerId, work)


@router.get(
    "/{purpose}/{channel}/history",
    operation_id="list_consent_history_private",
    summary="Tell what was said about a consent",
    responses=answers(HTTPStatus.OK, CaptureList, HTTPStatus.NOT_FOUND),
)
async def list_consent_history_private(
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
    return listed_models(request, page.items, page.cursor)
