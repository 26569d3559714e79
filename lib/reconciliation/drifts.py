"""Where reconciliations are kept, and the drifts that each found: in the mainframe's order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lib.jobs.findings import Findings
from lib.jobs.runs import Job
from lib.mainframe.protocol import collation_key
from lib.messaging.catalogue import Subject
from lib.reconciliation.models import Drift, Reconciliation

RECONCILIATIONS_TABLE: Final = "reconciliations"
RECONCILIATIONS: Final = Job(Reconciliation, partition="runs", key="run", pointer="reconciliationId", alone=True)


@dataclass(frozen=True, slots=True)
class Drifts:
    """Keeps what reconciliations found."""

    findings: Findings[Drift]

    async def keep(self, reconciliation_id: str, drifts: Iterable[Drift]) -> None:
        """Keep what was found. The same key again is one row."""
        await self.findings.keep(reconciliation_id, {_key(one.subject, one.id): one for one in drifts})

    async def after(self, reconciliation_id: str, subject: Subject, key: str) -> list[Drift]:
        """Return what was found of a subject behind a key: what an attempt left that did not live to count it."""
        found = await self.findings.between(
            reconciliation_id, from_key=_key(subject, key), below_key=f"{_prefix(subject)}~"
        )
        return [drift for drift in found if drift.id != key]

    async def page(self, reconciliation_id: str, *, limit: int, resume: str | None) -> tuple[list[Drift], str | None]:
        """Return up to `limit` of what was found, subject by subject, and where to go on."""
        return await self.findings.page(reconciliation_id, limit=limit, resume=resume)


def _key(subject: Subject, key: str) -> str:
    # In the mainframe's order, and legal whatever characters a key of the mainframe has.
    return f"{_prefix(subject)}{collation_key(key).hex()}"


def _prefix(subject: Subject) -> str:
    # Customers' keys are as they were when there was nothing else to reconcile; the others come behind them.
    return "drift~" if subject is Subject.CUSTOMER else f"drift~~{subject}~"
