"""The writer: promise, one transaction, and an outcome that is always settled.

The order of its steps is the protocol of `docs/delivery.md`; a test stands behind each.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from lib.changes.operation import Operation
from lib.changes.promise import Promises
from lib.clock import Clock, rfc3339
from lib.errors import UnavailableError
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.storage.documents import joined, split
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError, StorageUnavailableError
from lib.storage.ports import Insert, Row, Table, Write
from lib.telemetry import current_trace, event_log

_TRIES = 4
_PAUSE_SECONDS = 0.2
_MARGIN_SECONDS = 10.0
_VERSION_CEILING = 10**12
_NOT_SETTLED = "Storage did not say whether the change was made; repeat it with the same Idempotency-Key."

_log = event_log("changes")


class LostRaceError(Exception):
    """Another write came first; nothing of this one was written. Read again and decide again."""


class OutcomeNotSettledError(UnavailableError):
    """Storage gave no answer, and did not say afterwards whether the write was done."""

    kind = "outcome-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of an entity's change log. `reason` is empty when nobody gave one."""

    version: int
    at: str
    actor: str
    operation: str
    trace_id: str
    fields: Sequence[Any]
    reason: str = ""


def change_key(subject: Subject, entity_id: str, version: int) -> str:
    """Return the row key of a version's change record; newer versions come first."""
    return f"{change_prefix(subject, entity_id)}{_VERSION_CEILING - version:013d}"


def change_prefix(subject: Subject, entity_id: str) -> str:
    """Return what the row keys of an entity's change records begin with."""
    return f"change~{subject}~{entity_id}~"


def read_change(row: Row) -> Change:
    """Return the change that a row keeps."""
    values = row.values
    return Change(
        version=int(str(values["version"])),
        at=str(values["at"]),
        actor=str(values["actor"]),
        operation=str(values["operation"]),
        trace_id=str(values["traceId"]),
        fields=json.loads(joined("fields", values)),
        reason=str(values.get("reason", "")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One transaction that makes a version of an entity; change record and first answer are among its writes."""

    table: Table
    partition: str
    subject: Subject
    entity_id: str
    version: int
    operation: Operation
    writes: Sequence[Write]


@dataclass(frozen=True, slots=True)
class Writer:
    """Commits changes of entities so that none is lost on its way to those who must know."""

    promises: Promises
    clock: Clock

    def change_write(
        self,
        operation: Operation,
        *,
        subject: Subject,
        entity_id: str,
        version: int,
        fields: Sequence[Any],
        reason: str = "",
    ) -> Insert:
        """Return the write of a change record: who did what, when and why, and by which operation and attempt."""
        return Insert(
            change_key(subject, entity_id, version),
            {
                "version": version,
                "at": rfc3339(self.clock.now()),
                "actor": operation.actor,
                "operation": operation.name,
                "operationId": operation.id,
                "attempt": operation.attempt,
                "traceId": current_trace().trace_id,
                **({"reason": reason} if reason else {}),
                **split("fields", json.dumps(fields, ensure_ascii=False)),
            },
        )

    async def promise(self, *, subject: Subject, entity_id: str, partition: str, version: int) -> WakeUp:
        """Promise a version that is about to be committed.

        Raises:
            PromiseNotKeptError: nobody took the promise; nothing may be committed.
        """
        return await self.promises.make(subject=subject, entity_id=entity_id, partition=partition, version=version)

    async def commit(self, commit: Commit, *, promised: WakeUp) -> None:
        """Do the transaction of a promised version, and settle its outcome.

        Raises:
            LostRaceError: another write came first; nothing was written.
            OutcomeNotSettledError: storage did not answer, nor say afterwards what became of the write. If it was
                done, the promise carries it on; the same request with the same idempotency key settles it.
            UnavailableError: storage refuses or the time to commit is over; nothing was written.
        """
        latest = promised.deadline - timedelta(seconds=min(_MARGIN_SECONDS, self.promises.window_seconds / 3))
        unknown = False
        for round_number in range(_TRIES):
            if self.clock.now() >= latest:
                break
            outcome = await _write(commit)
            if outcome is _Outcome.DONE:
                return
            if outcome is _Outcome.REFUSED:
                await asyncio.sleep(_PAUSE_SECONDS * (round_number + 1))
                continue
            # A conflict may be with this very write, whose answer was lost; no answer may mean that it was done.
            if await _settled(commit):
                return
            if outcome is _Outcome.CONFLICT:
                raise LostRaceError
            unknown = True  # not there yet, but it may still arrive: the ETags let only one of the same writes in
        if unknown:
            _log.error("commit.unknown", subject=commit.subject, id=commit.entity_id, version=commit.version)
            raise OutcomeNotSettledError(_NOT_SETTLED)
        raise UnavailableError("Storage did not take the change in time; nothing was written.")


class _Outcome(Enum):
    DONE = auto()
    REFUSED = auto()
    CONFLICT = auto()
    UNKNOWN = auto()


async def _write(commit: Commit) -> _Outcome:
    try:
        await commit.table.write(commit.partition, *commit.writes)
    except OutcomeUnknownError:
        return _Outcome.UNKNOWN
    except StorageUnavailableError:
        return _Outcome.REFUSED
    except (RowChangedError, RowExistsError):
        return _Outcome.CONFLICT
    return _Outcome.DONE


async def _settled(commit: Commit) -> bool:
    """Return whether this very attempt was committed, read back from its change record."""
    key = change_key(commit.subject, commit.entity_id, commit.version)
    for round_number in range(_TRIES):
        try:
            row = await commit.table.get(commit.partition, key)
        except StorageUnavailableError:
            await asyncio.sleep(_PAUSE_SECONDS * (round_number + 1))
            continue
        return row is not None and row.values.get("attempt") == commit.operation.attempt
    raise OutcomeNotSettledError(_NOT_SETTLED)
