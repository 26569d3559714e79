"""How failures are kept: one partition, newest first, and a row per identity, so that importing twice is one record.

A failure's id begins with the time it first came, counted backwards, so the range of a partition is newest first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.clock import rfc3339
from lib.failures.models import Failure, FailureAction, state_as_json
from lib.ids import Seal, crockford
from lib.storage.documents import joined, split
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, RowPage, Table, Write

FAILURES_TABLE: Final = "failures"
FAILURE_PREFIX: Final = "fai"
_PARTITION: Final = "failure"
_IDENTITIES: Final = "identity"
_LATEST_MILLISECOND: Final = (1 << 48) - 1
_TRIES: Final = 8


class FailureContendedError(Exception):
    """Others wrote the record at every try; who asked tries again."""


@dataclass(frozen=True, slots=True)
class KeptFailure:
    """A failure with the etag it was read at."""

    failure: Failure
    row: Row


@dataclass(frozen=True, slots=True)
class FailureStore:
    """Keeps failures and what was done about each."""

    table: Table
    seal: Seal

    async def identify(self, identity: str, *, first_millisecond: int) -> str:
        """Return the id of the failure with this identity, the same whoever asks first and however often."""
        key = self.seal.digest(identity).hex()
        row = await self.table.get(_IDENTITIES, key)
        if row is not None:
            return str(row.values["failureId"])
        backwards = _LATEST_MILLISECOND - first_millisecond
        number = (backwards << 80) | int.from_bytes(self.seal.digest("id", identity)[:10], "big")
        failure_id = f"{FAILURE_PREFIX}_{crockford(number)}"
        try:
            await self.table.write(_IDENTITIES, Insert(key, {"failureId": failure_id}))
        except (RowExistsError, OutcomeUnknownError):
            row = await self.table.get(_IDENTITIES, key)
            if row is None:
                raise FailureContendedError from None
            return str(row.values["failureId"])
        return failure_id

    async def find(self, identity: str) -> KeptFailure | None:
        """Return the failure with this identity, if it was ever listed."""
        row = await self.table.get(_IDENTITIES, self.seal.digest(identity).hex())
        return await self.get(str(row.values["failureId"])) if row else None

    async def get(self, failure_id: str) -> KeptFailure | None:
        """Return a failure."""
        row = await self.table.get(_PARTITION, failure_id)
        return KeptFailure(_read(row), row) if row else None

    async def keep(self, failure: Failure) -> Failure:
        """Keep a failure; one that is listed already is opened again with the newest reason, and returned."""
        for _ in range(_TRIES):
            kept = await self.get(failure.id)
            if kept is not None and kept.failure.last_failed_at >= failure.last_failed_at:
                return kept.failure  # the same event told twice
            after = kept.failure.again(failure) if kept else failure
            if await self.swap(kept, after):
                return after
        raise FailureContendedError

    async def swap(self, kept: KeptFailure | None, after: Failure, action: FailureAction | None = None) -> bool:
        """Write a failure over the one that was read, with what was done; False when it changed since."""
        values = split("document", _document(after))
        writes: list[Write] = [Insert(after.id, values) if kept is None else Replace(after.id, values, kept.row.etag)]
        if action is not None:
            key = f"action~{after.id}~{rfc3339(action.at)}~{action.action}"
            writes.append(Insert(key, {"document": action.model_dump_json(by_alias=True)}))
        try:
            await self.table.write(_PARTITION, *writes)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            return False
        return True

    async def page(self, *, limit: int, resume: str | None) -> tuple[Sequence[Failure], str | None]:
        """Return failures newest first, in one storage call."""
        page: RowPage = await self.table.page(
            _PARTITION, from_key=f"{FAILURE_PREFIX}_", below_key=f"{FAILURE_PREFIX}`", limit=limit, resume=resume
        )
        return [_read(row) for row in page.rows], page.resume

    async def actions(self, failure_id: str, *, limit: int = 100) -> list[FailureAction]:
        """Return what was done about a failure, oldest first."""
        prefix = f"action~{failure_id}~"
        found: list[FailureAction] = []
        resume: str | None = None
        while len(found) < limit:
            page = await self.table.page(
                _PARTITION, from_key=prefix, below_key=f"{prefix}~", limit=limit - len(found), resume=resume
            )
            found += [FailureAction.model_validate_json(str(row.values["document"])) for row in page.rows]
            resume = page.resume
            if resume is None:
                break
        return found


def _document(failure: Failure) -> str:
    return json.dumps(state_as_json(failure), ensure_ascii=True)


def _read(row: Row) -> Failure:
    return Failure.model_validate_json(joined("document", row.values))
