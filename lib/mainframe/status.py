"""Where a subject's delivery stands, for whoever asks about one customer."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lib.changes.subjects import SubjectSource
from lib.mainframe.ledger import LastError, LedgerStore
from lib.mainframe.undelivered import Undelivered, UndeliveredStore, WaitState
from lib.messaging.catalogue import Subject


class DeliveryStatusState(StrEnum):
    """Where a delivery stands."""

    IN_SYNC = "inSync"
    PENDING = "pending"
    RETRYING = "retrying"
    PARKED = "parked"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """Where a delivery stands: `version` is what we hold, `acknowledged_version` what the mainframe confirmed.

    `altered_fields` are JSON pointers of what the mainframe holds otherwise than we do, because its record or code
    page could not take it as it is.
    """

    state: DeliveryStatusState
    version: int
    acknowledged_version: int
    attempts: int
    next_attempt_at: datetime | None
    last_error: LastError | None
    altered_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeliveryStatuses:
    """Answers where deliveries stand."""

    source: SubjectSource
    subject: Subject
    ledgers: LedgerStore
    undelivered: UndeliveredStore

    async def of(self, entity_id: str, *, partition: str) -> DeliveryStatus | None:
        """Return where an entity's delivery stands, or None when nothing was committed under this id."""
        snapshot, ledger, waiting = await asyncio.gather(
            self.source.snapshot(entity_id, partition),
            self.ledgers.read(self.subject, entity_id, partition=partition),
            self.undelivered.get(self.subject, entity_id),
        )
        if snapshot.version == 0:
            return None
        state = ledger.state
        return DeliveryStatus(
            state=_state_of(
                snapshot.version,
                acknowledged=state.acknowledged,
                failed=state.failed,
                attempts=state.attempts,
                waiting=waiting.delivery if waiting else None,
            ),
            version=snapshot.version,
            acknowledged_version=state.acknowledged,
            attempts=state.attempts,
            next_attempt_at=state.next_attempt_at,
            last_error=state.last_error,
            altered_fields=state.altered,
        )


def _state_of(
    version: int, *, acknowledged: int, failed: int, attempts: int, waiting: Undelivered | None
) -> DeliveryStatusState:
    if acknowledged >= version:
        return DeliveryStatusState.IN_SYNC
    if failed >= version:
        return DeliveryStatusState.REJECTED
    if waiting is not None and waiting.state is WaitState.PARKED:
        return DeliveryStatusState.PARKED
    return DeliveryStatusState.RETRYING if attempts else DeliveryStatusState.PENDING
