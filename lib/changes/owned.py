"""Entities in their customer's partition: one row each, and for every change a version, a promise and a log entry.

A room tells what a change makes of its entity; the order of steps around that (`docs/delivery.md`) is here, once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from zlib import crc32

from lib.changes.operation import Answer, Operation, first_answer, record_writes
from lib.changes.subjects import FenceLostError
from lib.changes.writer import Change, Commit, LostRaceError, Writer, change_prefix, read_change
from lib.errors import PlatformError, UnavailableError
from lib.messaging.catalogue import Subject
from lib.paging import Cursors, Page
from lib.storage.documents import joined, split
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table, Value, Write

FORMAT: Final = 1
_TRIES: Final = 10
_STEP_BACK_SECONDS: Final = 0.03
_LONGEST_STEP_BACK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class KeptEntity:
    """What an entity's row holds: the document as it is read back, and the row for what is kept beside it."""

    version: int
    document: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a change makes of an entity: its document, what the change log says, and what else is written with it."""

    document: str
    fields: Sequence[Any]
    reason: str = ""
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    more: Sequence[Write] = ()


Decide: TypeAlias = Callable[[KeptEntity | None, int], Awaitable[Draft | None]]
"""Given what is kept (None for nothing) and the version to make, a draft; None when there is nothing to change."""


@dataclass(frozen=True, slots=True)
class OwnedEntities:
    """The entities of one subject, in their customers' partitions of table `customers`."""

    subject: Subject
    table: Table
    writer: Writer

    @property
    def prefix(self) -> str:
        """What the row keys of these entities begin with."""
        return f"{self.subject}~"

    def key(self, entity_id: str) -> str:
        """Return the row key of an entity."""
        return f"{self.prefix}{entity_id}"

    async def read(self, owner: str, entity_id: str) -> KeptEntity | None:
        """Return what is kept of an entity, in one storage call; None when nothing was committed."""
        return kept_entity(await self.table.get(owner, self.key(entity_id)))

    async def write(
        self, *, owner: str, entity_id: str, operation: Operation, decide: Decide, new: bool = False
    ) -> Answer:
        """Make the next version of an entity as `decide` says, and return it as it is read back.

        `decide` is asked again after every lost race, after a while that grows and differs between writers. What it
        refuses by raising is first looked up: it may be this very operation, by its idempotency key, that made the
        difference. `new` spares the read of what is not there.

        Raises:
            PlatformError: what `decide` raised.
            IdempotencyMismatchError: the key was used with another body.
            UnavailableError: it cannot be done now.
        """
        row = None if new else await self.table.get(owner, self.key(entity_id))
        for round_number in range(_TRIES):
            kept = kept_entity(row)
            version = kept.version + 1 if kept else 1
            try:
                draft = await decide(kept, version)
            except PlatformError:
                first = await self._first_answer(owner, operation)
                if first is not None:
                    return first
                raise
            if draft is None:
                return await self._unchanged(owner, entity_id, kept, operation)
            answer = Answer(entity_id=entity_id, version=version, document=draft.document)
            promised = await self.writer.promise(
                subject=self.subject, entity_id=entity_id, partition=owner, version=version
            )
            try:
                await self.writer.commit(self._commit(owner, answer, draft, operation, row), promised=promised)
            except LostRaceError:
                first = await self._first_answer(owner, operation)
                if first is not None:
                    return first
                await _step_back(operation, round_number)
                row = await self.table.get(owner, self.key(entity_id))
                continue
            return answer
        raise UnavailableError("Others change this without pause; nothing was written.")

    async def fence(self, owner: str, entity_id: str, row: Row | None) -> None:
        """Rewrite the entity's row unchanged, or leave a tombstone where there is none.

        Raises:
            FenceLostError: the row was written since it was read.
        """
        key = self.key(entity_id)
        write = Insert(key, {"format": FORMAT, "version": 0}) if row is None else Replace(key, row.values, row.etag)
        try:
            await self.table.write(owner, write)
        except (RowChangedError, RowExistsError, OutcomeUnknownError):
            raise FenceLostError from None

    async def changes_page(
        self, owner: str, entity_id: str, *, cursors: Cursors, limit: int, cursor: str | None
    ) -> Page[Change]:
        """Return a page of an entity's change log, newest first, in one storage call.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"{self.subject}-changes:{owner}:{entity_id}"
        resume = cursors.take(cursor, listing=listing) if cursor else None
        prefix = change_prefix(self.subject, entity_id)
        page = await self.table.page(owner, from_key=prefix, below_key=after_prefix(prefix), limit=limit, resume=resume)
        following = cursors.give(page.resume, listing=listing) if page.resume else None
        return Page([read_change(row) for row in page.rows], following)

    def _commit(self, owner: str, answer: Answer, draft: Draft, operation: Operation, over: Row | None) -> Commit:
        key = self.key(answer.entity_id)
        values: dict[str, Value] = {
            **draft.values,
            "format": FORMAT,
            "version": answer.version,
            **split("document", draft.document),
        }
        return Commit(
            table=self.table,
            partition=owner,
            subject=self.subject,
            entity_id=answer.entity_id,
            version=answer.version,
            operation=operation,
            writes=(
                Insert(key, values) if over is None else Replace(key, values, over.etag),
                self.writer.change_write(
                    operation,
                    subject=self.subject,
                    entity_id=answer.entity_id,
                    version=answer.version,
                    fields=draft.fields,
                    reason=draft.reason,
                ),
                *draft.more,
                *record_writes(operation, answer),
            ),
        )

    async def _first_answer(self, owner: str, operation: Operation) -> Answer | None:
        return await first_answer(self.table, partition=owner, operation=operation)

    async def _unchanged(self, owner: str, entity_id: str, kept: KeptEntity | None, operation: Operation) -> Answer:
        if kept is None:
            raise ValueError("there is nothing that could stay as it is")
        answer = Answer(entity_id=entity_id, version=kept.version, document=kept.document, changed=False)
        try:
            for write in record_writes(operation, answer):
                await self.table.write(owner, write)
        except RowExistsError:
            return await self._first_answer(owner, operation) or answer
        return answer


async def _step_back(operation: Operation, round_number: int) -> None:
    """Let others go first after a lost race: not all for as long, and longer after each.

    The share is drawn from the attempt, so that a simulation runs the same way twice.
    """
    share = crc32(f"{operation.attempt} {round_number}".encode()) / 2**32
    await asyncio.sleep(share * min(_STEP_BACK_SECONDS * 2**round_number, _LONGEST_STEP_BACK_SECONDS))


def kept_entity(row: Row | None) -> KeptEntity | None:
    """Return what an entity's row holds; None for no row, and for a tombstone that a fence left."""
    if row is None:
        return None
    version = int(str(row.values["version"]))
    return KeptEntity(version, joined("document", row.values), row) if version else None


def after_prefix(prefix: str) -> str:
    """Return the first key after all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
