"""What has not reached the mainframe yet can be asked: one small row per subject, spread over a few partitions.

A row is there from the first attempt that did not succeed until the acknowledgement. It is what health, alerts and
operations read, and what parked deliveries wait in.
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
from lib.storage.ports import Delete, Insert, Replace, Row, Table

UNDELIVERED_TABLE: Final = "undelivered"
_BUCKETS: Final = 16
_PAGE: Final = 200
_TRIES: Final = 8


class WaitState(StrEnum):
    """Why a delivery waits."""

    RETRYING = "retrying"
    PARKED = "parked"


class UndeliveredContendedError(Exception):
    """The row was written by others at every try; the host runs the message again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """One subject whose newest version has not reached the mainframe."""

    subject: Subject
    id: str
    version: int
    accepted_at: datetime
    state: WaitState
    attempts: int
    next_attempt_at: datetime | None
    reason: str
    trace: str

    @property
    def key(self) -> str:
        """The key of its row."""
        return f"{self.subject}~{self.id}"

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
        )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A waiting delivery with the etag of its row."""

    delivery: Undelivered
    row: Row


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
            if row is None:
                write: Insert | Replace = Insert(delivery.key, delivery.values())
            else:
                write = Replace(delivery.key, _joined(Undelivered.read(row), delivery).values(), row.etag)
            try:
                await self.table.write(partition, write)
            except (RowExistsError, RowChangedError, OutcomeUnknownError):
                continue
            return
        raise UndeliveredContendedError

    async def get(self, subject: Subject, entity_id: str) -> WaitingRow | None:
        """Return the waiting delivery of a subject, if it waits."""
        row = await self.table.get(bucket_of(entity_id), f"{subject}~{entity_id}")
        return WaitingRow(Undelivered.read(row), row) if row else None

    async def settle(self, subject: Subject, entity_id: str, *, done: int) -> None:
        """Forget a waiting delivery whose version is done; one that waits with a newer version stays."""
        waiting = await self.get(subject, entity_id)
        if waiting is not None and waiting.delivery.version <= done:
            await self.forget(waiting)

    async def forget(self, waiting: WaitingRow) -> bool:
        """Delete a row as it was read; return False when it changed since, and is kept."""
        try:
            await self.table.write(waiting.row.partition, Delete(waiting.row.key, waiting.row.etag))
        except (RowChangedError, OutcomeUnknownError):
            return False
        return True

    async def replace(self, waiting: WaitingRow, delivery: Undelivered) -> bool:
        """Write over a row as it was read; return False when it changed since."""
        try:
            await self.table.write(waiting.row.partition, Replace(waiting.row.key, delivery.values(), waiting.row.etag))
        except (RowChangedError, OutcomeUnknownError):
            return False
        return True

    async def waiting(self, *, at_most: int = _PAGE) -> list[WaitingRow]:
        """Return waiting deliveries, oldest first, at most so many of each partition."""
        buckets = await asyncio.gather(*(self._bucket(f"{number:02d}", at_most) for number in range(_BUCKETS)))
        return sorted((waiting for bucket in buckets for waiting in bucket), key=lambda one: one.delivery.accepted_at)

    async def _bucket(self, bucket: str, at_most: int) -> list[WaitingRow]:
        found: list[WaitingRow] = []
        resume: str | None = None
        while len(found) < at_most:
            page = await self.table.page(bucket, limit=min(_PAGE, at_most - len(found)), resume=resume)
            found += [WaitingRow(Undelivered.read(row), row) for row in page.rows]
            resume = page.resume
            if resume is None:
                break
        return found


def bucket_of(entity_id: str) -> str:
    """Return the partition in which an entity's row is kept."""
    return f"{hashlib.sha256(entity_id.encode()).digest()[0] % _BUCKETS:02d}"


def _joined(kept: Undelivered, told: Undelivered) -> Undelivered:
    return replace(
        told,
        version=max(kept.version, told.version),
        accepted_at=min(kept.accepted_at, told.accepted_at),
        attempts=max(kept.attempts, told.attempts),
    )
