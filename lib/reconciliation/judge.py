"""What it means that the two walks showed different versions of a key, and what mends it.

The walks are only hints: an index seconds late, a list read a moment ago. So each doubt is looked at again, in an order
that cannot mistake a delivery that happens meanwhile for drift: our rows, then the mainframe, and where it holds more
than we did, our row again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lib.changes.subjects import Snapshot, SubjectSource, owner_of
from lib.clock import Clock, parse_rfc3339
from lib.ids import is_id
from lib.mainframe.ledger import DeliveryState, LedgerStore
from lib.mainframe.link import Link
from lib.mainframe.pace import Pace
from lib.mainframe.undelivered import UndeliveredStore
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.reconciliation.models import Drift, Verdict
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Queue
from lib.telemetry import current_trace

# A change without any sign of trouble is on its way for so long; after that its message is lost.
IN_FLIGHT: Final = timedelta(minutes=15)
_TRIES: Final = 4
_UNHEARD: Final = frozenset({Verdict.BEHIND, Verdict.MISSING})
_NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a key stands, and what either side held when it was looked at. Versions are 0 where there is nothing."""

    verdict: Verdict
    our_version: int = 0
    acknowledged_version: int = 0
    mainframe_version: int = 0


@dataclass(frozen=True, slots=True)
class Judge:
    """Looks at keys on which the walks differ."""

    sources: Mapping[Subject, SubjectSource]
    ledgers: LedgerStore
    undelivered: UndeliveredStore
    link: Link
    queue: Queue
    pace: Pace
    clock: Clock
    window_seconds: float

    async def judge(self, subject: Subject, key: str) -> Judgement:
        """Return how a key stands now, asking the mainframe once.

        Raises:
            MainframeError: it does not answer.
        """
        source = self.sources[subject]
        partition = await source.partition_of(key) if is_id(key, prefix=source.id_prefix) else None
        if partition is None:
            held = await self._held(subject, key)
            return Judgement(Verdict.UNKNOWN_TO_US if held else Verdict.IN_STEP, mainframe_version=held)
        before, state, waits = await self._ours(subject, key, partition)
        held = await self._held(subject, key)
        after = await source.snapshot(key, partition) if held > before.version else before
        verdict = self._compared(source, before, after, held, state, waits=waits)
        # Among bulk deliveries a change may wait for hours without any sign of it.
        if verdict in _UNHEARD and await self.pace.covers(_changed_at(source, before)):
            verdict = Verdict.IN_FLIGHT
        return Judgement(verdict, after.version, state.acknowledged, held)

    async def mend(self, drift: Drift) -> None:
        """Wake the delivery of what is behind or missing, and unlearn an acknowledgement that no longer holds.

        What the mainframe did not hear of, the index may not have heard of either: it is brought up to date first.

        Raises:
            StorageError: it may or may not have been woken; doing it again is harmless.
        """
        partition = await self.sources[drift.subject].partition_of(drift.id) or drift.id
        for _ in range(_TRIES):
            snapshot, ledger = await asyncio.gather(
                self.sources[drift.subject].snapshot(drift.id, partition),
                self.ledgers.read(drift.subject, drift.id, partition=partition),
            )
            await self.sources[drift.subject].refresh_indexes(snapshot)
            state = ledger.state
            if state.acknowledged < snapshot.version or state.leased_to_other(_NOBODY, self.clock.now()):
                break
            try:
                await self.ledgers.write(ledger, state.lost(drift.mainframe_version))
            except (RowChangedError, RowExistsError, OutcomeUnknownError):
                continue
            break
        now = self.clock.now()
        wake_up = WakeUp(
            subject=drift.subject,
            id=drift.id,
            owner=owner_of(drift.id, partition),
            version=drift.our_version,
            accepted_at=now,
            deadline=now + timedelta(seconds=self.window_seconds),
            trace=current_trace().traceparent,
        )
        await self.queue.send(wake_up.body())

    async def _ours(self, subject: Subject, key: str, partition: str) -> tuple[Snapshot, DeliveryState, bool]:
        snapshot, ledger, waiting = await asyncio.gather(
            self.sources[subject].snapshot(key, partition),
            self.ledgers.read(subject, key, partition=partition),
            self.undelivered.get(subject, key),
        )
        return snapshot, ledger.state, waiting is not None

    async def _held(self, subject: Subject, key: str) -> int:
        return await self.link.inquire(subject=subject.upper(), key=key) or 0

    def _compared(
        self,
        source: SubjectSource,
        before: Snapshot,
        after: Snapshot,
        held: int,
        state: DeliveryState,
        *,
        waits: bool,
    ) -> Verdict:
        if held > after.version:
            return Verdict.AHEAD if after.version else Verdict.UNKNOWN_TO_US
        if held >= before.version:
            return Verdict.IN_STEP if held == after.version else Verdict.IN_FLIGHT
        less = Verdict.BEHIND if held else Verdict.MISSING
        if state.acknowledged >= before.version:
            return less
        if state.failure_open or state.failed >= before.version:
            return Verdict.REJECTED
        now = self.clock.now()
        on_its_way = waits or state.leased_to_other(_NOBODY, now) or now - _changed_at(source, before) < IN_FLIGHT
        return Verdict.IN_FLIGHT if on_its_way else less


def _changed_at(source: SubjectSource, snapshot: Snapshot) -> datetime:
    return parse_rfc3339(str(source.state(snapshot)["updatedAt"]))
