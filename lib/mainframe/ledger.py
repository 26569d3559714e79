"""The delivery row of one subject: what the mainframe acknowledged, what is on its way, and what went wrong.

It lives in the subject's own partition, so that an acknowledgement and a failure record are one transaction.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

from lib.changes.subjects import Snapshot, owner_of
from lib.clock import parse_rfc3339, rfc3339
from lib.messaging.catalogue import Subject
from lib.storage.ports import Insert, Replace, Row, Table, Upsert

_CEILING: Final = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """Why the last attempt did not succeed: a code for machines, a sentence for people, never personal data."""

    code: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """What is known of a subject's delivery.

    `attempts` counts those without success since the last one with it,
    `strikes` those among them that speak against this record and not against the mainframe.

    `failure_open` says that a failure is listed for it, `announced` that the list was told of the newest outcome.
    `in_flight` is the version of a call whose outcome is not known yet; `lease` says whose turn it is until when.
    """

    acknowledged: int = 0
    failed: int = 0
    announced: bool = True
    failure_open: bool = False
    in_flight: int | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    attempts: int = 0
    strikes: int = 0
    first_failed_at: datetime | None = None
    next_attempt_at: datetime | None = None
    last_error: LastError | None = None
    altered: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """The newest version that is settled, for good or bad."""
        return max(self.acknowledged, self.failed)

    def leased_to_other(self, holder: str, now: datetime) -> bool:
        """Tell whether another handler is at work on this subject now."""
        return self.lease not in {None, holder} and self.leased_until is not None and now < self.leased_until

    def taken(self, holder: str, *, until: datetime, version: int) -> Self:
        """Return the state with the turn taken and the version to send noted."""
        return replace(self, lease=holder, leased_until=until, in_flight=version)

    def acknowledging(self, version: int, *, altered: Sequence[str]) -> Self:
        """Return the state after the mainframe holds this version."""
        return type(self)(
            acknowledged=max(self.acknowledged, version),
            failed=self.failed,
            announced=not self.failure_open and self.announced,
            altered=tuple(altered),
        )

    def rejecting(self, version: int, error: LastError) -> Self:
        """Return the state after this version was refused for good; the failure is not announced yet."""
        return type(self)(
            acknowledged=self.acknowledged,
            failed=max(self.failed, version),
            announced=False,
            failure_open=True,
            attempts=self.attempts + 1,
            first_failed_at=self.first_failed_at or error.at,
            last_error=error,
        )

    def reopened(self) -> Self:
        """Return the state with its failed version to be tried again; when it first failed is kept."""
        return type(self)(
            acknowledged=self.acknowledged,
            failure_open=self.failure_open,
            first_failed_at=self.first_failed_at,
            last_error=self.last_error,
        )

    def lost(self, held: int) -> Self:
        """Return the state after the mainframe turned out to hold less than it acknowledged: to be sent again."""
        return replace(self, acknowledged=held)

    def waiting(self, error: LastError, *, next_attempt_at: datetime, keep_note: bool, strikes: int) -> Self:
        """Return the state after an attempt that shall be repeated."""
        return replace(
            self,
            lease=None,
            leased_until=None,
            in_flight=self.in_flight if keep_note else None,
            attempts=self.attempts + 1,
            strikes=strikes,
            first_failed_at=self.first_failed_at or error.at,
            next_attempt_at=next_attempt_at,
            last_error=error,
        )

    @classmethod
    def read(cls, row: Row | None) -> Self:
        """Return what a row keeps; without one, nothing was delivered yet."""
        if row is None:
            return cls()
        kept: dict[str, Any] = json.loads(str(row.values["state"]))
        error = kept.get("lastError")
        return cls(
            acknowledged=int(str(row.values["acknowledged"])),
            failed=int(str(row.values["failed"])),
            announced=bool(kept["announced"]),
            failure_open=bool(kept.get("failureOpen", False)),
            in_flight=kept.get("inFlight"),
            lease=kept.get("lease"),
            leased_until=_moment(kept.get("leasedUntil")),
            attempts=int(kept["attempts"]),
            strikes=int(kept["strikes"]),
            first_failed_at=_moment(kept.get("firstFailedAt")),
            next_attempt_at=_moment(kept.get("nextAttemptAt")),
            last_error=LastError(code=error["code"], text=error["text"], at=parse_rfc3339(error["at"]))
            if error
            else None,
            altered=tuple(kept.get("altered", ())),
        )

    def values(self) -> dict[str, Any]:
        """Return what is kept."""
        error = self.last_error
        state = {
            "announced": self.announced,
            "failureOpen": self.failure_open,
            "inFlight": self.in_flight,
            "lease": self.lease,
            "leasedUntil": _text(self.leased_until),
            "attempts": self.attempts,
            "strikes": self.strikes,
            "firstFailedAt": _text(self.first_failed_at),
            "nextAttemptAt": _text(self.next_attempt_at),
            "lastError": {"code": error.code, "text": error.text, "at": rfc3339(error.at)} if error else None,
            "altered": list(self.altered),
        }
        present = {name: value for name, value in state.items() if value is not None}
        return {"acknowledged": self.acknowledged, "failed": self.failed, "state": json.dumps(present)}


@dataclass(frozen=True, slots=True)
class Ledger:
    """A subject's delivery state with the etag it was read or written at."""

    subject: Subject
    id: str
    partition: str
    state: DeliveryState
    etag: str | None

    @property
    def owner(self) -> str:
        """The customer in whose partition the subject is kept; empty for what has a partition of its own."""
        return owner_of(self.id, self.partition)

    @property
    def key(self) -> str:
        """The key of the delivery row."""
        return f"delivery~{self.subject}~{self.id}"

    def write(self, state: DeliveryState) -> Insert | Replace:
        """Return the write of a new state over the one that was read."""
        if self.etag is None:
            return Insert(self.key, state.values())
        return Replace(self.key, state.values(), self.etag)


