"""What callers see of subscriptions. Only the private API shows the token that a confirmation message carries."""

from typing import Annotated, Any, Final, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time
from lib.changes.operation import Answer
from lib.clock import rfc3339
from lib.consents.confirmations import MAXIMUM_TOKEN_LENGTH, Confirmation, Confirmations
from lib.consents.groups import GROUP_PATTERN, Group, GroupName
from lib.consents.subscribing import Effective
from lib.consents.subscriptions import Subscription
from lib.consents.vocabulary import Channel, Purpose
from lib.parts import Part

GroupPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=40,
        pattern=GROUP_PATTERN,
        description="The group's name in addresses",
        examples=["weekly-offers"],
    ),
]
Token = Annotated[str, Field(min_length=1, max_length=MAXIMUM_TOKEN_LENGTH, pattern="^[A-Za-z0-9_-]+$")]


class PublicGroup(BaseModel):
    """What can be subscribed to."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    group: GroupName
    name: Annotated[str, Field(max_length=100)]
    purpose: Purpose
    channel: Channel
    double_opt_in: bool

    @classmethod
    def of(cls, group: Group) -> Self:
        """Return how a group is shown to customers."""
        return cls(
            group=group.group,
            name=group.name,
            purpose=group.purpose,
            channel=group.channel,
            double_opt_in=group.double_opt_in,
        )


class PublicGroupList(BaseModel):
    """A page of subscription groups."""

    items: Annotated[list[PublicGroup], Field(max_length=200)]
    next: NextPage


class GroupList(BaseModel):
    """A page of subscription groups as operations define them."""

    items: Annotated[list[Group], Field(max_length=200)]
    next: NextPage


class SubscriptionView(Subscription):
    """A subscription, and whether anything may be sent for it."""

    effective: Annotated[bool | None, Field(description="Subscribed, and consent allows it now; only when read")] = None


class ConfirmationView(Part):
    """What the confirmation message must carry."""

    token: Token
    expires_at: Time


class PrivateSubscriptionView(SubscriptionView):
    """A subscription with the confirmation it waits for."""

    confirmation: ConfirmationView | None = None


class SubscriptionList(BaseModel):
    """A page of subscriptions, one for every group."""

    items: Annotated[list[SubscriptionView], Field(max_length=200)]
    next: NextPage


class PrivateSubscriptionList(BaseModel):
    """A page of subscriptions, one for every group."""

    items: Annotated[list[PrivateSubscriptionView], Field(max_length=200)]
    next: NextPage


class TokenBody(Part):
    """A confirmation that came back."""

    token: Token


def public_of(found: Effective) -> SubscriptionView:
    """Return how a subscription is shown to customers."""
    return SubscriptionView.model_construct(**_fields(found.subscription), effective=found.effective)


def private_of(found: Effective, confirmations: Confirmations, awaited: Confirmation | None) -> PrivateSubscriptionView:
    """Return how a subscription is shown inside."""
    return PrivateSubscriptionView.model_construct(
        **_fields(found.subscription), effective=found.effective, confirmation=_confirmation(confirmations, awaited)
    )


def private_answer(answer: Answer, confirmations: Confirmations) -> Answer:
    """Return what a write answers inside: the confirmation as it was made then, also when it is told again."""
    kept = Subscription.model_validate_json(answer.document)
    awaited = confirmations.awaited(kept, now=kept.updated_at) if kept.updated_at else None
    shown = PrivateSubscriptionView.model_construct(**_fields(kept), confirmation=_confirmation(confirmations, awaited))
    return Answer(
        entity_id=answer.entity_id,
        version=answer.version,
        document=shown.model_dump_json(by_alias=True, exclude_none=True),
        replayed=answer.replayed,
    )


def entity_of(shown: SubscriptionView, view: str) -> tuple[Answer, str]:
    """Return a subscription as an entity, and the view its entity tag names: what time changes makes another one."""
    marks = ("effective" if shown.effective else "") + ("awaited" if getattr(shown, "confirmation", None) else "")
    document = shown.model_dump_json(by_alias=True, exclude_none=True)
    return Answer(entity_id=shown.id, version=shown.version, document=document), f"{view}{marks}"


def _fields(subscription: Subscription) -> dict[str, Any]:
    return {name: getattr(subscription, name) for name in Subscription.model_fields}


def _confirmation(confirmations: Confirmations, awaited: Confirmation | None) -> ConfirmationView | None:
    if awaited is None:
        return None
    return ConfirmationView(token=confirmations.token(awaited), expires_at=rfc3339(awaited.expires_at))


GROUP_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Weekly offers",
    "purpose": "marketing",
    "channel": "email",
    "doubleOptIn": True,
}
CHOICE_EXAMPLE: Final[dict[str, Any]] = {"state": "subscribed", "how": "web"}
CAPTURED_CHOICE_EXAMPLE: Final[dict[str, Any]] = {"state": "unsubscribed", "how": "call"}
