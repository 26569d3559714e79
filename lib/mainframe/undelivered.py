"""What has not reached the mainframe yet can be asked: one small row per subject, spread over a few partitions.

A row is there from the first attempt that did not succeed until the acknowledgement. It is what health, alerts and
operations read, and what parked deliveries wait in. Beside it, written in the same transaction, stands its place in a
line: keys that sort by time, so that whoever wants the oldest reads only those, however many wait.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from lib.clock import parse_rfc3339, rfc3339
from lib.messaging.catalogue import Subject
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert, Write

UNDELIVERED_TABLE: Final = "undelivered"
_BUCKETS: Final = 16
_PAGE: Final = 200
_LONGEST_PAGE: Final = 1000
_TRIES: Final = 8
# After every letter, so that the lines of a partition come behind the rows of its subjects.
_LINES: Final = "~"


class WaitState(StrEnum):
    """Why a delivery waits."""

    RETRYING = "retrying"
    PARKED = "parked"


class UndeliveredContendedError(Exception):
    """The row was written by others at every try; the host runs the message again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """One subject whose newest version has not reached the mainframe. `owner` is as in its wake-ups."""

    subject: Subject
    id: str
    version: int
    accepted_at: datetime
    state: WaitState
    attempts: int
    next_attempt_at: datetime | None
    reason: str
    trace: str
    owner: str = ""

    @property
    def key(self) -> str:
        """The key of its row."""
        return f"{self.subject}~{self.id}"

    @property
    def place(self) -> str:
        """The key of its place in line: the parked by acceptance, those that are retried by their next attempt."""
        since = self.accepted_at if self.state is WaitState.PARKED else self.next_attempt_at or self.accepted_at
        return f"{_line(self.state)}{rfc3339(since)}~{self.key}"

    def values(self) -> dict[str, Any]:
        """Return what is kept."""
        kept: dict[str, Any] = {
            "subject": self.subject.value,
            "entityId": self.id,
            "version": self.version,
            "acceptedAt": rfc3339(self.accepted_at),
            "state": self.state.value,
            "attempts": self.attempts,
            "reason": self.reason,
            "trace": self.trace,
        }
        if self.owner:
            kept["owner"] = self.owner
        if self.next_attempt_at is not None:
            kept["nextAttemptAt"] = rfc3339(self.next_attempt_at)
        return kept

    @classmethod
    def read(cls, row: Row) -> Self:
        """Return what a row keeps."""
        values = row.values
        following = values.get("nextAttemptAt")
        return cls(
            subject=Subject(str(values["subject"])),
            id=str(values["entityId"]),
            version=int(str(values["version"])),
            accepted_at=parse_rfc3339(str(values["acceptedAt"])),
            state=WaitState(str(values["state"])),
            attempts=int(str(values["attempts"])),
            next_attempt_at=parse_rfc3339(str(following)) if following else None,
            reason=str(values["reason"]),
            trace=str(values["trace"]),
            owner=str(values.get("owner", "")),
        )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A waiting delivery with the etag of its row."""

    delivery: Undelivered
    row: Row


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line: which row stands there. The row itself may have moved on since."""

    partition: str
    row_key: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits, and since when the oldest. `complete` is False when there is more than was counted."""

    parked: int
    retrying: int
    oldest_accepted_at: datetime | None
    complete: bool


@dataclass(frozen=True, slots=True)
class UndeliveredStore:
    """Keeps waiting deliveries."""

    table: Table

    async def put(self, delivery: Undelivered) -> None:
        """Keep a waiting delivery: always a new etag, the highest version and the oldest acceptance of those told.

        Raises:
            UndeliveredContendedError: others wrote the row at every try.
        """
        partition = bucket_of(delivery.id)
        for _ in range(_TRIES):
            row = await self.table.get(partition, delivery.key)
            try:
                if row is None:
                    place = Upsert(delivery.place, _place_values(delivery))
                    await self.table.write(partition, Insert(delivery.key, delivery.values()), place)
                else:
                    waiting = WaitingRow(Undelivered.read(row), row)
                    await self._write_over(waiting, _joined(waiting.delivery, delivery))
            except (RowExistsError, RowChangedError, OutcomeUnknownError):
                continue
            return
        raise UndeliveredContendedError

    async def get(self, subject: Subject, entity_id: str) -> WaitingRow | None:
        """Return the waiting delivery of a subject, if it waits."""
        row = await self.table.get(bucket_of(entity_id), f"{subject}~{entity_id}")
        return WaitingRow(Undelivered.read(row), row) if row else None

    async def settle(self, subject: Subject, entity_id: str, *, done: int) -> None:
        """Forget a waiting delivery whose version is done; one that waits with a newer version stays.

        Raises:
            UndeliveredContendedError: others wrote the row at every try.
        """
        for _ in range(_TRIES):
            waiting = await self.get(subject, entity_id)
            if waiting is None or waiting.delivery.version > done or await self.forget(waiting):
                return
        # Nothing else would come for a row that stays although its version is done.
        raise UndeliveredContendedError

    async def forget(self, waiting: WaitingRow) -> bool:
        """Delete a row as it was read; return False when it changed since, and is kept."""
        writes: list[Write] = [Delete(waiting.row.key, waiting.row.etag)]
        place = await self.table.get(waiting.row.partition, waiting.delivery.place)
        if place is not None:
            writes.append(Delete(place.key, place.etag))
        try:
            await self.table.write(waiting.row.partition, *writes)
        except (RowChangedError, OutcomeUnknownError):
            return False
        return True

    async def replace(self, waiting: WaitingRow, delivery: Undelivered) -> bool:
        """Write over a row as it was read; return False when it changed since."""
        try:
            await self._write_over(waiting, delivery)
        except (RowChangedError, OutcomeUnknownError):
            return False
        return True

    async def at(self, place: Place) -> WaitingRow | None:
        """Return the row that stands at a place, or None when it is gone."""
        row = await self.table.get(place.partition, place.row_key)
        return WaitingRow(Undelivered.read(row), row) if row else None

    async def parked(self, *, at_most: int) -> list[Place]:
        """Return the places of so many parked deliveries, oldest first, reading no more than so many per partition."""
        return await self._first(WaitState.PARKED, below=None, at_most=at_most)

    async def overdue(self, before: datetime, *, at_most: int) -> list[Place]:
        """Return the places of so many retries whose time was before this, oldest first."""
        return await self._first(WaitState.RETRYING, below=before, at_most=at_most)

    async def summary(self, *, at_most: int) -> Waiting:
        """Count what waits: at most so many of each state and partition."""
        parked, retrying = await asyncio.gather(
            *(self._lines(state, below=None, at_most=at_most + 1) for state in (WaitState.PARKED, WaitState.RETRYING))
        )
        return Waiting(
            parked=sum(len(line[:at_most]) for line in parked),
            retrying=sum(len(line[:at_most]) for line in retrying),
            oldest_accepted_at=min(
                (place.accepted_at for line in (*parked, *retrying) for place in line), default=None
            ),
            complete=all(len(line) <= at_most for line in (*parked, *retrying)),
        )

    async def waiting(self, *, at_most: int = _PAGE) -> list[WaitingRow]:
        """Return waiting deliveries of every state, oldest first; of each partition at most so many, by their keys."""
        buckets = await asyncio.gather(*(self._rows(bucket, "", _LINES, at_most) for bucket in _buckets()))
        found = [WaitingRow(Undelivered.read(row), row) for rows in buckets for row in rows]
        return sorted(found, key=lambda one: one.delivery.accepted_at)

    async def _write_over(self, waiting: WaitingRow, delivery: Undelivered) -> None:
        partition = waiting.row.partition
        writes: list[Write] = [
            Replace(waiting.row.key, delivery.values(), waiting.row.etag),
            Upsert(delivery.place, _place_values(delivery)),
        ]
        if waiting.delivery.place != delivery.place:
            left = await self.table.get(partition, waiting.delivery.place)
            if left is not None:
                writes.append(Delete(left.key, left.etag))
        await self.table.write(partition, *writes)

    async def _first(self, state: WaitState, *, below: datetime | None, at_most: int) -> list[Place]:
        lines = await self._lines(state, below=below, at_most=at_most)
        return sorted((place for line in lines for place in line), key=lambda place: place.accepted_at)[:at_most]

    async def _lines(self, state: WaitState, *, below: datetime | None, at_most: int) -> list[list[Place]]:
        return await asyncio.gather(*(self._line(bucket, state, below=below, at_most=at_most) for bucket in _buckets()))

    async def _line(self, bucket: str, state: WaitState, *, below: datetime | None, at_most: int) -> list[Place]:
        start = _line(state)
        end = f"{start}{rfc3339(below)}" if below else f"{start}{_LINES}"
        return [
            Place(bucket, str(row.values["of"]), parse_rfc3339(str(row.values["acceptedAt"])))
            for row in await self._rows(bucket, start, end, at_most)
        ]

    async def _rows(self, bucket: str, start: str, end: str, at_most: int) -> list[Row]:
        found: list[Row] = []
        resume: str | None = None
        while len(found) < at_most:
            limit = min(_LONGEST_PAGE, at_most - len(found))
            page = await self.table.page(bucket, from_key=start, below_key=end, limit=limit, resume=resume)
            found += page.rows
            resume = page.resume
            if resume is None:
                break
        return found


def bucket_of(entity_id: str) -> str:
    """Return the partition in which an entity's row is kept."""
    return f"{hashlib.sha256(entity_id.encode()).digest()[0] % _BUCKETS:02d}"


def _buckets() -> list[str]:
    return [f"{number:02d}" for number in range(_BUCKETS)]


def _line(state: WaitState) -> str:
    return f"{_LINES}{state}~"


def _place_values(delivery: Undelivered) -> dict[str, str]:
    return {"of": delivery.key, "acceptedAt": rfc3339(delivery.accepted_at)}


def _joined(kept: Undelivered, told: Undelivered) -> Undelivered:
    return replace(
        told,
        version=max(kept.version, told.version),
        accepted_at=min(kept.accepted_at, told.accepted_at),
        attempts=max(kept.attempts, told.attempts),
    )
