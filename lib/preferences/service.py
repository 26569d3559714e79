"""What we do for preferences: read them, state new ones, and tell who stated what."""

import json
from dataclasses import dataclass
from typing import Any, Final

from lib.changes.operation import Answer, Operation
from lib.changes.owned import Draft, KeptEntity, OwnedEntities, after_prefix
from lib.clock import Clock, in_milliseconds
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import StaleError
from lib.ids import Seal
from lib.paging import Cursors, Page
from lib.preferences.models import PreferenceKind, Preferences
from lib.preferences.patch import PreferencesPatch, Stated
from lib.preferences.rules import Outcome, changed_fields, stated
from lib.preferences.store import HISTORY_PREFIX, read_statement, statement_writes
from lib.timeline.entries import TimelineEntry, TimelineType, timeline_write

PREFERENCES_PREFIX: Final = "prf"


class PreferencesChangedError(StaleError):
    """The preferences changed since the caller read them."""

    kind = "preferences-changed"

    def __init__(self) -> None:
        super().__init__("The preferences changed since they were read; read them again and repeat the change.")


@dataclass(frozen=True, slots=True)
class PreferenceService:
    """The operations on preferences. A customer's preferences are one entity, whose id follows from the customer's."""

    entities: OwnedEntities
    customers: CustomerService
    clock: Clock
    id_seal: Seal
    value_seal: Seal
    cursors: Cursors

    async def read(self, *, customer_id: str) -> Answer:
        """Return a customer's preferences, in one storage call once there are any.

        Raises:
            CustomerNotFoundError: there is no such customer.
        """
        kept = await self._kept(customer_id)
        if kept is None:
            return _none_yet(customer_id)
        return Answer(entity_id=self._id(customer_id), version=kept.version, document=kept.document)

    async def current(self, customer_id: str) -> Preferences:
        """Return a customer's preferences for use by other rooms; without any, all values are absent.

        Raises:
            CustomerNotFoundError: there is no such customer.
        """
        return _preferences(await self._kept(customer_id), customer_id)

    async def amend(
        self,
        *,
        customer_id: str,
        patch: PreferencesPatch,
        by: Stated,
        expected_version: int,
        operation: Operation,
    ) -> Answer:
        """Record what a patch states over the version that the caller read, and return the preferences after it.

        A statement that is outranked by the current one goes to the history only. A patch that names nothing makes no
        new version.

        Raises:
            CustomerNotFoundError: there is no such customer.
            PreferencesChangedError: the version is no longer the current one.
            PreferencesInvalidError: the result would not be valid.
            IdempotencyMismatchError: the key was used with another patch.
            UnavailableError: it cannot be done now.
        """
        check_customer_id(customer_id)

        async def decide(kept: KeptEntity | None, version: int) -> Draft | None:
            if kept is None:
                await self.customers.require(customer_id)
            if version - 1 != expected_version:
                raise PreferencesChangedError
            if not patch.changes() and kept is not None:
                return None
            before = _preferences(kept, customer_id)
            now = in_milliseconds(self.clock.now())
            outcome = stated(before, patch, by, now=max(now, before.updated_at or now))
            return self._draft(before, outcome, operation)

        if not patch.changes() and expected_version == 0:
            return await self._nothing_stated(customer_id)
        return await self.entities.write(
            owner=customer_id, entity_id=self._id(customer_id), operation=operation, decide=decide
        )

    async def history_page(
        self, *, customer_id: str, kind: PreferenceKind | None, limit: int, cursor: str | None
    ) -> Page[dict[str, Any]]:
        """Return a page of everything that was stated, of one kind when one is given, last stated first.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        listing = f"preferences:{customer_id}:{kind or ''}"
        page = await self.entities.table.page(
            customer_id,
            from_key=HISTORY_PREFIX,
            below_key=after_prefix(HISTORY_PREFIX),
            limit=limit,
            resume=self.cursors.take(cursor, listing=listing) if cursor else None,
            where={"kind": kind.value} if kind else None,
        )
        if not page.rows and cursor is None:
            await self.customers.require(customer_id)
        following = self.cursors.give(page.resume, listing=listing) if page.resume else None
        return Page([read_statement(row) for row in page.rows], following)

    async def _kept(self, customer_id: str) -> KeptEntity | None:
        check_customer_id(customer_id)
        kept = await self.entities.read(customer_id, self._id(customer_id))
        if kept is None:
            await self.customers.require(customer_id)
        return kept

    async def _nothing_stated(self, customer_id: str) -> Answer:
        if await self._kept(customer_id) is not None:
            raise PreferencesChangedError
        return _none_yet(customer_id)

    def _draft(self, before: Preferences, outcome: Outcome, operation: Operation) -> Draft:
        after = outcome.preferences
        return Draft(
            document=after.json_text(),
            fields=changed_fields(before, outcome, seal=self.value_seal),
            more=(
                *statement_writes(outcome.statements, actor=operation.actor),
                timeline_write(_told(outcome, self._id(after.customer_id), operation)),
            ),
        )

    def _id(self, customer_id: str) -> str:
        return self.id_seal.id(PREFERENCES_PREFIX, "preferences", customer_id)


def _preferences(kept: KeptEntity | None, customer_id: str) -> Preferences:
    if kept is None:
        return Preferences(customer_id=customer_id, version=0)
    return Preferences.model_validate(json.loads(kept.document))


def _none_yet(customer_id: str) -> Answer:
    return Answer(entity_id=customer_id, version=0, document=_preferences(None, customer_id).json_text())


def _told(outcome: Outcome, entity_id: str, operation: Operation) -> TimelineEntry:
    by = outcome.statements[0].provenance
    held = any(statement.held for statement in outcome.statements)
    kinds = ", ".join(statement.kind.value for statement in outcome.statements)
    return TimelineEntry(
        id=f"{entity_id}.{by.version}",
        type=TimelineType.PREFERENCE,
        kind="stated" if held else "outranked",
        happened_at=by.stated_at,
        recorded_at=by.recorded_at,
        summary=f"Preferences stated: {kinds}" if held else f"Preferences noted, others hold: {kinds}",
        actor=operation.actor,
        reference=entity_id,
        sequence=by.version,
    )
