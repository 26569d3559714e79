"""What people and timers may ask: start, look, read what was found, cancel, and see to it that nothing stands still."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.changes.operation import Operation
from lib.clock import Clock
from lib.errors import ConflictError, NotFoundError, UnavailableError
from lib.ids import Ids, Seal, is_id
from lib.jobs.runs import STANDS_STILL, Kept, RunChangedError, RunStore
from lib.messaging.catalogue import MAINFRAME_SUBJECTS, Subject
from lib.paging import Cursors, Page
from lib.reconciliation.drifts import Drifts
from lib.reconciliation.models import (
    ENDED,
    RECONCILIATION_PREFIX,
    Drift,
    Reconciliation,
    ReconciliationState,
    SliceOrder,
)
from lib.storage.ports import Queue
from lib.telemetry import current_trace, event_log

_TRIES: Final = 5
_LISTING: Final = "reconciliations"
# Hidden for as long as it takes to keep what the message speaks of.
FIRST_SLICE_SECONDS: Final = 2.0

_log = event_log("reconciliation")


class ReconciliationNotFoundError(NotFoundError):
    """There is no reconciliation with this id."""

    kind = "reconciliation-not-found"
    title = "No such reconciliation"

    def __init__(self) -> None:
        super().__init__("There is no reconciliation with this id.")


class ReconciliationRunningError(ConflictError):
    """One at a time: another has not ended yet."""

    kind = "reconciliation-running"
    title = "Another reconciliation is running"

    def __init__(self, reconciliation_id: str) -> None:
        super().__init__(f"The reconciliation {reconciliation_id} has not ended; wait for it, or cancel it.")
        self.reconciliation_id = reconciliation_id


class ReconciliationEndedError(ConflictError):
    """It is over already."""

    kind = "reconciliation-ended"
    title = "The reconciliation is over"

    def __init__(self) -> None:
        super().__init__("The reconciliation is completed; there is nothing to cancel.")


@dataclass(frozen=True, slots=True)
class ReconciliationService:
    """The operations on reconciliations."""

    store: RunStore[Reconciliation]
    drifts: Drifts
    queue: Queue
    clock: Clock
    ids: Ids
    seal: Seal
    cursors: Cursors

    async def start(
        self,
        *,
        repair: bool,
        rate_per_second: float,
        operation: Operation,
        subjects: Sequence[Subject] = MAINFRAME_SUBJECTS,
    ) -> Reconciliation:
        """Start one, or return the one that this very operation started.

        Raises:
            ReconciliationRunningError: another has not ended; it is named.
            UnavailableError: it cannot be done now.
        """
        keyed = operation.keyed
        run_id = self.seal.id(RECONCILIATION_PREFIX, operation.id) if keyed else self.ids.new(RECONCILIATION_PREFIX)
        for _ in range(_TRIES):
            kept = await self.store.get(run_id)
            if kept is not None:
                return kept.run
            active = await self.store.active()
            if active is not None:
                raise ReconciliationRunningError(active)
            now = self.clock.now()
            run = Reconciliation(
                id=run_id,
                subjects=tuple(subjects),
                subject=subjects[0],
                repair=repair,
                rate_per_second=rate_per_second,
                requested_by=operation.actor,
                created_at=now,
                updated_at=now,
            )
            # The message first: a run that is kept has one, and a message without a run ends by itself.
            await self.order(run, delay_seconds=FIRST_SLICE_SECONDS)
            try:
                await self.store.insert(run)
            except RunChangedError:
                continue
            _log.info("reconciliation.started", id=run_id, repair=repair)
            return run
        raise UnavailableError("The reconciliation could not be kept now.")

    async def start_nightly(self, *, repair: bool, rate_per_second: float) -> None:
        """Start tonight's. Twice in one night is once; while another runs, nothing is started."""
        name = f"nightly-{self.clock.now().date().isoformat()}"
        operation = Operation(name="nightly", id=name, attempt=name, actor="nightly", fingerprint=name)
        try:
            await self.start(repair=repair, rate_per_second=rate_per_second, operation=operation)
        except ReconciliationRunningError as running:
            _log.warning("reconciliation.stillRunning", id=running.reconciliation_id)

    async def read(self, *, reconciliation_id: str) -> Reconciliation:
        """Return how far it is and what it counted.

        Raises:
            ReconciliationNotFoundError: there is none.
        """
        return (await self._kept(reconciliation_id)).run

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[Reconciliation]:
        """Return a page of reconciliations, newest first.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        return await self.store.page(self.cursors, listing=_LISTING, limit=limit, cursor=cursor)

    async def result_page(self, *, reconciliation_id: str, limit: int, cursor: str | None) -> Page[Drift]:
        """Return a page of what it found, in the mainframe's order; while it runs, what it found so far.

        Raises:
            ReconciliationNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"drift:{reconciliation_id}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        await self._kept(reconciliation_id)
        found, resume = await self.drifts.page(reconciliation_id, limit=limit, resume=resume)
        return Page(found, self.cursors.give(resume, listing=listing) if resume else None)

    async def cancel(self, *, reconciliation_id: str, actor: str) -> Reconciliation:
        """End it where it is; what it found stays. Twice is once.

        Raises:
            ReconciliationNotFoundError: there is none.
            ReconciliationEndedError: it is completed.
            UnavailableError: it cannot be done now.
        """
        for _ in range(_TRIES):
            kept = await self._kept(reconciliation_id)
            if kept.run.state is ReconciliationState.CANCELLED:
                return kept.run
            if kept.run.state in ENDED:
                raise ReconciliationEndedError
            now = self.clock.now()
            after = kept.run.with_(
                state=ReconciliationState.CANCELLED, note=f"cancelled by {actor}", updated_at=now, ended_at=now
            )
            try:
                return (await self.store.step(kept, after)).run
            except RunChangedError:
                continue
        raise UnavailableError("The reconciliation could not be cancelled now.")

    async def watch(self) -> bool:
        """Send the message of one that stands still again, and return whether one did: a message may have been lost."""
        active = await self.store.active()
        kept = await self.store.get(active) if active else None
        if kept is None:
            return False
        run = kept.run
        due_at = max(run.updated_at, run.not_before or run.updated_at)
        if self.clock.now() - due_at < STANDS_STILL:
            return False
        _log.warning("reconciliation.stoodStill", id=run.id, slice=run.slice_number)
        await self.order(run)
        return True

    async def order(self, run: Reconciliation, *, delay_seconds: float = 0) -> None:
        """Send the message for the slice that is due."""
        order = SliceOrder(
            reconciliation_id=run.id,
            slice_number=run.slice_number,
            sent_at=self.clock.now(),
            trace=current_trace().traceparent,
        )
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=delay_seconds)

    async def _kept(self, reconciliation_id: str) -> Kept[Reconciliation]:
        known = is_id(reconciliation_id, prefix=RECONCILIATION_PREFIX)
        kept = await self.store.get(reconciliation_id) if known else None
        if kept is None:
            raise ReconciliationNotFoundError
        return kept
