"""What we do for consents: read them at any moment, record what was said, withdraw everything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from lib.changes.operation import Answer, Operation
from lib.changes.owned import Draft, KeptEntity
from lib.clock import Clock, in_milliseconds
from lib.consents.decisions import ConsentDecisions
from lib.consents.models import Capture, CapturedStatement, Consent, OwnStatement
from lib.consents.rules import MOVES, NOTED, captured_from, place_of, standing, state_of
from lib.consents.store import ConsentStore, capture_write, consent_of
from lib.consents.vocabulary import CapturedState, Channel, State
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import StaleError
from lib.paging import Cursors, Page
from lib.timeline.entries import TimelineEntry, TimelineType, timeline_write

_AT_ONCE: Final = 8


class ConsentChangedError(StaleError):
    """The consent changed since the caller read it."""

    kind = "consent-changed"

    def __init__(self) -> None:
        super().__init__("The consent changed since it was read; read it again and repeat the statement.")


@dataclass(frozen=True, slots=True)
class ConsentService:
    """The operations on consents. Each consent is one entity, whose id follows from customer, purpose and channel."""

    store: ConsentStore
    customers: CustomerService
    decisions: ConsentDecisions
    clock: Clock
    cursors: Cursors

    async def allowed(self, customer_id: str, purpose: str, channel: Channel) -> bool:
        """Tell other rooms whether a customer's consent allows a purpose over a channel now. Missing means no."""
        return await self.decisions.allowed(customer_id, purpose, channel)

    async def read(self, *, customer_id: str, purpose: str, channel: Channel, at: datetime | None = None) -> Consent:
        """Return how consent stands, or stood at a moment; version 0 and unknown where nobody ever asked.

        One storage call where there is one, and one more when something was said since the moment.

        Raises:
            CustomerNotFoundError: there is no such customer.
        """
        check_customer_id(customer_id)
        kept = await self.store.read(customer_id, purpose, channel)
        if kept is None:
            await self.customers.require(customer_id)
            return self.store.never_asked(customer_id, purpose, channel)
        return standing(kept, await self.store.holding_at(kept, at), at or self.clock.now())

    async def list_page(
        self, *, customer_id: str, at: datetime | None, limit: int, cursor: str | None
    ) -> Page[Consent]:
        """Return a page of a customer's consents as they stand, or stood at a moment, in no promised order.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        listing = f"consents:{customer_id}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        consents, following = await self.store.page(customer_id, limit=limit, resume=resume)
        if not consents and cursor is None:
            await self.customers.require(customer_id)
        moment = at or self.clock.now()
        holding = await self.store.holdings_at(consents, at)
        return Page(
            [standing(consent, capture, moment) for consent, capture in zip(consents, holding, strict=True)],
            self.cursors.give(following, listing=listing) if following else None,
        )

    async def history_page(
        self, *, customer_id: str, purpose: str, channel: Channel, limit: int, cursor: str | None
    ) -> Page[Capture]:
        """Return a page of everything that was said about one consent, captured last first.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        consent_id = self.store.id_of(customer_id, purpose, channel)
        listing = f"consent:{consent_id}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        captures, following = await self.store.captures(customer_id, consent_id, limit=limit, resume=resume)
        if not captures and cursor is None:
            await self.customers.require(customer_id)
        return Page(captures, self.cursors.give(following, listing=listing) if following else None)

    async def record(
        self,
        *,
        customer_id: str,
        purpose: str,
        channel: Channel,
        said: OwnStatement | CapturedStatement,
        expected_version: int,
        operation: Operation,
    ) -> Answer:
        """Record what was said over the version that the caller read, and return the consent as it is kept then.

        What was captured before the statement that holds takes its place in the history and changes nothing else.

        Raises:
            CustomerNotFoundError: there is no such customer.
            ConsentChangedError: the version is no longer the current one.
            ConsentInvalidError: it was captured in the future, or its validity ends before it begins.
            IdempotencyMismatchError: the key was used with another statement.
            UnavailableError: it cannot be done now.
        """
        check_customer_id(customer_id)

        async def decide(kept: KeptEntity | None, version: int) -> Draft | None:
            before = consent_of(kept)
            if before is None:
                await self.customers.require(customer_id)
            if version - 1 != expected_version:
                raise ConsentChangedError
            return self._draft(before or self.store.never_asked(customer_id, purpose, channel), said, operation)

        return await self.store.entities.write(
            owner=customer_id,
            entity_id=self.store.id_of(customer_id, purpose, channel),
            operation=operation,
            decide=decide,
        )

    async def withdraw_all(
        self, *, customer_id: str, said: OwnStatement | CapturedStatement, operation: Operation
    ) -> Sequence[Consent]:
        """Withdraw every consent that is given, now, and return those that were withdrawn. Harmless to repeat.

        Each withdrawal commits by itself and is carried to everyone who must know by its own promise.

        Raises:
            CustomerNotFoundError: there is no such customer.
            UnavailableError: it cannot be done now; some may be withdrawn already, and a repeat withdraws the others.
        """
        check_customer_id(customer_id)
        consents = await self.store.all_of(customer_id)
        if not consents:
            await self.customers.require(customer_id)
        alone = replace(operation, fingerprint=None)  # the answer as a whole is kept, not one beside each consent
        given = [consent for consent in consents if self._is_given(consent)]
        withdrawn: list[Consent] = []
        for start in range(0, len(given), _AT_ONCE):
            some = given[start : start + _AT_ONCE]
            withdrawn += await asyncio.gather(*(self._withdraw(consent, said, alone) for consent in some))
        return withdrawn

    async def _withdraw(
        self, consent: Consent, said: OwnStatement | CapturedStatement, operation: Operation
    ) -> Consent:
        async def decide(kept: KeptEntity | None, _version: int) -> Draft | None:
            before = consent_of(kept)
            return self._draft(before, said, operation) if before is not None and self._is_given(before) else None

        answer = await self.store.entities.write(
            owner=consent.customer_id, entity_id=consent.id, operation=operation, decide=decide
        )
        return Consent.model_validate_json(answer.document)

    def _is_given(self, consent: Consent) -> bool:
        """Tell whether consent is given, or will be once its time begins."""
        statement = consent.statement
        return (
            statement is not None
            and statement.state is CapturedState.GRANTED
            and state_of(statement, at=self.clock.now()) is not State.EXPIRED
        )

    def _draft(self, before: Consent, said: OwnStatement | CapturedStatement, operation: Operation) -> Draft:
        now = in_milliseconds(self.clock.now())
        capture = captured_from(
            said,
            before=before,
            now=max(now, before.updated_at or now),
            version=before.version + 1,
            actor=operation.actor,
        )
        holds = before.statement is None or place_of(capture) < place_of(before.statement)
        after = Consent(
            id=before.id,
            customer_id=before.customer_id,
            purpose=before.purpose,
            channel=before.channel,
            version=capture.version,
            state=State((capture if holds or before.statement is None else before.statement).state.value),
            statement=capture if holds else before.statement,
            updated_at=capture.recorded_at,
        )
        return Draft(
            document=after.json_text(),
            fields=_fields(before, capture, holds=holds),
            values={"purpose": after.purpose, "channel": after.channel.value},
            more=(
                capture_write(before.id, capture),
                timeline_write(_told(before, capture, holds=holds, operation=operation)),
            ),
        )


def _fields(before: Consent, capture: Capture, *, holds: bool) -> list[dict[str, Any]]:
    if not holds:
        return [{"field": "/history", "old": None, "new": capture.state.value}]
    old = before.statement
    fields = [{"field": "/state", "old": old.state.value if old else None, "new": capture.state.value}]
    if capture.text_version != (old.text_version if old else None):
        fields.append({"field": "/textVersion", "old": old and old.text_version, "new": capture.text_version})
    return fields


def _told(before: Consent, capture: Capture, *, holds: bool, operation: Operation) -> TimelineEntry:
    at = capture.captured.at
    move = MOVES[state_of(before.statement, at=at), capture.state] if holds else NOTED
    over = "any channel" if before.channel is Channel.ANY else before.channel.value
    said = f"Consent {capture.state.value}: {before.purpose} over {over}"
    return TimelineEntry(
        id=f"{before.id}.{capture.version}",
        type=TimelineType.CONSENT,
        kind=move,
        happened_at=at,
        recorded_at=capture.recorded_at,
        summary=said if holds else f"{said} (told late; what was said since holds)",
        actor=operation.actor,
        reference=before.id,
        sequence=capture.version,
    )
