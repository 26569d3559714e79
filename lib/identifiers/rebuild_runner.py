"""The job: a rebuild in slices that fit the function's timeout, each a message that promises the next.

The message of the next slice is sent, hidden, before this one is kept: so there always is one. Which slice is due
stands in the row: a message for an earlier one is late and ends, one for a later one is early and waits. What a slice
found is kept before it is mended, and mended before it is counted, so an attempt that died is neither forgotten nor
counted twice. Two at once on one slice do the same, and one of them counts.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from lib.clock import Clock
from lib.identifiers.differences import place_of
from lib.identifiers.examiner import Examiner, Finding
from lib.identifiers.index import IndexContendedError, hit_of, is_book
from lib.identifiers.rebuild_service import RebuildService
from lib.identifiers.rebuilds import Difference, Rebuild, RebuildState, SliceOrder
from lib.jobs.runs import Kept, RunChangedError
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import Trace, enter_trace, event_log

_HOLDERS_A_SLICE: Final = 200
_ROWS_A_SLICE: Final = 500
_PAUSE_SECONDS: Final = 1.0
_LOOK_AGAIN_SECONDS: Final = 2.0
_STORAGE_SECONDS: Final = 15.0
_EARLY_FOR: Final = timedelta(seconds=60)

_log = event_log("identifiers")


class Sliced(StrEnum):
    """What became of a message."""

    DONE = "done"
    COMPLETED = "completed"
    LATER = "later"
    STALE = "stale"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What one slice looked at, and where the next begins."""

    findings: list[Finding]
    holders: int = 0
    rows: int = 0
    following: dict[str, Any]
    at_the_end: bool = False


@dataclass(frozen=True, slots=True)
class RebuildRunner:
    """Runs rebuilds."""

    service: RebuildService
    examiner: Examiner
    queue: Queue
    clock: Clock

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
        except (RunChangedError, IndexContendedError):
            outcome = await self._later(order, _LOOK_AGAIN_SECONDS)
        except StorageError as error:
            # An outage of tables must not use up the host's few tries: the message is sent again instead.
            _log.warning("identifierRebuild.storage", reason=type(error).__name__)
            outcome = await self._later(order, _STORAGE_SECONDS)
        _log.info("identifierRebuild.slice", id=order.rebuild_id, slice=order.slice_number, outcome=outcome)
        return outcome

    async def _take(self, order: SliceOrder) -> Sliced:
        kept = await self.service.store.get(order.rebuild_id)
        if kept is None or order.slice_number > kept.run.slice_number:
            # What promised it is still to be kept; if that takes too long, it never will be.
            if self.clock.now() - order.sent_at > _EARLY_FOR:
                return Sliced.GONE
            return await self._later(order, _LOOK_AGAIN_SECONDS)
        if kept.run.ended_at is not None or order.slice_number < kept.run.slice_number:
            return Sliced.STALE
        return await self._slice(kept)

    async def _slice(self, kept: Kept[Rebuild]) -> Sliced:
        run = kept.run
        looked = await (self._rows(run) if run.walking is None else self._holders(run))
        found = await self._mended(run, looked.findings)
        now = self.clock.now()
        after = run.with_(
            counts=run.counts.plus(holders=looked.holders, rows=looked.rows, found=found),
            slice_number=run.slice_number + 1,
            updated_at=now,
            **looked.following,
        )
        if looked.at_the_end:
            after = after.with_(state=RebuildState.COMPLETED, ended_at=now)
            await self.service.store.step(kept, after)
            _log.info("identifierRebuild.completed", id=run.id, **after.counts.model_dump())
            return Sliced.COMPLETED
        await self.service.order(after, delay_seconds=_PAUSE_SECONDS)
        await self.service.store.step(kept, after)
        return Sliced.DONE

    async def _holders(self, run: Rebuild) -> _Looked:
        subject = run.walking
        holders = self.examiner.holders.get(subject) if subject is not None else None
        if subject is None or holders is None:
            return _Looked(findings=[], following=dict(run.past(self.examiner.holders)))
        places = await holders.after(run.after, limit=_HOLDERS_A_SLICE)
        findings = await self.examiner.look_at_holders(subject, places)
        at_the_end = len(places) < _HOLDERS_A_SLICE
        following = dict(run.past(self.examiner.holders)) if at_the_end else {"after": places[-1][0]}
        return _Looked(findings=findings, holders=len(places), following=following)

    async def _rows(self, run: Rebuild) -> _Looked:
        page = await self.examiner.index.table.scan(limit=_ROWS_A_SLICE, resume=run.resume)
        hits = [hit_of(row) for row in page.rows if not is_book(row)]
        findings = await self.examiner.look_at_rows(hits)
        return _Looked(
            findings=findings, rows=len(hits), following={"resume": page.resume}, at_the_end=page.resume is None
        )

    async def _mended(self, run: Rebuild, findings: list[Finding]) -> list[Difference]:
        """Keep what was found, put it right unless this is a dry run, and return it all with what became of it."""
        known = {place_of(one): one for one in await self.service.differences.of_slice(run)}
        fresh = {place_of(one.difference): one for one in findings}
        await self.service.differences.keep(run, [one.difference for place, one in fresh.items() if place not in known])
        if not run.dry_run:
            for one in findings:
                await self.examiner.mend(one)
            # What an attempt that died had found is put right by now, by it or because it is found no more.
            done = {place: one.difference for place, one in fresh.items()} | known
            known = {place: one.model_copy(update={"mended": True}) for place, one in done.items()}
            await self.service.differences.keep(run, known.values())
            return list(known.values())
        return list(({place: one.difference for place, one in fresh.items()} | known).values())

    async def _later(self, order: SliceOrder, seconds: float) -> Sliced:
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=seconds)
        return Sliced.LATER
