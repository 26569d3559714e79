"""What subscriptions are, and what a choice or a confirmation makes of one. Pure.

A subscription says what a customer wants to be sent; consent says what may be sent. Subscribing records no consent, and
nothing is sent without both: a subscription is effective while the consent for its purpose and channel is.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from lib.clock import in_milliseconds
from lib.consents.groups import Group, GroupName
from lib.consents.vocabulary import Channel, How, OwnHow, Purpose
from lib.errors import InvalidError
from lib.fields import Moment
from lib.parts import Part

Version = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class Choice(StrEnum):
    """What a customer can choose."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class SubscriptionState(StrEnum):
    """How a subscription stands: never asked, waiting for confirmation, or as chosen."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


_KEPT: Final = None
# What a choice makes of a state, without and with double opt-in; None leaves it as it is.
CHOICES: Final[Mapping[tuple[SubscriptionState, Choice], tuple[SubscriptionState | None, SubscriptionState | None]]] = {
    (SubscriptionState.UNKNOWN, Choice.SUBSCRIBED): (SubscriptionState.SUBSCRIBED, SubscriptionState.PENDING),
    (SubscriptionState.PENDING, Choice.SUBSCRIBED): (SubscriptionState.SUBSCRIBED, SubscriptionState.PENDING),
    (SubscriptionState.SUBSCRIBED, Choice.SUBSCRIBED): (_KEPT, _KEPT),
    (SubscriptionState.UNSUBSCRIBED, Choice.SUBSCRIBED): (SubscriptionState.SUBSCRIBED, SubscriptionState.PENDING),
    (SubscriptionState.UNKNOWN, Choice.UNSUBSCRIBED): (SubscriptionState.UNSUBSCRIBED, SubscriptionState.UNSUBSCRIBED),
    (SubscriptionState.PENDING, Choice.UNSUBSCRIBED): (SubscriptionState.UNSUBSCRIBED, SubscriptionState.UNSUBSCRIBED),
    (SubscriptionState.SUBSCRIBED, Choice.UNSUBSCRIBED): (
        SubscriptionState.UNSUBSCRIBED,
        SubscriptionState.UNSUBSCRIBED,
    ),
    (SubscriptionState.UNSUBSCRIBED, Choice.UNSUBSCRIBED): (_KEPT, _KEPT),
}


class OwnChoice(Part):
    """What a customer chooses."""

    state: Choice
    how: OwnHow = OwnHow.WEB


class CapturedChoice(Part):
    """What agents and systems captured that a customer chose."""

    state: Choice
    how: How


class Subscription(Part):
    """A customer's subscription to a group. Version 0 is that of a customer who was never asked."""

    id: Annotated[str, Field(max_length=30)]
    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    group: GroupName
    purpose: Purpose
    channel: Channel
    version: Version
    state: SubscriptionState
    how: How | None = None
    requested_at: Annotated[Moment | None, Field(description="When confirmation was last asked for")] = None
    requested_version: Annotated[
        Version | None, Field(description="The version that first asked for this confirmation")
    ] = None
    confirmed_at: Moment | None = None
    updated_at: Moment | None = None

    def json_text(self) -> str:
        """Return the subscription as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class ConfirmationExpiredError(InvalidError):
    """The confirmation came too late."""

    kind = "confirmation-expired"
    title = "The confirmation has expired"

    def __init__(self) -> None:
        super().__init__("The confirmation has expired; subscribe again to be sent another.")


class ConfirmationVoidError(InvalidError):
    """What was to be confirmed was given up since."""

    kind = "confirmation-void"
    title = "The confirmation is void"

    def __init__(self) -> None:
        super().__init__("The subscription was given up since this confirmation was asked for; subscribe again.")


def never_asked(subscription_id: str, customer_id: str, group: Group) -> Subscription:
    """Return what is read where nothing was ever chosen."""
    return Subscription(
        id=subscription_id,
        customer_id=customer_id,
        group=group.group,
        purpose=group.purpose,
        channel=group.channel,
        version=0,
        state=SubscriptionState.UNKNOWN,
    )


def chosen(
    before: Subscription, choice: OwnChoice | CapturedChoice, *, double_opt_in: bool, now: datetime
) -> Subscription | None:
    """Return what a choice makes of a subscription; None when it is that way already.

    Who asks again while a confirmation is awaited is sent another, and the earlier one stays good until it expires.
    """
    state = CHOICES[before.state, choice.state][double_opt_in]
    if state is None:
        return None
    moment = max(in_milliseconds(now), before.updated_at or in_milliseconds(now))
    pending = state is SubscriptionState.PENDING
    again = pending and before.state is SubscriptionState.PENDING
    version = before.version + 1
    return before.model_copy(
        update={
            "state": state,
            "version": version,
            "how": How(choice.how.value),
            "requested_at": moment if pending else None,
            "requested_version": (before.requested_version if again else version) if pending else None,
            "confirmed_at": None,
            "updated_at": moment,
        }
    )


def confirmed(
    before: Subscription, *, requested_version: int, expires_at: datetime, now: datetime
) -> Subscription | None:
    """Return what a confirmation makes of a subscription; None when it was confirmed by the same one already.

    Raises:
        ConfirmationVoidError: the request was given up since.
        ConfirmationExpiredError: it comes too late.
    """
    if before.requested_version != requested_version:
        raise ConfirmationVoidError
    if before.state is SubscriptionState.SUBSCRIBED:
        return None
    if now >= expires_at:
        raise ConfirmationExpiredError
    moment = max(in_milliseconds(now), before.updated_at or in_milliseconds(now))
    return before.model_copy(
        update={
            "state": SubscriptionState.SUBSCRIBED,
            "version": before.version + 1,
            "confirmed_at": moment,
            "updated_at": moment,
        }
    )
