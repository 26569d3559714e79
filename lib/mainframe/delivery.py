"""Delivery: brings one subject at the mainframe up to date, at least to the version that was intended.

The order of the steps is the protocol of `docs/delivery.md`, which was model-checked: each rule is there because
leaving it out lost an update. The numbers in the comments are its steps.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from lib.changes.subjects import Snapshot, SubjectSource
from lib.clock import Clock
from lib.ids import Ids
from lib.mainframe.backoff import Backoff
from lib.mainframe.breaker import Breaker, Permit
from lib.mainframe.errors import MainframeUnreachableError, NoAnswerError, UnfitError
from lib.mainframe.ledger import DeliveryState, LastError, Ledger, LedgerStore, failure_write
from lib.mainframe.link import Link
from lib.mainframe.pen import WrittenRecord
from lib.mainframe.protocol import ReturnCode
from lib.mainframe.rejections import Rejections
from lib.mainframe.throughput import Throughput
from lib.mainframe.undelivered import Undelivered, UndeliveredStore, WaitState
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Queue
from lib.telemetry import event_log

_TRIES: Final = 8
_LOOK_AGAIN_SECONDS: Final = 1.0
_CONFLICTS: Final = (RowChangedError, RowExistsError, OutcomeUnknownError)

_log = event_log("mainframe")


class Delivered(StrEnum):
    """What became of a delivery message."""

    ACKNOWLEDGED = "acknowledged"
    ALREADY_DONE = "alreadyDone"
    LATER = "later"
    PARKED = "parked"
    REJECTED = "rejected"
    NOTHING_THERE = "nothingThere"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Miss:
    """A call that has to be repeated. `says_down` is about the mainframe, `counts` about this very record."""

    code: str
    text: str
    says_down: bool
    counts: bool
    keeps_note: bool


_UNREACHABLE: Final = _Miss(
    code="unreachable", text="no connection to the mainframe", says_down=True, counts=False, keeps_note=True
)
_NO_ANSWER: Final = _Miss(
    code="no-answer", text="no usable answer from the mainframe", says_down=True, counts=True, keeps_note=True
)
_BUSY: Final = _Miss(code="busy", text="the mainframe is busy", says_down=True, counts=False, keeps_note=False)
_ABENDED: Final = _Miss(
    code="abended", text="the mainframe's program ended abnormally", says_down=False, counts=True, keeps_note=True
)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One call: what is sent, under which lease, by whose leave."""

    wake_up: WakeUp
    snapshot: Snapshot
    taken: Ledger
    record: WrittenRecord
    permit: Permit


