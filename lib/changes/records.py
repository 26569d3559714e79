"""Records in their customer's partition: what happened, said once and never changed afterwards.

A record has no versions, so nothing is promised and nobody downstream is told: one transaction keeps it with its entry
in the timeline. Its id says whether it was told before: telling the same again finds the first record, telling
something else under the same id is refused.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Final

from lib.changes.operation import Answer, Operation, fingerprint_of, first_answer, record_writes
from lib.changes.writer import OutcomeNotSettledError
from lib.errors import ConflictError, UnavailableError
from lib.storage.documents import joined, split
from lib.storage.errors import (
    OutcomeUnknownError,
    RowConflictError,
    RowExistsError,
    RowTooLargeError,
    StorageUnavailableError,
)
from lib.storage.limits import BATCH_WRITES
from lib.storage.ports import Insert, Row, Table

_FORMAT: Final = 1
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.2


class RecordConflictError(ConflictError):
    """Something else was recorded under this event id before."""

    kind = "event-conflict"
    title = "Event recorded before with another content"

    def __init__(self) -> None:
        super().__init__(
            "This event id was recorded before with another content. Records do not change: tell a correction under an "
            "event id of its own."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """Something to keep: its document as it is read back, what its sender said, and the rows that go with it."""

    id: str
    document: str
    content: dict[str, object]
    more: Sequence[Insert] = ()


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What is kept of a record, and whether this operation made it."""

    answer: Answer
    created: bool


