"""What we do for subscriptions: read them with their effect, take choices, and take confirmations."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lib.changes.operation import Answer, Operation
from lib.changes.owned import Draft, KeptEntity, OwnedEntities, after_prefix, kept_entity
from lib.clock import Clock
from lib.consents.confirmations import Confirmations, ConfirmationUnknownError
from lib.consents.groups import Group, GroupService
from lib.consents.models import Consent
from lib.consents.rules import allows
from lib.consents.store import ConsentStore
from lib.consents.subscriptions import (
    CapturedChoice,
    OwnChoice,
    Subscription,
    SubscriptionState,
    chosen,
    confirmed,
    never_asked,
)
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import StaleError
from lib.ids import Seal
from lib.paging import Page
from lib.storage.ports import Row
from lib.timeline.entries import TimelineEntry, TimelineType, timeline_write

SUBSCRIPTION_PREFIX: Final = "sub"
_PAGE: Final = 1000
_WORDS: Final[Mapping[SubscriptionState, str]] = {
    SubscriptionState.PENDING: "Confirmation asked for",
    SubscriptionState.SUBSCRIBED: "Subscribed",
    SubscriptionState.UNSUBSCRIBED: "Unsubscribed",
}


class SubscriptionChangedError(StaleError):
    """The subscription changed since the caller read it."""

    kind = "subscription-changed"

    def __init__(self) -> None:
        super().__init__("The subscription changed since it was read; read it again and repeat the choice.")


@dataclass(frozen=True, slots=True)
class Effective:
    """A subscription, and whether anything may be sent for it: it is subscribed, and consent allows it now."""

    subscription: Subscription
    effective: bool


@dataclass(frozen=True, slots=True)
class SubscriptionService:
    """The operations on subscriptions. Each is one entity, whose id follows from customer and group."""

    entities: OwnedEntities
    groups: GroupService
    consents: ConsentStore
    confirmations: Confirmations
    customers: CustomerService
    clock: Clock
    id_seal: Seal

    async def read(self, *, customer_id: str, group: str) -> Effective:
        """Return a subscription and its effect; version 0 and unknown where nobody ever asked.

        Raises:
            CustomerNotFoundError: there is no such customer.
            GroupNotFoundError: there is no such group.
        """
        check_customer_id(customer_id)
        kept = _subscription(await self.entities.read(customer_id, self._id(customer_id, group)))
        if kept is not None:
            return await self.effect_of(kept)
        defined, _ = await asyncio.gather(self.groups.read(group), self.customers.require(customer_id))
        return Effective(never_asked(self._id(customer_id, group), customer_id, defined), effective=False)

    async def effect_of(self, subscription: Subscription) -> Effective:
        """Return a subscription with its effect; without a storage call when it is not subscribed."""
        if subscription.state is not SubscriptionState.SUBSCRIBED:
            return Effective(subscription, effective=False)
        consents = await self.consents.all_of(subscription.customer_id, purpose=subscription.purpose)
        return _effect(subscription, consents, self.clock.now())

    async def list_page(self, *, customer_id: str, limit: int, cursor: str | None) -> Page[Effective]:
        """Return a page of all groups by name, with what the customer chose and its effect.

        Three range reads at once, however many groups there are.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        page, kept, consents = await asyncio.gather(
            self.groups.list_page(limit=limit, cursor=cursor),
            self._all_of(customer_id),
            self.consents.all_of(customer_id),
        )
        if not kept and not consents:
            await self.customers.require(customer_id)
        now = self.clock.now()
        return Page(
            [_effect(kept.get(group.group) or self._never(customer_id, group), consents, now) for group in page.items],
            page.cursor,
        )

    async def choose(
        self,
        *,
        customer_id: str,
        group: str,
        choice: OwnChoice | CapturedChoice,
        expected_version: int,
        operation: Operation,
    ) -> Answer:
        """Take a customer's choice over the version that the caller read; with double opt-in it waits to be confirmed.

        Raises:
            CustomerNotFoundError: there is no such customer.
            GroupNotFoundError: there is no such group.
            SubscriptionChangedError: the version is no longer the current one.
            IdempotencyMismatchError: the key was used with another choice.
            UnavailableError: it cannot be done now.
        """
        check_customer_id(customer_id)
        defined = await self.groups.read(group)

        async def decide(kept: KeptEntity | None, version: int) -> Draft | None:
            before = _subscription(kept)
            if before is None:
                await self.customers.require(customer_id)
            if version - 1 != expected_version:
                raise SubscriptionChangedError
            old = before or self._never(customer_id, defined)
            after = chosen(old, choice, double_opt_in=defined.double_opt_in, now=self.clock.now())
            return _draft(old, after, operation) if after else None

        return await self.entities.write(
            owner=customer_id, entity_id=self._id(customer_id, group), operation=operation, decide=decide
        )

    async def confirm(self, *, token: str, operation: Operation) -> Answer:
        """Take a confirmation: the subscription is subscribed then. Harmless to repeat.

        Raises:
            ConfirmationUnknownError: the token was changed, or made up.
            ConfirmationVoidError: the request was given up since.
            ConfirmationExpiredError: it comes too late.
            UnavailableError: it cannot be done now.
        """
        confirmation = self.confirmations.take(token)

        async def decide(kept: KeptEntity | None, _version: int) -> Draft | None:
            before = _subscription(kept)
            if before is None:
                raise ConfirmationUnknownError
            after = confirmed(
                before,
                requested_version=confirmation.requested_version,
                expires_at=confirmation.expires_at,
                now=self.clock.now(),
            )
            return _draft(before, after, operation) if after else None

        return await self.entities.write(
            owner=confirmation.customer_id,
            entity_id=self._id(confirmation.customer_id, confirmation.group),
            operation=operation,
            decide=decide,
        )

    async def _all_of(self, customer_id: str) -> Mapping[str, Subscription]:
        found: dict[str, Subscription] = {}
        resume: str | None = None
        prefix = self.entities.prefix
        while True:
            page = await self.entities.table.page(
                customer_id, from_key=prefix, below_key=after_prefix(prefix), limit=_PAGE, resume=resume
            )
            found |= {kept.group: kept for kept in _subscriptions(page.rows)}
            resume = page.resume
            if resume is None:
                return found

    def _never(self, customer_id: str, group: Group) -> Subscription:
        return never_asked(self._id(customer_id, group.group), customer_id, group)

    def _id(self, customer_id: str, group: str) -> str:
        return self.id_seal.id(SUBSCRIPTION_PREFIX, "subscription", customer_id, group)