class DeliveryContendedError(Exception):
    """Others wrote the delivery row at every try; the host runs the message again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers subjects to the mainframe."""

    sources: Mapping[Subject, SubjectSource]
    writers: Mapping[Subject, Callable[[Mapping[str, Any]], WrittenRecord]]
    ledgers: LedgerStore
    undelivered: UndeliveredStore
    rejections: Rejections
    breaker: Breaker
    throughput: Throughput
    link: Link
    queue: Queue
    bulk_queue: Queue
    clock: Clock
    ids: Ids
    backoff: Backoff
    lease_seconds: float
    max_attempts: int

    async def deliver(self, wake_up: WakeUp) -> Delivered:
        """Bring a subject up to date, or see to it that it will be.

        Raises:
            DeliveryContendedError: the host shall run the message again.
            StorageError: the same.
        """
        holder = self.ids.new("lse")
        for _ in range(_TRIES):
            outcome = await self._round(wake_up, holder)
            if outcome is not None:
                return outcome
        raise DeliveryContendedError

    async def _round(self, wake_up: WakeUp, holder: str) -> Delivered | None:
        now = self.clock.now()  # 1: the time first, then the rows
        snapshot, ledger = await asyncio.gather(
            self.sources[wake_up.subject].snapshot(wake_up.id, wake_up.partition),
            self.ledgers.read(wake_up.subject, wake_up.id, partition=wake_up.partition),
        )
        if not ledger.state.announced:  # a handler died between an outcome and the telling of it
            await self._announce(snapshot, ledger, trace=wake_up.trace)
            return None
        if ledger.state.done >= max(wake_up.version, snapshot.version):  # 2
            await self.undelivered.settle(ledger.subject, ledger.id, done=ledger.state.done)
            return Delivered.ALREADY_DONE
        if snapshot.version < wake_up.version:  # 3: the relay tells only what was committed, and fences what was not
            return await self._not_there(wake_up, snapshot, now)
        wait_seconds = _wait_before(ledger.state, holder, now)
        if wait_seconds is not None:
            return await self.later(wake_up, seconds=wait_seconds)
        return await self._attempt(wake_up, snapshot, ledger, holder)

    async def _attempt(self, wake_up: WakeUp, snapshot: Snapshot, ledger: Ledger, holder: str) -> Delivered | None:
        try:
            record = self.writers[wake_up.subject](self.sources[wake_up.subject].state(snapshot))
        except UnfitError as unfit:
            text = f"{unfit.field}: {unfit.reason_text}"
            error = LastError(code=unfit.reason_code, text=text, at=self.clock.now())
            return await self._reject(wake_up, snapshot, ledger, error)
        permit = await self.breaker.permit()  # 5
        if permit is Permit.PARK:
            return await self._park(wake_up, snapshot, ledger.state)
        try:  # 6
            taken = await self.ledgers.write(ledger, self._taken(ledger.state, holder, snapshot.version))
        except _CONFLICTS:
            return None
        return await self._call(_Attempt(wake_up, snapshot, taken, record, permit))

    def _taken(self, state: DeliveryState, holder: str, version: int) -> DeliveryState:
        return state.taken(holder, until=self.clock.now() + timedelta(seconds=self.lease_seconds), version=version)

    async def _call(self, attempt: "_Attempt") -> Delivered | None:
        wake_up, snapshot = attempt.wake_up, attempt.snapshot
        try:  # 7
            reply = await self.link.update(
                subject=wake_up.subject.upper(),
                key=snapshot.id,
                version=snapshot.version,
                trace=wake_up.trace,
                body=attempt.record.body,
            )
        except MainframeUnreachableError:
            return await self._missed(attempt, _UNREACHABLE)
        except NoAnswerError:  # 9: the note stays, because the outcome is unknown
            return await self._missed(attempt, _NO_ANSWER)
        if reply.code in {ReturnCode.APPLIED, ReturnCode.ALREADY_HELD}:
            return await self._acknowledge(attempt)
        if reply.code is ReturnCode.REJECTED:
            await self.breaker.succeed()
            error = LastError(code=reply.reason_code or "REJECTED", text=reply.reason_text, at=self.clock.now())
            return await self._reject(wake_up, snapshot, attempt.taken, error)
        return await self._missed(attempt, _BUSY if reply.code is ReturnCode.BUSY else _ABENDED)

    async def _acknowledge(self, attempt: "_Attempt") -> Delivered | None:
        await self.breaker.succeed()
        wake_up, taken, sent = attempt.wake_up, attempt.taken, attempt.snapshot.version
        try:  # 8: the version that was sent, never one read again
            acknowledged = await self.ledgers.write(
                taken, taken.state.acknowledging(sent, altered=attempt.record.altered_fields)
            )
        except _CONFLICTS:
            return None
        await self.throughput.count()
        if not acknowledged.state.announced:
            await self._announce(attempt.snapshot, acknowledged, trace=wake_up.trace)
        elif taken.state.attempts or wake_up.waited:
            await self.undelivered.settle(wake_up.subject, wake_up.id, done=sent)
        return Delivered.ACKNOWLEDGED

    async def _missed(self, attempt: "_Attempt", miss: "_Miss") -> Delivered | None:
        if miss.says_down:
            await self.breaker.fail(miss.code)
        else:
            await self.breaker.succeed()
        wake_up, snapshot, state = attempt.wake_up, attempt.snapshot, attempt.taken.state
        now = self.clock.now()
        error = LastError(code=miss.code, text=miss.text, at=now)
        # Only what happens while the road is open counts: an outage, however long, exhausts nothing.
        strikes = state.strikes + (1 if miss.counts and attempt.permit is Permit.CALL else 0)
        if strikes >= self.max_attempts:
            exhausted = replace(error, code="exhausted", text=f"{miss.text}, {strikes} times while it answered others")
            return await self._reject(wake_up, snapshot, attempt.taken, exhausted)
        seconds = self.backoff.seconds(state.attempts + 1)
        again_at = now + timedelta(seconds=seconds)
        waiting = state.waiting(error, next_attempt_at=again_at, keep_note=miss.keeps_note, strikes=strikes)
        try:
            await self.ledgers.write(attempt.taken, waiting)
        except _CONFLICTS:
            return None
        await self._wait(wake_up, snapshot, WaitState.RETRYING, miss.code, attempts=waiting.attempts, again_at=again_at)
        return await self.later(wake_up, seconds=seconds)

    async def _reject(self, wake_up: WakeUp, snapshot: Snapshot, ledger: Ledger, error: LastError) -> Delivered | None:
        record = failure_write(
            snapshot, wake_up.subject, error, attempts=ledger.state.attempts + 1, trace=wake_up.trace
        )
        try:
            rejected = await self.ledgers.write(ledger, ledger.state.rejecting(snapshot.version, error), record)
        except _CONFLICTS:
            return None
        _log.warning(
            "delivery.rejected", subject=wake_up.subject, id=wake_up.id, version=snapshot.version, code=error.code
        )
        await self._announce(snapshot, rejected, trace=wake_up.trace)
        return Delivered.REJECTED

    async def _announce(self, snapshot: Snapshot, ledger: Ledger, *, trace: str) -> None:
        if ledger.state.failed > ledger.state.acknowledged:
            await self.rejections.announce(snapshot, ledger, trace=trace)
        else:
            await self.rejections.tell_resolved(ledger)
        try:
            await self.ledgers.write(ledger, replace(ledger.state, announced=True))
        except _CONFLICTS:
            # A newer version is on its way, or another handler announced it too: twice does no harm.
            _log.info("outcome.announcedTwice", subject=ledger.subject, id=ledger.id)
        await self.undelivered.settle(ledger.subject, ledger.id, done=ledger.state.done)

    async def _park(self, wake_up: WakeUp, snapshot: Snapshot, state: DeliveryState) -> Delivered:
        await self._wait(wake_up, snapshot, WaitState.PARKED, "breaker-open", attempts=state.attempts, again_at=None)
        return Delivered.PARKED

    async def _wait(
        self,
        wake_up: WakeUp,
        snapshot: Snapshot,
        state: WaitState,
        reason: str,
        *,
        attempts: int,
        again_at: datetime | None,
    ) -> None:
        waiting = Undelivered(
            subject=wake_up.subject,
            id=wake_up.id,
            owner=wake_up.owner,
            version=max(wake_up.version, snapshot.version),
            accepted_at=wake_up.accepted_at,
            state=state,
            attempts=attempts,
            next_attempt_at=again_at,
            reason=reason,
            trace=wake_up.trace,
        )
        await self.undelivered.put(waiting)

    async def _not_there(self, wake_up: WakeUp, snapshot: Snapshot, now: datetime) -> Delivered:
        if not wake_up.overdue(now):
            return await self.later(wake_up, seconds=_LOOK_AGAIN_SECONDS)
        # Nothing was committed at this version, and the relay fenced it; what is there has its own messages.
        _log.warning("delivery.nothingThere", subject=wake_up.subject, id=wake_up.id, version=wake_up.version)
        if snapshot.version:
            current = wake_up.model_copy(update={"version": snapshot.version})
            await self._queue(current).send(current.body())
        return Delivered.NOTHING_THERE

    async def later(self, wake_up: WakeUp, *, seconds: float) -> Delivered:
        """See to it that the message comes again."""
        await self._queue(wake_up).send(wake_up.body(), delay_seconds=self.backoff.spread(seconds))
        return Delivered.LATER

    def _queue(self, wake_up: WakeUp) -> Queue:
        return self.bulk_queue if wake_up.bulk else self.queue


def _wait_before(state: DeliveryState, holder: str, now: datetime) -> float | None:
    """Return how long to wait before an attempt may be made, or None when it may be made now."""
    if state.leased_to_other(holder, now):  # 4
        return _LOOK_AGAIN_SECONDS
    if state.next_attempt_at is not None and now < state.next_attempt_at:
        return (state.next_attempt_at - now).total_seconds()
    return None