class Keeping(StrEnum):
    """What became of one record of several."""

    CREATED = "created"
    REPEATED = "repeated"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one kind, in their customers' partitions of table `customers`."""

    kind: str
    table: Table

    def key(self, record_id: str) -> str:
        """Return the row key of a record."""
        return f"{self.kind}~{record_id}"

    async def read(self, owner: str, record_id: str) -> Answer | None:
        """Return a record as it is read back, in one storage call; None when there is none."""
        row = await self.table.get(owner, self.key(record_id))
        return None if row is None else _answer(row, record_id)

    async def keep(self, *, owner: str, record: NewRecord, operation: Operation) -> KeptRecord:
        """Keep a record, in one storage call when it is new, or return the first one that was kept under its id.

        Raises:
            RecordConflictError: the id is that of a record with another content.
            IdempotencyMismatchError: the key was used with another body.
            OutcomeNotSettledError: storage did not say what became of it; the same request again settles it.
            UnavailableError: it cannot be done now; nothing was written.
        """
        answer = Answer(entity_id=record.id, version=1, document=record.document)
        writes = (*self._writes(record, operation), *record_writes(operation, answer))
        unknown = False
        for round_number in range(_TRIES):
            try:
                await self.table.write(owner, *writes)
            except RowConflictError:
                return await self._first(owner, record, operation)
            except OutcomeUnknownError:
                unknown = True  # the same rows again: if they were written, the conflict says so
            except StorageUnavailableError:
                pass
            else:
                return KeptRecord(answer, created=True)
            await asyncio.sleep(_PAUSE_SECONDS * (round_number + 1))
        raise _not_done(unknown=unknown)

    async def keep_many(self, *, owner: str, records: Sequence[NewRecord], operation: Operation) -> list[Keeping]:
        """Keep records, as many in one transaction as fit, and say of each in order what became of it.

        It may be repeated after any failure: what the same operation kept before counts as created again.

        Raises:
            OutcomeNotSettledError: storage did not say what became of some; the same call again settles it.
            UnavailableError: it cannot be done now; some may have been kept.
        """
        outcomes: dict[str, Keeping] = {}
        first: dict[str, NewRecord] = {}
        for record in records:
            first.setdefault(record.id, record)
        look = False
        for batch in _batches(list(first.values())):
            look = await self._keep_batch(_Batch(owner, operation, outcomes), batch, look=look)
        return [
            outcomes[record.id] if record is first[record.id] else _repeat_of(first[record.id], record)
            for record in records
        ]

    async def would_keep(self, *, owner: str, records: Sequence[NewRecord]) -> list[Keeping]:
        """Say of each record in order what would become of it, without keeping any."""
        rows = await asyncio.gather(*(self.table.get(owner, self.key(record.id)) for record in records))
        first: dict[str, NewRecord] = {}
        outcomes: list[Keeping] = []
        for record, row in zip(records, rows, strict=True):
            before = first.setdefault(record.id, record)
            if row is not None:
                same = row.values["content"] == fingerprint_of(record.content)
                outcomes.append(Keeping.REPEATED if same else Keeping.CONFLICT)
            else:
                outcomes.append(Keeping.CREATED if before is record else _repeat_of(before, record))
        return outcomes

    async def _keep_batch(self, batch: "_Batch", records: Sequence[NewRecord], *, look: bool) -> bool:
        """Keep the records of one transaction, and tell whether some were there before.

        Where some were, more of the same run probably are: then looking first is cheaper than being refused.
        """
        left, repeats, unknown = list(records), False, False
        for round_number in range(_TRIES):
            if look:
                left = await self._unkept(batch, left)
                repeats = repeats or len(left) < len(records)
            outcome = await self._write_batch(batch, left)
            if outcome is _Written.DONE:
                return repeats
            if outcome is _Written.TOO_LARGE:
                half = len(left) // 2
                found = await self._keep_batch(batch, left[:half], look=False)
                return await self._keep_batch(batch, left[half:], look=False) or found or repeats
            unknown = unknown or outcome is _Written.UNKNOWN
            look = look or outcome in {_Written.CONFLICT, _Written.UNKNOWN}
            if outcome is not _Written.CONFLICT:
                await asyncio.sleep(_PAUSE_SECONDS * (round_number + 1))
        raise _not_done(unknown=unknown)

    async def _write_batch(self, batch: "_Batch", records: Sequence[NewRecord]) -> "_Written":
        if not records:
            return _Written.DONE
        writes = [write for record in records for write in self._writes(record, batch.operation)]
        try:
            await self.table.write(batch.owner, *writes)
        except RowConflictError:
            return _Written.CONFLICT
        except RowTooLargeError:
            if len(records) == 1:
                raise
            return _Written.TOO_LARGE
        except OutcomeUnknownError:
            return _Written.UNKNOWN
        except StorageUnavailableError:
            return _Written.REFUSED
        batch.outcomes.update(dict.fromkeys((record.id for record in records), Keeping.CREATED))
        return _Written.DONE

    async def _unkept(self, batch: "_Batch", records: Sequence[NewRecord]) -> list[NewRecord]:
        """Settle the records that are there already, and return the others."""
        rows = await asyncio.gather(*(self.table.get(batch.owner, self.key(record.id)) for record in records))
        for record, row in zip(records, rows, strict=True):
            if row is None:
                continue
            if row.values["operationId"] == batch.operation.id:
                batch.outcomes[record.id] = Keeping.CREATED
            else:
                same = row.values["content"] == fingerprint_of(record.content)
                batch.outcomes[record.id] = Keeping.REPEATED if same else Keeping.CONFLICT
        return [record for record, row in zip(records, rows, strict=True) if row is None]

    async def _first(self, owner: str, record: NewRecord, operation: Operation) -> KeptRecord:
        """Return what was kept before, under the same id or under the same idempotency key."""
        row = await self.table.get(owner, self.key(record.id))
        if row is not None and row.values["attempt"] == operation.attempt:
            return KeptRecord(_answer(row, record.id), created=True)  # by this very request, whose answer was lost
        told = await first_answer(self.table, partition=owner, operation=operation)
        if told is not None:
            return KeptRecord(told, created=row is not None and row.values["operationId"] == operation.id)
        if row is None:
            raise UnavailableError("The record could not be kept now; nothing was written.")
        if row.values["content"] != fingerprint_of(record.content):
            raise RecordConflictError
        answer = _answer(row, record.id, replayed=True)
        try:
            for write in record_writes(operation, answer):
                await self.table.write(owner, write)
        except RowExistsError:
            answer = await first_answer(self.table, partition=owner, operation=operation) or answer
        return KeptRecord(answer, created=False)

    def _writes(self, record: NewRecord, operation: Operation) -> tuple[Insert, ...]:
        return (
            Insert(
                self.key(record.id),
                {
                    "format": _FORMAT,
                    "version": 1,
                    "content": fingerprint_of(record.content),
                    "operationId": operation.id,
                    "attempt": operation.attempt,
                    **split("document", record.document),
                },
            ),
            *record.more,
        )


class _Written(Enum):
    DONE = auto()
    CONFLICT = auto()
    TOO_LARGE = auto()
    UNKNOWN = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class _Batch:
    owner: str
    operation: Operation
    outcomes: dict[str, Keeping] = field(default_factory=dict[str, Keeping])


def _batches(records: Sequence[NewRecord]) -> Iterator[list[NewRecord]]:
    batch: list[NewRecord] = []
    rows = 0
    for record in records:
        needed = 1 + len(record.more)
        if rows + needed > BATCH_WRITES:
            yield batch
            batch, rows = [], 0
        batch.append(record)
        rows += needed
    if batch:
        yield batch


def _repeat_of(first: NewRecord, record: NewRecord) -> Keeping:
    return Keeping.REPEATED if first.content == record.content else Keeping.CONFLICT


def _answer(row: Row, record_id: str, *, replayed: bool = False) -> Answer:
    return Answer(entity_id=record_id, version=1, document=joined("document", row.values), replayed=replayed)


def _not_done(*, unknown: bool) -> UnavailableError:
    if unknown:
        return OutcomeNotSettledError(
            "Storage did not say whether the record was kept; repeat it with the same event id or Idempotency-Key."
        )
    return UnavailableError("The record could not be kept now; nothing was written.")
