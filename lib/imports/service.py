"""What people and systems may ask of imports: start, look, read results, pause, resume, cancel."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lib.clock import Clock
from lib.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from lib.ids import Seal, is_id
from lib.imports.files import results_name, rows_name
from lib.imports.lines import LineReader, count_lines
from lib.imports.models import (
    ENDED,
    IMPORT_PREFIX,
    Import,
    ImportCounts,
    ImportKind,
    ImportState,
    Logged,
    Outcome,
    SliceOrder,
)
from lib.jobs.runs import STANDS_STILL, Kept, RunChangedError, RunStore
from lib.paging import BadCursorError, Cursors, Page
from lib.storage.errors import BlobMissingError
from lib.storage.ports import Blobs, Queue
from lib.telemetry import current_trace, event_log

_TRIES: Final = 8
_LISTING: Final = "imports"
# What one download looks through at most when it wants certain outcomes only.
_LOOKED_THROUGH: Final = 50_000
# Hidden for as long as it takes to keep what the message speaks of.
FIRST_SLICE_SECONDS: Final = 2.0
_WATCHED: Final = 100

_log = event_log("imports")


class ImportNotFoundError(NotFoundError):
    """There is no import with this id."""

    kind = "import-not-found"
    title = "No such import"

    def __init__(self) -> None:
        super().__init__("There is no import with this id.")


class ImportResultsGoneError(NotFoundError):
    """The results are not kept any more."""

    kind = "import-results-gone"
    title = "The results are gone"

    def __init__(self) -> None:
        super().__init__("The results of this import are not kept any more; its counts stay.")


class ImportMoveError(ConflictError):
    """The import is in a state from which this cannot be done."""

    kind = "import-state"
    title = "Not possible in this state"


class NothingToImportError(InvalidError):
    """The file holds no line."""

    kind = "nothing-to-import"
    title = "Nothing to import"

    def __init__(self) -> None:
        super().__init__("The file holds no line.")


@dataclass(frozen=True, slots=True)
class ImportService:
    """The operations on imports."""

    store: RunStore[Import]
    blobs: Blobs
    queue: Queue
    clock: Clock
    seal: Seal
    cursors: Cursors
    chunk_rows: int = 1000

    async def start(self, *, content: bytes, kind: ImportKind, source: str, dry_run: bool, actor: str) -> Import:
        """Start an import, or return the one of the same rows from the same source that was started before.

        Raises:
            NothingToImportError: the file holds no line.
            UnavailableError: it cannot be done now.
        """
        total = count_lines(content)
        if not total:
            raise NothingToImportError
        digest = await asyncio.to_thread(_digest, content)
        import_id = self.seal.id(IMPORT_PREFIX, kind, source, "dry" if dry_run else "real", digest)
        uploaded = False
        for _ in range(_TRIES):
            kept = await self.store.get(import_id)
            if kept is not None:
                if uploaded and kept.run.state in ENDED:
                    await self.blobs.delete(rows_name(import_id))
                return kept.run
            now = self.clock.now()
            run = Import(
                id=import_id,
                kind=kind,
                source=source,
                dry_run=dry_run,
                requested_by=actor,
                size=len(content),
                chunk_rows=self.chunk_rows,
                counts=ImportCounts(total=total, waiting=total),
                created_at=now,
                updated_at=now,
            )
            await self.blobs.put(rows_name(import_id), content)
            uploaded = True
            # The message first: an import that is kept has one, and a message without an import ends by itself.
            await self.order(run, delay_seconds=FIRST_SLICE_SECONDS)
            try:
                await self.store.insert(run)
            except RunChangedError:
                continue
            _log.info("import.started", id=import_id, kind=kind, rows=total, dryRun=dry_run)
            return run
        raise UnavailableError("The import could not be kept now.")

    async def read(self, *, import_id: str) -> Import:
        """Return how far an import is.

        Raises:
            ImportNotFoundError: there is none.
        """
        return (await self._kept(import_id)).run

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[Import]:
        """Return a page of imports, newest first.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        return await self.store.page(self.cursors, listing=_LISTING, limit=limit, cursor=cursor)

    async def results_page(
        self, *, import_id: str, outcomes: Sequence[Outcome], limit: int, cursor: str | None
    ) -> Page[str]:
        """Return a page of what became of the rows, in the order of the file; while it runs, of those that are done.

        Raises:
            ImportNotFoundError: there is none.
            ImportResultsGoneError: they are not kept any more.
            BadCursorError: the cursor is not one that this list gave out.
        """
        wanted = frozenset(outcomes)
        listing = f"results:{import_id}:{','.join(sorted(wanted))}"
        offset = _position(self.cursors.take(cursor, listing=listing)) if cursor else 0
        run = (await self._kept(import_id)).run
        reader = LineReader(self.blobs, results_name(import_id), size=run.results_bytes, offset=offset, line=0)
        found: list[str] = []
        while len(found) < limit and reader.line < _LOOKED_THROUGH:
            try:
                lines = await reader.next(at_most=limit - len(found))
            except BlobMissingError:
                raise ImportResultsGoneError from None
            if not lines:
                return Page(found, None)
            texts = [line.content for line in lines if line.content is not None]
            found += [text.decode() for text in texts if not wanted or Logged.read(text).outcome in wanted]
        more = reader.offset < run.results_bytes
        return Page(found, self.cursors.give(str(reader.offset), listing=listing) if more else None)

    async def pause(self, *, import_id: str, actor: str) -> Import:
        """Stop behind the rows in hand until it is resumed. Twice is once."""
        return await self._move(import_id, ImportState.PAUSED, f"paused by {actor}")

    async def resume(self, *, import_id: str, actor: str) -> Import:
        """Go on where it was paused; one that runs already is given another push, which does no harm."""
        del actor
        kept = await self._kept(import_id)
        if kept.run.state not in ENDED:
            await self.order(kept.run, delay_seconds=FIRST_SLICE_SECONDS)
        return await self._move(import_id, ImportState.RUNNING, "")

    async def cancel(self, *, import_id: str, actor: str) -> Import:
        """End it: what is done stays done, what waits stays undone. Twice is once."""
        run = await self._move(import_id, ImportState.CANCELLED, f"cancelled by {actor}")
        await self.blobs.delete(rows_name(import_id))
        return run

    async def end_without_file(self, import_id: str) -> None:
        """End an import whose file is gone; one that ended before stays as it is."""
        kept = await self._kept(import_id)
        if kept.run.state not in ENDED:
            _log.error("import.fileGone", id=import_id)
            await self._move(import_id, ImportState.CANCELLED, "its file is gone; send it again under another source")

    async def watch(self) -> int:
        """Send the messages of imports that stand still again, and return of how many: they may have been lost.

        The newest hundred are looked at.
        """
        page = await self.store.page(self.cursors, listing=_LISTING, limit=_WATCHED, cursor=None)
        now = self.clock.now()
        still = [
            run
            for run in page.items
            if run.state is ImportState.RUNNING
            and now - max(run.updated_at, run.held_until or run.updated_at) >= STANDS_STILL
        ]
        for run in still:
            _log.warning("import.stoodStill", id=run.id, slice=run.slice_number)
            await self.order(run)
        return len(still)

    async def order(self, run: Import, *, delay_seconds: float = 0) -> None:
        """Send the message for the slice that is due."""
        order = SliceOrder(
            import_id=run.id,
            slice_number=run.slice_number,
            sent_at=self.clock.now(),
            trace=current_trace().traceparent,
        )
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=delay_seconds)

    async def _move(self, import_id: str, state: ImportState, note: str) -> Import:
        for _ in range(_TRIES):
            kept = await self._kept(import_id)
            if kept.run.state is state:
                return kept.run
            if kept.run.state in ENDED:
                raise ImportMoveError(f"The import is {kept.run.state}; it cannot be {state}.")
            now = self.clock.now()
            after = kept.run.with_(state=state, note=note, updated_at=now, ended_at=now if state in ENDED else None)
            try:
                return (await self.store.step(kept, after)).run
            except RunChangedError:
                continue
        raise UnavailableError("The import could not be changed now.")

    async def _kept(self, import_id: str) -> Kept[Import]:
        kept = await self.store.get(import_id) if is_id(import_id, prefix=IMPORT_PREFIX) else None
        if kept is None:
            raise ImportNotFoundError
        return kept


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _position(text: str) -> int:
    if not text.isdigit():
        raise BadCursorError("The cursor is not one that this list gave out.")
    return int(text)
