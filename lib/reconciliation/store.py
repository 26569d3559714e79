"""How reconciliations are kept: all of them in one partition, so that which one runs is decided in one transaction.

What each found is in a partition of its own, in the mainframe's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.mainframe.protocol import collation_key
from lib.messaging.catalogue import Subject
from lib.reconciliation.models import ENDED, Drift, Reconciliation
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert, Write

RECONCILIATIONS_TABLE: Final = "reconciliations"
_RUNS: Final = "runs"
_ACTIVE: Final = "active"
_LIST: Final = "list~"
_CEILING: Final = 10**14
_MOST_WRITES: Final = 90


class ReconciliationChangedError(Exception):
    """Another step came first, or no answer came back; look at it again."""


@dataclass(frozen=True, slots=True)
class KeptReconciliation:
    """A reconciliation with the row it was read from."""

    run: Reconciliation
    row: Row


@dataclass(frozen=True, slots=True)
class ReconciliationStore:
    """Keeps reconciliations and what they found."""

    table: Table

    async def get(self, reconciliation_id: str) -> KeptReconciliation | None:
        """Return a reconciliation, in one storage call."""
        row = await self.table.get(_RUNS, _key(reconciliation_id))
        return KeptReconciliation(Reconciliation.model_validate_json(str(row.values["document"])), row) if row else None

    async def active(self) -> str | None:
        """Return the id of the one that has not ended, if there is one."""
        row = await self.table.get(_RUNS, _ACTIVE)
        return str(row.values["reconciliationId"]) if row else None

    async def insert(self, run: Reconciliation) -> None:
        """Keep a new one and make it the active one.

        Raises:
            ReconciliationChangedError: another is active, or no answer came back.
        """
        newest_first = _CEILING - int(run.created_at.timestamp() * 1000)
        pointer = {"reconciliationId": run.id}
        await self._write(
            Insert(_ACTIVE, pointer),
            Insert(_key(run.id), _values(run)),
            Insert(f"{_LIST}{newest_first:015d}~{run.id}", pointer),
        )

    async def step(self, kept: KeptReconciliation, after: Reconciliation) -> KeptReconciliation:
        """Write over the one that was read; one that has ended makes room for the next.

        Raises:
            ReconciliationChangedError: another step came first, or no answer came back.
        """
        writes: list[Write] = [Replace(kept.row.key, _values(after), kept.row.etag)]
        if after.state in ENDED:
            active = await self.table.get(_RUNS, _ACTIVE)
            if active is not None and active.values["reconciliationId"] == after.id:
                writes.append(Delete(_ACTIVE, active.etag))
        etags = await self._write(*writes)
        return KeptReconciliation(after, Row(_RUNS, kept.row.key, _values(after), etags[0]))

    async def listed(self, *, limit: int, resume: str | None) -> tuple[list[str], str | None]:
        """Return ids, newest first."""
        page = await self.table.page(_RUNS, from_key=_LIST, below_key=f"{_LIST}~", limit=limit, resume=resume)
        return [str(row.values["reconciliationId"]) for row in page.rows], page.resume

    async def keep_drifts(self, reconciliation_id: str, drifts: Sequence[Drift]) -> None:
        """Keep what was found. The same key again is one row."""
        for start in range(0, len(drifts), _MOST_WRITES):
            chosen = drifts[start : start + _MOST_WRITES]
            await self.table.write(
                reconciliation_id, *(Upsert(_drift_key(one.subject, one.id), _drift_values(one)) for one in chosen)
            )

    async def drifts_after(self, reconciliation_id: str, subject: Subject, key: str) -> list[Drift]:
        """Return what was found of a subject behind a key: what an attempt left that did not live to count it."""
        found: list[Drift] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                reconciliation_id,
                from_key=_drift_key(subject, key),
                below_key=f"{_drift_prefix(subject)}~",
                limit=1000,
                resume=resume,
            )
            found += [drift for drift in map(_drift, page.rows) if drift.id != key]
            resume = page.resume
            if resume is None:
                return found

    async def drift_page(
        self, reconciliation_id: str, *, limit: int, resume: str | None
    ) -> tuple[list[Drift], str | None]:
        """Return up to `limit` of what was found, subject by subject in the mainframe's order."""
        found: list[Drift] = []
        while len(found) < limit:
            page = await self.table.page(reconciliation_id, limit=min(1000, limit - len(found)), resume=resume)
            found += [_drift(row) for row in page.rows]
            resume = page.resume
            if resume is None:
                break
        return found, resume

    async def _write(self, *writes: Write) -> Sequence[str]:
        try:
            return await self.table.write(_RUNS, *writes)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            raise ReconciliationChangedError from None


def _key(reconciliation_id: str) -> str:
    return f"run~{reconciliation_id}"


def _values(run: Reconciliation) -> dict[str, str]:
    return {"document": run.model_dump_json(by_alias=True)}


def _drift_key(subject: Subject, key: str) -> str:
    # In the mainframe's order, and legal whatever characters a key of the mainframe has.
    return f"{_drift_prefix(subject)}{collation_key(key).hex()}"


def _drift_prefix(subject: Subject) -> str:
    # Customers' keys are as they were when there was nothing else to reconcile; the others come behind them.
    return "drift~" if subject is Subject.CUSTOMER else f"drift~~{subject}~"


def _drift_values(drift: Drift) -> dict[str, str]:
    return {"document": drift.model_dump_json(by_alias=True)}


def _drift(row: Row) -> Drift:
    return Drift.model_validate_json(str(row.values["document"]))