def _effect(subscription: Subscription, consents: Sequence[Consent], now: datetime) -> Effective:
    subscribed = subscription.state is SubscriptionState.SUBSCRIBED
    return Effective(subscription, subscribed and allows(consents, subscription.purpose, subscription.channel, at=now))


def _subscription(kept: KeptEntity | None) -> Subscription | None:
    return None if kept is None else Subscription.model_validate_json(kept.document)


def _subscriptions(rows: Sequence[Row]) -> list[Subscription]:
    return [found for row in rows if (found := _subscription(kept_entity(row))) is not None]


def _draft(before: Subscription, after: Subscription, operation: Operation) -> Draft:
    fields: list[dict[str, Any]] = [{"field": "/state", "old": before.state.value, "new": after.state.value}]
    moment = after.updated_at
    if moment is None:
        raise ValueError("a subscription that was changed says when")
    told = TimelineEntry(
        id=f"{after.id}.{after.version}",
        type=TimelineType.CONSENT,
        kind="confirmed" if after.confirmed_at else after.state.value,
        happened_at=moment,
        recorded_at=moment,
        summary=f"{_WORDS[after.state]}: {after.group}" + (" (confirmed)" if after.confirmed_at else ""),
        actor=operation.actor,
        reference=after.id,
        sequence=after.version,
    )
    return Draft(document=after.json_text(), fields=fields, values={"group": after.group}, more=(timeline_write(told),))
