"""Private operations on subscriptions: for operations who define groups, and for systems that send messages."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from functions.consents.subscription_views import (
    CAPTURED_CHOICE_EXAMPLE,
    GROUP_EXAMPLE,
    GroupList,
    GroupPath,
    PrivateSubscriptionList,
    PrivateSubscriptionView,
    entity_of,
    private_answer,
    private_of,
)
from functions.customers.public import CustomerId
from functions.host.answers import BODY_REFUSALS, FIRST_LIMIT, Cursor, Limit, answers, entity, listed_models, written
from functions.host.caller import CurrentPlatform, IfNoneMatch, OverVersion, PrivateCaller
from lib.changes.operation import Answer
from lib.consents.groups import Group, GroupDetails
from lib.consents.subscribing import Effective
from lib.consents.subscriptions import CapturedChoice
from lib.wiring import Platform

router = APIRouter(prefix="/api/private/v1", tags=["subscriptions"])

VIEW: Final = "private"
_REFUSED: Final = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.PRECONDITION_FAILED,
    *BODY_REFUSALS,
    HTTPStatus.PRECONDITION_REQUIRED,
)


@router.get(
    "/subscription-groups",
    operation_id="list_subscription_groups_private",
    summary="List subscription groups",
    responses=answers(HTTPStatus.OK, GroupList),
)
async def list_subscription_groups_private(
    request: Request, platform: CurrentPlatform, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> Response:
    """List the groups by name."""
    page = await platform.subscription_groups.list_page(limit=limit, cursor=cursor)
    return listed_models(request, page.items, page.cursor)


@router.get(
    "/subscription-groups/{group}",
    operation_id="get_subscription_group_private",
    summary="Read a subscription group",
    responses=answers(HTTPStatus.OK, Group, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_subscription_group_private(
    platform: CurrentPlatform, group: GroupPath, if_none_match: IfNoneMatch = None
) -> Response:
    """Read how a group is defined."""
    found = await platform.subscription_groups.read(group)
    document = found.model_dump_json(by_alias=True)
    answer = Answer(entity_id=group, version=found.version, document=document)
    return entity(answer, view=VIEW, if_none_match=if_none_match)


@router.put(
    "/subscription-groups/{group}",
    operation_id="put_subscription_group_private",
    summary="Define a subscription group",
    responses=answers(HTTPStatus.OK, Group, *_REFUSED, HTTPStatus.CONFLICT, replayable=True, tagged=True),
)
async def put_subscription_group_private(
    caller: PrivateCaller,
    group: GroupPath,
    details: Annotated[GroupDetails, Body(examples=[GROUP_EXAMPLE])],
    over: OverVersion,
) -> Response:
    """Define a group, or change its name and whether it asks for double opt-in. Purpose and channel are fixed."""
    answer = await caller.platform.subscription_groups.define(
        group=group,
        details=details,
        expected_version=over,
        operation=caller.operation("put_subscription_group_private", group),
    )
    return written(answer, view=VIEW)


@router.get(
    "/customers/{customerId}/subscriptions",
    operation_id="list_subscriptions_private",
    summary="List a customer's subscriptions",
    responses=answers(HTTPStatus.OK, PrivateSubscriptionList, HTTPStatus.NOT_FOUND),
)
async def list_subscriptions_private(
    request: Request,
    platform: CurrentPlatform,
    customerId: CustomerId,
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List every group with what the customer chose; unknown where nobody ever asked."""
    page = await platform.subscriptions.list_page(customer_id=customerId, limit=limit, cursor=cursor)
    return listed_models(request, [_shown(platform, found) for found in page.items], page.cursor)


@router.get(
    "/customers/{customerId}/subscriptions/{group}",
    operation_id="get_subscription_private",
    summary="Read a subscription",
    responses=answers(HTTPStatus.OK, PrivateSubscriptionView, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_subscription_private(
    platform: CurrentPlatform, customerId: CustomerId, group: GroupPath, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what the customer chose, and while it waits for confirmation the token that its message must carry."""
    found = await platform.subscriptions.read(customer_id=customerId, group=group)
    answer, view = entity_of(_shown(platform, found), VIEW)
    return entity(answer, view=view, if_none_match=if_none_match)


@router.put(
    "/customers/{customerId}/subscriptions/{group}",
    operation_id="put_subscription_private",
    summary="Record a subscription",
    responses=answers(HTTPStatus.OK, PrivateSubscriptionView, *_REFUSED, replayable=True, tagged=True),
)
async def put_subscription_private(
    caller: PrivateCaller,
    customerId: CustomerId,
    group: GroupPath,
    *,
    choice: Annotated[CapturedChoice, Body(examples=[CAPTURED_CHOICE_EXAMPLE])],
    over: OverVersion,
) -> Response:
    """Record what the customer chose. Where the group asks for double opt-in, the answer carries the token to send."""
    answer = await caller.platform.subscriptions.choose(
        customer_id=customerId,
        group=group,
        choice=choice,
        expected_version=over,
        operation=caller.operation("put_subscription_private", f"{customerId}/{group}"),
    )
    return written(private_answer(answer, caller.platform.subscriptions.confirmations), view=VIEW)


def _shown(platform: Platform, found: Effective) -> PrivateSubscriptionView:
    confirmations = platform.subscriptions.confirmations
    return private_of(found, confirmations, confirmations.awaited(found.subscription, now=platform.clock.now()))