@dataclass(frozen=True, slots=True)
class LedgerStore:
    """Reads and writes delivery rows."""

    table: Table

    async def read(self, subject: Subject, entity_id: str, *, partition: str) -> Ledger:
        """Return the delivery state of a subject, in one storage call."""
        row = await self.table.get(partition, f"delivery~{subject}~{entity_id}")
        return Ledger(subject, entity_id, partition, DeliveryState.read(row), row.etag if row else None)

    async def write(self, ledger: Ledger, state: DeliveryState, *more: Upsert) -> Ledger:
        """Keep a new state over the one that was read, together with other rows, and return it.

        Raises:
            RowChangedError, RowExistsError: another handler wrote it first.
            OutcomeUnknownError: no answer came back.
        """
        etags = await self.table.write(ledger.partition, ledger.write(state), *more)
        return replace(ledger, state=state, etag=etags[0])

    async def failed_versions(self, subject: Subject, entity_id: str, *, partition: str, up_to: int) -> list[int]:
        """Return the versions up to one that have a failure record, newest first."""
        found: list[int] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                partition,
                from_key=_failure_key(subject, entity_id, up_to),
                below_key=_failure_key(subject, entity_id, -1),
                resume=resume,
            )
            found += [int(str(row.values["version"])) for row in page.rows]
            resume = page.resume
            if resume is None:
                return found


def _failure_key(subject: Subject, entity_id: str, version: int) -> str:
    return f"failure~{subject}~{entity_id}~{_CEILING - version:013d}"


def failure_write(snapshot: Snapshot, subject: Subject, error: LastError, *, attempts: int, trace: str) -> Upsert:
    """Return the failure record of a version that will not be delivered, newest first in its partition.

    A version that fails again after a replay has one record, with the newest reason.
    """
    return Upsert(
        _failure_key(subject, snapshot.id, snapshot.version),
        {
            "subject": subject.value,
            "entityId": snapshot.id,
            "version": snapshot.version,
            "code": error.code,
            "text": error.text,
            "at": rfc3339(error.at),
            "attempts": attempts,
            "trace": trace,
        },
    )


def _moment(text: str | None) -> datetime | None:
    return parse_rfc3339(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
