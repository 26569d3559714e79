"""Whether something may be done: asked by other rooms before they act, and by systems outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lib.clock import Clock
from lib.consents.models import Consent
from lib.consents.rules import Decision, decided, standing
from lib.consents.store import ConsentStore
from lib.consents.vocabulary import Channel
from lib.customers.service import CustomerNotFoundError, CustomerService, check_customer_id


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A decision, the moment it is for, and the consents that it rests on as they stood then."""

    decision: Decision
    at: datetime
    consents: Sequence[Consent]


@dataclass(frozen=True, slots=True)
class ConsentDecisions:
    """Answers from what was consented to. Missing means no."""

    store: ConsentStore
    customers: CustomerService
    clock: Clock

    async def allowed(self, customer_id: str, purpose: str, channel: Channel) -> bool:
        """Tell whether a customer's consent allows a purpose over a channel now, in one storage call.

        False also for who is no customer.
        """
        try:
            check_customer_id(customer_id)
        except CustomerNotFoundError:
            return False
        return (await self._reasoned(customer_id, purpose, channel, None)).decision.allowed

    async def decide(self, *, customer_id: str, purpose: str, channel: Channel, at: datetime | None = None) -> Reasoned:
        """Return whether a customer's consent allows something now, or did at a moment, and why.

        Raises:
            CustomerNotFoundError: there is no such customer.
        """
        check_customer_id(customer_id)
        found = await self._reasoned(customer_id, purpose, channel, at)
        if not found.consents:
            await self.customers.require(customer_id)
        return found

    async def _reasoned(self, customer_id: str, purpose: str, channel: Channel, at: datetime | None) -> Reasoned:
        wanted = {channel, Channel.ANY}
        consents = [
            consent for consent in await self.store.all_of(customer_id, purpose=purpose) if consent.channel in wanted
        ]
        captures = await self.store.holdings_at(consents, at)
        held = {
            consent.channel: capture for consent, capture in zip(consents, captures, strict=True) if capture is not None
        }
        moment = at or self.clock.now()
        shown = [standing(consent, held.get(consent.channel), moment) for consent in consents]
        return Reasoned(decided(held, channel, at=moment), moment, shown)
