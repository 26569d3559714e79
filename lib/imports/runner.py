"""The job: an import in slices that fit the function's timeout, each a message that promises the next.

One slice works at a time, under a lease. For every few hundred rows it takes them, adds what became of each to the log,
and then moves the cursor; so whoever comes after a death finds rows that are done but not counted in the log, counts
them, and goes on behind them. Rows that were done and not even logged are taken again, which their operations make
harmless. The log takes an addition only behind what its writer knows, so a slice that outlived its lease adds nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from lib.changes.bulk import in_bulk
from lib.clock import Clock
from lib.errors import UnavailableError
from lib.ids import Ids, Seal
from lib.imports.files import results_name, rows_name
from lib.imports.lines import Line, LineReader
from lib.imports.loaders import Loader, RawRow, Work, grouped
from lib.imports.models import Import, ImportKind, ImportState, Logged, Outcome, RowProblem, RowResult, SliceOrder
from lib.imports.reading import read_rows
from lib.imports.service import ImportService
from lib.jobs.runs import Kept, RunChangedError
from lib.mainframe.backoff import Backoff
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.storage.errors import BlobChangedError, BlobMissingError, StorageError
from lib.storage.limits import APPEND_BYTES
from lib.telemetry import Trace, enter_trace, event_log

# A slice begins nothing new after the first, and gives up what it has in hand after the second.
_SLICE_SECONDS: Final = 20.0
_LONGEST_SECONDS: Final = 40.0
_AT_ONCE: Final = 16
_LOOK_AGAIN_SECONDS: Final = 2.0
_EARLY_FOR_SECONDS: Final = 60.0
_STORAGE_SECONDS: Final = 15.0
_STAND_BY_SECONDS: Final = 1.0
_GIVE_UP_AFTER: Final = 8
_GIVE_UP_AFTER_OUTAGE: Final = 300
_FEWEST_ROWS: Final = 10
_FIRST_ROWS: Final = 50
_CHUNK_SECONDS: Final = 5.0
_SMOOTHING: Final = 0.4
_TRIES: Final = 6

_log = event_log("imports")


class Sliced(StrEnum):
    """What became of a message."""

    DONE = "done"
    COMPLETED = "completed"
    STOPPED = "stopped"
    RESTING = "resting"
    LATER = "later"
    STALE = "stale"
    GONE = "gone"


class _LeaseLostError(Exception):
    """Another slice works on it by now."""


class _NotNowError(Exception):
    """Some rows could not be taken now."""


@dataclass(frozen=True, slots=True)
class ImportRunner:
    """Runs imports."""

    service: ImportService
    loaders: Mapping[ImportKind, Loader]
    clock: Clock
    ids: Ids
    seal: Seal
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
        except (RunChangedError, _LeaseLostError):
            outcome = await self._later(order, _LOOK_AGAIN_SECONDS)
        except BlobMissingError:
            await self.service.end_without_file(order.import_id)
            outcome = Sliced.STOPPED
        except StorageError as error:
            # An outage must not use up the host's few tries: the message is sent again instead.
            _log.warning("import.storage", id=order.import_id, reason=type(error).__name__)
            outcome = await self._later(order, _STORAGE_SECONDS)
        _log.info("import.slice", id=order.import_id, slice=order.slice_number, outcome=outcome)
        return outcome

    async def _take(self, order: SliceOrder) -> Sliced:
        kept = await self.service.store.get(order.import_id)
        now = self.clock.now()
        if kept is None or order.slice_number > kept.run.slice_number:
            # What promised it is still to be kept; if that takes too long, it never will be.
            if now - order.sent_at > timedelta(seconds=_EARLY_FOR_SECONDS):
                if kept is None:
                    await self.service.blobs.delete(rows_name(order.import_id))
                return Sliced.GONE
            return await self._later(order, _LOOK_AGAIN_SECONDS)
        run = kept.run
        if run.state is not ImportState.RUNNING or order.slice_number < run.slice_number:
            return Sliced.STALE
        if run.held_until is not None and now < run.held_until:
            return await self._later(order, _LOOK_AGAIN_SECONDS)
        # Who stands by takes over when this one dies: the host itself would show the message again much later.
        await self.service.order(run, delay_seconds=self.lease_seconds + _STAND_BY_SECONDS)
        kept = await self.service.store.step(kept, run.with_(holder=self.ids.new("lse"), held_until=self._held_until()))
        return await self._slice(kept, now)

    async def _slice(self, kept: Kept[Import], began_at: datetime) -> Sliced:
        kept = await self._count_logged(kept)
        reader = self._reader(kept.run)
        while kept.run.state is ImportState.RUNNING:
            chunk_began_at = self.clock.now()
            if chunk_began_at - began_at > timedelta(seconds=_SLICE_SECONDS):
                return await self._hand_over(kept)
            lines = await reader.next(at_most=self._chunk_rows(kept.run))
            if not lines:
                return await self._complete(kept)
            try:
                results = await self._results(kept.run, lines, until=began_at + timedelta(seconds=_LONGEST_SECONDS))
            except _NotNowError:
                return await self._rest(kept)
            kept = await self._log_results(kept, lines[-1], results, since=chunk_began_at)
        await self._advance(kept, lambda run: run.with_(holder=None, held_until=None))
        return Sliced.STOPPED

    async def _results(self, run: Import, lines: Sequence[Line], *, until: datetime) -> list[RowResult]:
        """Return what became of each line, in order.

        Raises:
            _NotNowError: some rows could not be taken now.
        """
        rows, results = read_rows(lines)
        groups = grouped(rows, self.loaders[run.kind])
        loaded = await self._load(run, groups, until)
        missed = [group for group, taken in zip(groups, loaded, strict=True) if taken is None]
        if missed:
            # While nothing at all is taken it is an outage, which gives up no row for a very long time.
            patience = _GIVE_UP_AFTER if len(missed) < len(groups) else _GIVE_UP_AFTER_OUTAGE
            if run.misses < patience or self.clock.now() > until:
                raise _NotNowError
        for group, taken in zip(groups, loaded, strict=True):
            results += _failed(group, _UNAVAILABLE) if taken is None else taken
        return sorted(results, key=lambda result: result.line)

    async def _load(
        self, run: Import, groups: Sequence[Sequence[RawRow]], until: datetime
    ) -> Sequence[Sequence[RowResult] | None]:
        """Return what became of the rows of each group; None for one that could not be taken now."""
        loader, work = self.loaders[run.kind], Work(run, self.ids, self.seal)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def load(group: Sequence[RawRow]) -> Sequence[RowResult] | None:
            async with turn:
                if self.clock.now() > until:
                    return None
                try:
                    return await (loader.preview(group, work) if run.dry_run else loader.take(group, work))
                except (StorageError, UnavailableError) as error:
                    _log.warning("import.rowsLater", id=run.id, reason=type(error).__name__)
                    return None
                except Exception as error:  # noqa: BLE001 - one row's defect must not hold up a million others
                    _log.defect("import.rowDefect", id=run.id, line=group[0].line, reason=type(error).__name__)
                    return _failed(group, _DEFECT)

        with in_bulk():  # the tasks take over what holds here
            return await asyncio.gather(*(load(group) for group in groups))

    async def _log_results(
        self, kept: Kept[Import], last: Line, results: Sequence[RowResult], *, since: datetime
    ) -> Kept[Import]:
        logged = kept.run.results_bytes
        try:
            for part in _parts(result.text().encode() for result in results):
                logged = await self.service.blobs.append(results_name(kept.run.id), part, at=logged)
        except BlobChangedError:
            raise _LeaseLostError from None
        seconds = (self.clock.now() - since).total_seconds()

        def counted(run: Import) -> Import:
            return run.with_(
                held_until=self._held_until(),
                counts=run.counts.plus([result.outcome for result in results]),
                offset=last.end,
                line=last.number,
                results_bytes=logged,
                misses=0,
                rows_per_second=_rate(run.rows_per_second, len(results), seconds),
            )

        return await self._advance(kept, counted)

    async def _count_logged(self, kept: Kept[Import]) -> Kept[Import]:
        """Count what an attempt logged that did not live to count it."""
        info = await self.service.blobs.info(results_name(kept.run.id))
        size = info.size if info else 0
        if size <= kept.run.results_bytes:
            return kept
        run = kept.run
        log = LineReader(self.service.blobs, results_name(run.id), size=size, offset=run.results_bytes, line=0)
        rows = self._reader(run)
        while entries := await log.next(at_most=run.chunk_rows):
            logged = [Logged.read(entry.content or b"") for entry in entries]
            passed: list[Line] = []
            while len(passed) < len(logged):
                passed += await rows.next(at_most=len(logged) - len(passed))
            end = passed[-1]
            kept = await self._advance(
                kept,
                lambda run, logged=logged, end=end, entries=entries: run.with_(
                    counts=run.counts.plus([entry.outcome for entry in logged]),
                    offset=end.end,
                    line=end.number,
                    results_bytes=entries[-1].end,
                ),
            )
        _log.info("import.tookOver", id=run.id, rows=kept.run.line - run.line)
        return kept

    async def _complete(self, kept: Kept[Import]) -> Sliced:
        # The file goes first: whoever comes after a death here finds nothing left to read.
        await self.service.blobs.delete(rows_name(kept.run.id))
        now = self.clock.now()
        kept = await self._advance(
            kept,
            lambda run: run.with_(
                state=ImportState.COMPLETED,
                ended_at=now,
                holder=None,
                held_until=None,
                slice_number=run.slice_number + 1,
            ),
        )
        _log.info("import.completed", id=kept.run.id, **kept.run.counts.model_dump())
        return Sliced.COMPLETED

    async def _hand_over(self, kept: Kept[Import]) -> Sliced:
        await self._next_slice(kept, delay_seconds=0)
        return Sliced.DONE

    async def _rest(self, kept: Kept[Import]) -> Sliced:
        """Wait, longer each time, and with fewer rows in hand."""
        misses = kept.run.misses + 1
        chunk_rows = max(_FEWEST_ROWS, kept.run.chunk_rows // 2)
        await self._next_slice(kept, delay_seconds=self.backoff.seconds(misses), misses=misses, chunk_rows=chunk_rows)
        return Sliced.RESTING

    async def _next_slice(self, kept: Kept[Import], *, delay_seconds: float, **fields: int) -> None:
        following = kept.run.slice_number + 1
        await self.service.order(kept.run.with_(slice_number=following), delay_seconds=delay_seconds)
        await self._advance(kept, lambda run: run.with_(slice_number=following, holder=None, held_until=None, **fields))

    async def _advance(self, kept: Kept[Import], change: Callable[[Import], Import]) -> Kept[Import]:
        """Write a step over the import, also when somebody paused or cancelled it meanwhile.

        Raises:
            _LeaseLostError: another slice holds it.
        """
        before = kept.run.place
        for _ in range(_TRIES):
            after = change(kept.run).with_(updated_at=self.clock.now())
            if kept.run.state is ImportState.CANCELLED:
                after = after.with_(state=kept.run.state, ended_at=kept.run.ended_at)
            try:
                return await self.service.store.step(kept, after)
            except RunChangedError:
                again = await self.service.store.get(kept.run.id)
            if again is not None and again.run.place == after.place:
                return again  # the answer was lost, not the step
            if again is None or again.run.place != before:
                raise _LeaseLostError
            kept = again
        raise RunChangedError

    def _chunk_rows(self, run: Import) -> int:
        """Return how many rows to take before the next step: a few seconds' worth, and well within the lease."""
        if run.rows_per_second is None:
            return min(run.chunk_rows, _FIRST_ROWS)
        seconds = min(_CHUNK_SECONDS, self.lease_seconds / 4)
        return max(_FEWEST_ROWS, min(run.chunk_rows, round(run.rows_per_second * seconds)))

    def _held_until(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.lease_seconds)

    def _reader(self, run: Import) -> LineReader:
        return LineReader(self.service.blobs, rows_name(run.id), size=run.size, offset=run.offset, line=run.line)

    async def _later(self, order: SliceOrder, seconds: float) -> Sliced:
        await self.service.queue.send(order.model_dump_json(by_alias=True), delay_seconds=seconds)
        return Sliced.LATER


_DEFECT: Final = RowProblem(
    kind="internal-error", title="Internal error", detail="The row met a defect on our side; it was recorded."
)
_UNAVAILABLE: Final = RowProblem(
    kind="unavailable", title="Not available now", detail="The row could not be kept, though it was tried many times."
)


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines together, as many as fit one addition to the log."""
    part = b""
    for line in lines:
        if len(part) + len(line) > APPEND_BYTES:
            yield part
            part = b""
        part += line
    yield part


def _failed(group: Sequence[RawRow], problem: RowProblem) -> list[RowResult]:
    return [RowResult(line=row.line, outcome=Outcome.FAILED, problem=problem) for row in group]


def _rate(before: float | None, rows: int, seconds: float) -> float | None:
    if seconds <= 0:
        return before
    now = rows / seconds
    return now if before is None else before + _SMOOTHING * (now - before)
