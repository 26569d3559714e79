"""Public operations on subscriptions: what there is, a customer's own choices, and their confirmation."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.consents.subscription_views import (
    CHOICE_EXAMPLE,
    GroupPath,
    PublicGroup,
    PublicGroupList,
    SubscriptionList,
    SubscriptionView,
    TokenBody,
    entity_of,
    public_of,
)
from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OverVersion, PublicCaller
from lib.consents.subscriptions import OwnChoice

router = APIRouter(prefix="/api/v1", tags=["subscriptions"])

VIEW: Final = "public"
_REFUSED: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    *BODY_REFUSALS,
)


@router.get(
    "/subscription-groups",
    operation_id="list_subscription_groups",
    summary="List what can be subscribed to",
    responses=answers(HTTPStatus.OK, PublicGroupList, HTTPStatus.UNAUTHORIZED),
)
async def list_subscription_groups(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List the groups by name."""
    page = await platform.subscription_groups.list_page(limit=limit, cursor=cursor)
    return listed_models(request, [PublicGroup.of(group) for group in page.items], page.cursor)


@router.get(
    "/customers/{customerId}/subscriptions",
    operation_id="list_subscriptions",
    summary="List a customer's subscriptions",
    responses=answers(HTTPStatus.OK, SubscriptionList, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def list_subscriptions(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List every group with what the customer chose; unknown where nobody ever asked."""
    page = await platform.subscriptions.list_page(customer_id=customerId, limit=limit, cursor=cursor)
    return listed_models(request, [public_of(found) for found in page.items], page.cursor)


@router.get(
    "/customers/{customerId}/subscriptions/{group}",
    operation_id="get_subscription",
    summary="Read a subscription",
    responses=answers(HTTPStatus.OK, SubscriptionView, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_subscription(
    platform: CurrentPlatform, customerId: CustomerId, group: GroupPath, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what the customer chose, and whether anything may be sent; version 0 and unknown where nobody ever asked."""
    found = await platform.subscriptions.read(customer_id=customerId, group=group)
    answer, view = entity_of(public_of(found), VIEW)
    return entity(answer, view=view, if_none_match=if_none_match)


@router.put(
    "/customers/{customerId}/subscriptions/{group}",
    operation_id="put_subscription",
    summary="Subscribe or unsubscribe",
    responses=answers(
        HTTPStatus.OK,
        SubscriptionView,
        *_REFUSED,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.PRECONDITION_REQUIRED,
        replayable=True,
        tagged=True,
    ),
)
async def put_subscription(
    caller: PublicCaller,
    customerId: CustomerId,
    group: GroupPath,
    *,
    choice: Annotated[OwnChoice, Body(examples=[CHOICE_EXAMPLE])],
    over: OverVersion,
) -> Response:
    """Take the customer's choice. Where the group asks for double opt-in it is pending until it is confirmed.

    Subscribing gives no consent: nothing is sent until the consent for the group's purpose and channel is given too.
    """
    answer = await caller.platform.subscriptions.choose(
        customer_id=customerId,
        group=group,
        choice=choice,
        expected_version=over,
        operation=caller.operation("put_subscription", f"{customerId}/{group}"),
    )
    return written(answer, view=VIEW)


@router.post(
    "/subscription-confirmations",
    operation_id="confirm_subscription",
    summary="Confirm a subscription",
    responses=answers(HTTPStatus.OK, SubscriptionView, *_REFUSED, replayable=True, tagged=True),
)
async def confirm_subscription(
    caller: PublicCaller, confirmation: Annotated[TokenBody, Body(examples=[{"token": "bm90LWEtdG9rZW4"}])]
) -> Response:
    """Confirm by the token that the confirmation message carried; a repeat changes nothing.

    A token that was made up is 404; one that expired, or whose request was given up since, is 422.
    """
    answer = await caller.platform.subscriptions.confirm(
        token=confirmation.token, operation=caller.operation("confirm_subscription")
    )
    return written(answer, view=VIEW)
