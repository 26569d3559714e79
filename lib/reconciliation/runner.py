"""The job: a reconciliation in slices that fit the function's timeout, each a message that promises the next.

The message of the next slice is sent, hidden, before this one is kept: so there always is one. Which slice is due
stands in the row: a message for an earlier one is late and ends, one for a later one is early and waits. What a slice
found is kept before it is acted on and before it is counted, so an attempt that died is neither forgotten nor counted
twice.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from lib.clock import Clock
from lib.ids import Ids
from lib.jobs.runs import Kept, RunChangedError
from lib.mainframe.backoff import Backoff
from lib.mainframe.breaker import Breaker, BreakerState
from lib.mainframe.errors import MainframeError
from lib.mainframe.link import Link
from lib.mainframe.protocol import collation_key
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.reconciliation.judge import Judge, Judgement
from lib.reconciliation.models import Drift, Reconciliation, ReconciliationState, Repair, SliceOrder, Verdict
from lib.reconciliation.service import ReconciliationService
from lib.reconciliation.walks import Budget, OurWalk, SideBySide, TheirWalk
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import Trace, enter_trace, event_log

# A slice asks for so many seconds' worth of the rate, and never works longer than the other.
_SLICE_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 20.0
_LOOK_AGAIN_SECONDS: Final = 2.0
_EARLY_FOR_SECONDS: Final = 60.0
_STORAGE_SECONDS: Final = 15.0

_log = event_log("reconciliation")


class Sliced(StrEnum):
    """What became of a message."""

    DONE = "done"
    WAITING = "waiting"
    COMPLETED = "completed"
    LATER = "later"
    STALE = "stale"
    GONE = "gone"


@dataclass(slots=True)
class _Findings:
    """What one slice came by, before it is kept."""

    after: str
    walked: int = 0
    listed: int = 0
    in_step: set[str] = field(default_factory=set[str])
    in_flight: set[str] = field(default_factory=set[str])
    drifts: dict[str, Drift] = field(default_factory=dict[str, Drift])
    at_the_end: bool = False
    trouble: str | None = None

    def verdicts(self) -> list[Verdict]:
        """Return one verdict for each key that was judged."""
        return [
            *([Verdict.IN_STEP] * len(self.in_step)),
            *([Verdict.IN_FLIGHT] * len(self.in_flight)),
            *(drift.kind for drift in self.drifts.values()),
        ]


@dataclass(frozen=True, slots=True)
class SliceRunner:
    """Runs reconciliations."""

    service: ReconciliationService
    judge: Judge
    link: Link
    breaker: Breaker
    queue: Queue
    clock: Clock
    ids: Ids
    backoff: Backoff
    lease_seconds: float

    async def take(self, body: str | bytes) -> Sliced:
        """Handle a message: do the slice that is due, or see to it that it will be.

        Raises:
            UnreadableMessageError: it is no such message; it is listed as a failure.
            StorageError: not even the queue answers; the host shall run it again.
        """
        try:
            order = SliceOrder.model_validate_json(unwrapped(body))
        except ValidationError:
            raise UnreadableMessageError("not an order for a slice of schema version 1") from None
        enter_trace(Trace.join(order.trace))
        try:
            outcome = await self._take(order)
        except RunChangedError:
            outcome = await self._later(order, _LOOK_AGAIN_SECONDS)
        except StorageError as error:
            # An outage of tables must not use up the host's few tries: the message is sent again instead.
            _log.warning("reconciliation.storage", reason=type(error).__name__)
            outcome = await self._later(order, _STORAGE_SECONDS)
        _log.info("slice.done", id=order.reconciliation_id, slice=order.slice_number, outcome=outcome)
        return outcome

    async def _take(self, order: SliceOrder) -> Sliced:
        kept = await self.service.store.get(order.reconciliation_id)
        now = self.clock.now()
        if kept is None or order.slice_number > kept.run.slice_number:
            # What promised it is still to be kept; if that takes too long, it never will be.
            if now - order.sent_at > timedelta(seconds=_EARLY_FOR_SECONDS):
                return Sliced.GONE
            return await self._later(order, _LOOK_AGAIN_SECONDS)
        run = kept.run
        if run.ended_at is not None or order.slice_number < run.slice_number:
            return Sliced.STALE
        wait_seconds = _wait_before(run, now)
        if wait_seconds > 0:
            return await self._later(order, wait_seconds)
        state = (await self.breaker.view()).state_at(now)
        if state is not BreakerState.CLOSED:
            return await self._rest(kept, f"the road to the mainframe is {state}")
        held_until = now + timedelta(seconds=self.lease_seconds)
        kept = await self.service.store.step(kept, run.with_(holder=self.ids.new("lse"), held_until=held_until))
        return await self._slice(kept, now)

    async def _slice(self, kept: Kept[Reconciliation], began_at: datetime) -> Sliced:
        run = kept.run
        budget = Budget(max(1, round(run.rate_per_second * _SLICE_SECONDS)))
        ours = OurWalk(self.judge.sources[run.subject], run.after, run.depth)
        found = await self._compare(run, ours, budget, began_at)
        if found.trouble is not None and found.after == run.after:
            return await self._rest(kept, found.trouble)
        repaired = await self._keep(run, found)
        now = self.clock.now()
        counts = run.counts.plus(walked=found.walked, listed=found.listed, verdicts=found.verdicts(), repaired=repaired)
        after = run.with_(
            state=ReconciliationState.RUNNING,
            counts=counts,
            after=found.after,
            depth=ours.depth,
            slice_number=run.slice_number + 1,
            holder=None,
            held_until=None,
            misses=0,
            note="",
            updated_at=now,
        )
        if found.at_the_end and run.following is not None:
            after = after.with_(subject=run.following, after="", depth=0)
        elif found.at_the_end:
            await self.service.store.step(
                kept, after.with_(state=ReconciliationState.COMPLETED, ended_at=now, not_before=None)
            )
            _log.info("reconciliation.completed", id=run.id, **counts.model_dump())
            return Sliced.COMPLETED
        seconds = max(1.0, budget.asked / run.rate_per_second - (now - began_at).total_seconds())
        return await self._go_on(kept, after.with_(not_before=now + timedelta(seconds=seconds)), seconds, Sliced.DONE)

    async def _compare(self, run: Reconciliation, ours: OurWalk, budget: Budget, began_at: datetime) -> _Findings:
        found = _Findings(run.after)
        until = began_at + timedelta(seconds=_LONGEST_SECONDS)
        walks = SideBySide(ours, TheirWalk(self.link, run.subject.upper(), run.after, budget))
        try:
            while not (budget.spent and found.after != run.after) and self.clock.now() < until:
                pair = await walks.next()
                if pair is None:
                    found.at_the_end = True
                    break
                if pair.ours is not None and pair.ours == pair.theirs:
                    found.in_step.add(pair.key)
                else:
                    await self._judge(run, pair.key, budget, found)
                found.walked += pair.ours is not None
                found.listed += pair.theirs is not None
                found.after = pair.key
        except MainframeError as error:
            found.trouble = str(error)[:200]
        return found

    async def _judge(self, run: Reconciliation, key: str, budget: Budget, found: _Findings) -> None:
        budget.ask()
        judgement = await self.judge.judge(run.subject, key)
        if judgement.verdict is Verdict.IN_STEP:
            found.in_step.add(key)
        elif judgement.verdict is Verdict.IN_FLIGHT:
            found.in_flight.add(key)
        else:
            found.drifts[key] = self._drift(run, key, judgement)
            if run.repair and judgement.verdict.mendable:
                budget.ask()

    def _drift(self, run: Reconciliation, key: str, judgement: Judgement) -> Drift:
        return Drift(
            subject=run.subject,
            id=key,
            kind=judgement.verdict,
            our_version=judgement.our_version,
            acknowledged_version=judgement.acknowledged_version,
            mainframe_version=judgement.mainframe_version,
            found_at=self.clock.now(),
            repair=Repair.ASKED if run.repair and judgement.verdict.mendable else Repair.NONE,
        )

    async def _keep(self, run: Reconciliation, found: _Findings) -> int:
        """Keep what was found, mend what shall be, and return how many were mended."""
        end = collation_key(found.after)
        for left in await self.service.drifts.after(run.id, run.subject, run.after):
            if found.at_the_end or collation_key(left.id) <= end:
                _take_over(found, left)
        await self.service.drifts.keep(run.id, found.drifts.values())
        asked = [drift for drift in found.drifts.values() if drift.repair is Repair.ASKED]
        for drift in asked:
            await self.judge.mend(drift)
            found.drifts[drift.id] = drift.model_copy(update={"repair": Repair.SENT})
        await self.service.drifts.keep(run.id, [found.drifts[drift.id] for drift in asked])
        return sum(drift.repair is Repair.SENT for drift in found.drifts.values())

    async def _rest(self, kept: Kept[Reconciliation], why: str) -> Sliced:
        """Wait, longer each time, and say why: a mainframe that does not answer is no reason to give up."""
        run, now = kept.run, self.clock.now()
        seconds = self.backoff.seconds(run.misses + 1)
        after = run.with_(
            state=ReconciliationState.WAITING,
            holder=None,
            held_until=None,
            slice_number=run.slice_number + 1,
            not_before=now + timedelta(seconds=seconds),
            misses=run.misses + 1,
            note=why,
            updated_at=now,
        )
        return await self._go_on(kept, after, seconds, Sliced.WAITING)

    async def _go_on(
        self, kept: Kept[Reconciliation], after: Reconciliation, seconds: float, outcome: Sliced
    ) -> Sliced:
        await self.service.order(after, delay_seconds=seconds)
        await self.service.store.step(kept, after)
        return outcome

    async def _later(self, order: SliceOrder, seconds: float) -> Sliced:
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=seconds)
        return Sliced.LATER


def _wait_before(run: Reconciliation, now: datetime) -> float:
    """Return how many seconds to wait: somebody works on it, or its pause is not over."""
    moments = [moment for moment in (run.held_until, run.not_before) if moment is not None]
    return max(((moment - now).total_seconds() for moment in moments), default=0.0)


def _take_over(found: _Findings, left: Drift) -> None:
    """Count what an attempt found that died before it could: it drifted in this run, whatever it does by now."""
    found.in_step.discard(left.id)
    found.in_flight.discard(left.id)
    found.drifts[left.id] = left
