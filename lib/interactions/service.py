"""What we do for interactions: keep what is told once, read it back, list it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.changes.operation import Answer, Operation
from lib.changes.records import Keeping, KeptRecord, NewRecord, Records
from lib.clock import Clock, rfc3339
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import NotFoundError
from lib.ids import Ids, Seal, is_id
from lib.interactions.models import INTERACTION_PREFIX, InteractionDraft
from lib.interactions.rules import InteractionInvalidError, check_happened, summary_of
from lib.interactions.words import InteractionChannel, InteractionKind
from lib.paging import Page
from lib.timeline.entries import ITEM, TimelineEntry, TimelineType, timeline_write
from lib.timeline.filters import TimelineFilter
from lib.timeline.ranges import RangePages

INTERACTIONS: Final = "interaction"
_LISTING: Final = "interactions"
_LISTED: Final = ("kind", "channel", "direction", "agent", "subject", "references", "happenedAt")


class InteractionNotFoundError(NotFoundError):
    """This customer has no interaction with this id."""

    kind = "interaction-not-found"
    title = "No such interaction"

    def __init__(self) -> None:
        super().__init__("This customer has no interaction with this id.")


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionEntry:
    """One interaction of many: `key` makes a repeat one record where the draft has no event id of its source."""

    draft: InteractionDraft
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOutcome:
    """What became of one interaction of many: its id, or why it was refused."""

    interaction_id: str
    keeping: Keeping | None = None
    refusal: InteractionInvalidError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionService:
    """The operations on interactions."""

    records: Records
    pages: RangePages
    customers: CustomerService
    clock: Clock
    ids: Ids
    id_seal: Seal

    async def record(self, *, customer_id: str, draft: InteractionDraft, operation: Operation) -> KeptRecord:
        """Keep an interaction, or return the first record of the same event, in two storage calls when it is new.

        Raises:
            CustomerNotFoundError: there is no such customer.
            InteractionInvalidError: it lies in the future.
            RecordConflictError: the event was told before with another content.
            IdempotencyMismatchError: the key was used with another body.
            OutcomeNotSettledError: storage did not say what became of it; the same request again settles it.
            UnavailableError: it cannot be done now; nothing was written.
        """
        check_happened(draft.happened_at, now=self.clock.now())
        owner = await self.customers.require(customer_id)
        if draft.source is not None:
            interaction_id = self._id_of_event(owner, draft.source.system, draft.source.event_id)
        elif operation.keyed:
            interaction_id = self.id_seal.id(INTERACTION_PREFIX, operation.id)
        else:
            interaction_id = self.ids.new(INTERACTION_PREFIX)
        record = self._record(owner, interaction_id, draft, actor=operation.actor)
        return await self.records.keep(owner=owner, record=record, operation=operation)

    async def record_many(
        self, *, customer_id: str, entries: Sequence[InteractionEntry], operation: Operation
    ) -> list[EntryOutcome]:
        """Keep many interactions of one customer, up to fifty in one storage call, and say what became of each.

        The same call may be repeated after any failure: `operation.id` says that it is the same.

        Raises:
            CustomerNotFoundError: there is no such customer.
            OutcomeNotSettledError: storage did not say what became of some; the same call again settles it.
            UnavailableError: it cannot be done now; some may have been kept.
        """
        owner = await self.customers.require(customer_id)
        outcomes, records = self._records_of(owner, entries, actor=operation.actor)
        kept = await self.records.keep_many(owner=owner, records=records, operation=operation)
        settled = iter(zip(records, kept, strict=True))
        return [outcome or _outcome(*next(settled)) for outcome in outcomes]

    async def preview_many(self, *, customer_id: str, entries: Sequence[InteractionEntry]) -> list[EntryOutcome]:
        """Say what `record_many` would make of each, without keeping anything.

        Raises:
            CustomerNotFoundError: there is no such customer.
        """
        owner = await self.customers.require(customer_id)
        outcomes, records = self._records_of(owner, entries, actor="")
        would = await self.records.would_keep(owner=owner, records=records)
        settled = iter(zip(records, would, strict=True))
        return [outcome or _outcome(*next(settled)) for outcome in outcomes]

    async def read(self, *, customer_id: str, interaction_id: str) -> Answer:
        """Return an interaction as it is read back, in one storage call.

        Raises:
            InteractionNotFoundError: this customer has none with this id.
        """
        check_customer_id(customer_id)
        known = is_id(interaction_id, prefix=INTERACTION_PREFIX)
        answer = await self.records.read(customer_id, interaction_id) if known else None
        if answer is None:
            raise InteractionNotFoundError
        return answer

    async def list_page(
        self,
        *,
        customer_id: str,
        limit: int,
        cursor: str | None,
        kind: InteractionKind | None = None,
        channel: InteractionChannel | None = None,
    ) -> Page[str]:
        """Return a page of a customer's interactions as lists show them, the latest to happen first.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        asked = TimelineFilter(type=TimelineType.INTERACTION.value, kind=kind, channel=channel)
        found = await self.pages.read(customer_id, asked.range(), limit=limit, cursor=cursor, name=_LISTING)
        if not found.items and found.cursor is None and cursor is None:
            await self.customers.require(customer_id)
        return Page([str(row.values[ITEM]) for row in found.items], found.cursor)

    def _id_of_event(self, owner: str, system: str, event_id: str) -> str:
        return self.id_seal.id(INTERACTION_PREFIX, owner, system, event_id)

    def _id_of_entry(self, owner: str, entry: InteractionEntry) -> str:
        if entry.draft.source is not None:
            return self._id_of_event(owner, entry.draft.source.system, entry.draft.source.event_id)
        return self.id_seal.id(INTERACTION_PREFIX, owner, entry.key)

    def _records_of(
        self, owner: str, entries: Sequence[InteractionEntry], *, actor: str
    ) -> tuple[list[EntryOutcome | None], list[NewRecord]]:
        """Return the records that entries are, and the refusals at the places of the others."""
        now = self.clock.now()
        outcomes: list[EntryOutcome | None] = []
        records: list[NewRecord] = []
        for entry in entries:
            interaction_id = self._id_of_entry(owner, entry)
            try:
                check_happened(entry.draft.happened_at, now=now)
            except InteractionInvalidError as refusal:
                outcomes.append(EntryOutcome(interaction_id=interaction_id, refusal=refusal))
                continue
            outcomes.append(None)
            records.append(self._record(owner, interaction_id, entry.draft, actor=actor))
        return outcomes, records

    def _record(self, owner: str, interaction_id: str, draft: InteractionDraft, *, actor: str) -> NewRecord:
        said: dict[str, Any] = draft.model_dump(mode="json", by_alias=True, exclude_none=True)
        now = self.clock.now()
        added = {"recordedAt": rfc3339(now), "recordedBy": actor}
        entry = TimelineEntry(
            id=interaction_id,
            type=TimelineType.INTERACTION,
            kind=draft.kind.value,
            happened_at=draft.happened_at,
            recorded_at=now,
            summary=summary_of(draft),
            actor=draft.agent or actor,
            channel=draft.channel.value,
            reference=interaction_id,
            detail=draft.subject,
        )
        return NewRecord(
            id=interaction_id,
            document=_json({"id": interaction_id, "customerId": owner, **said, **added}),
            content=said,
            more=(timeline_write(entry, item=_json(_summary(interaction_id, said, added["recordedAt"]))),),
        )


def _summary(interaction_id: str, said: Mapping[str, Any], recorded_at: str) -> dict[str, Any]:
    listed = {name: said[name] for name in _LISTED if name in said}
    return {"id": interaction_id, **listed, "recordedAt": recorded_at}


def _outcome(record: NewRecord, keeping: Keeping) -> EntryOutcome:
    return EntryOutcome(interaction_id=record.id, keeping=keeping)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
