"""What people and timers may ask of rebuilds: start, look, read what was found, cancel, and let none stand still."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lib.changes.operation import Operation
from lib.clock import Clock
from lib.errors import ConflictError, NotFoundError, UnavailableError
from lib.identifiers.differences import Differences
from lib.identifiers.holders import Holders
from lib.identifiers.rebuilds import ENDED, REBUILD_PREFIX, Difference, Rebuild, RebuildState, SliceOrder
from lib.ids import Ids, Seal, is_id
from lib.jobs.runs import STANDS_STILL, Kept, RunChangedError, RunStore
from lib.messaging.catalogue import Subject
from lib.paging import Cursors, Page
from lib.storage.ports import Queue
from lib.telemetry import current_trace, event_log

_TRIES: Final = 5
_LISTING: Final = "identifier-rebuilds"
# Hidden for as long as it takes to keep what the message speaks of.
FIRST_SLICE_SECONDS: Final = 2.0

_log = event_log("identifiers")


class RebuildNotFoundError(NotFoundError):
    """There is no rebuild with this id."""

    kind = "identifier-rebuild-not-found"
    title = "No such rebuild"

    def __init__(self) -> None:
        super().__init__("There is no rebuild of the identifiers with this id.")


class RebuildRunningError(ConflictError):
    """One at a time: another has not ended yet."""

    kind = "identifier-rebuild-running"
    title = "Another rebuild is running"

    def __init__(self, rebuild_id: str) -> None:
        super().__init__(f"The rebuild {rebuild_id} has not ended; wait for it, or cancel it.")


class RebuildEndedError(ConflictError):
    """It is over already."""

    kind = "identifier-rebuild-ended"
    title = "The rebuild is over"

    def __init__(self) -> None:
        super().__init__("The rebuild is completed; there is nothing to cancel.")


@dataclass(frozen=True, slots=True)
class RebuildService:
    """The operations on rebuilds of the index of identifiers."""

    store: RunStore[Rebuild]
    differences: Differences
    holders: Mapping[Subject, Holders]
    queue: Queue
    clock: Clock
    ids: Ids
    seal: Seal
    cursors: Cursors

    async def start(self, *, dry_run: bool, operation: Operation) -> Rebuild:
        """Start one, or return the one that this very operation started.

        Raises:
            RebuildRunningError: another has not ended; it is named.
            UnavailableError: it cannot be done now.
        """
        keyed = operation.keyed
        rebuild_id = self.seal.id(REBUILD_PREFIX, operation.id) if keyed else self.ids.new(REBUILD_PREFIX)
        for _ in range(_TRIES):
            kept = await self.store.get(rebuild_id)
            if kept is not None:
                return kept.run
            active = await self.store.active()
            if active is not None:
                raise RebuildRunningError(active)
            now = self.clock.now()
            run = Rebuild(
                id=rebuild_id,
                dry_run=dry_run,
                requested_by=operation.actor,
                walking=next(iter(self.holders)),
                created_at=now,
                updated_at=now,
            )
            # The message first: a rebuild that is kept has one, and a message without a rebuild ends by itself.
            await self.order(run, delay_seconds=FIRST_SLICE_SECONDS)
            try:
                await self.store.insert(run)
            except RunChangedError:
                continue
            _log.info("identifierRebuild.started", id=rebuild_id, dryRun=dry_run)
            return run
        raise UnavailableError("The rebuild could not be kept now.")

    async def read(self, *, rebuild_id: str) -> Rebuild:
        """Return how far it is and what it counted.

        Raises:
            RebuildNotFoundError: there is none.
        """
        return (await self._kept(rebuild_id)).run

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[Rebuild]:
        """Return a page of rebuilds, newest first.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        return await self.store.page(self.cursors, listing=_LISTING, limit=limit, cursor=cursor)

    async def difference_page(self, *, rebuild_id: str, limit: int, cursor: str | None) -> Page[Difference]:
        """Return a page of what it found, in the order in which it was found; while it runs, what it found so far.

        Raises:
            RebuildNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"{_LISTING}:{rebuild_id}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        await self._kept(rebuild_id)
        found, resume = await self.differences.page(rebuild_id, limit=limit, resume=resume)
        return Page(found, self.cursors.give(resume, listing=listing) if resume else None)

    async def cancel(self, *, rebuild_id: str, actor: str) -> Rebuild:
        """End it where it is; what it found, and mended, stays. Twice is once.

        Raises:
            RebuildNotFoundError: there is none.
            RebuildEndedError: it is completed.
            UnavailableError: it cannot be done now.
        """
        for _ in range(_TRIES):
            kept = await self._kept(rebuild_id)
            if kept.run.state is RebuildState.CANCELLED:
                return kept.run
            if kept.run.state in ENDED:
                raise RebuildEndedError
            now = self.clock.now()
            after = kept.run.with_(
                state=RebuildState.CANCELLED, note=f"cancelled by {actor}", updated_at=now, ended_at=now
            )
            try:
                return (await self.store.step(kept, after)).run
            except RunChangedError:
                continue
        raise UnavailableError("The rebuild could not be cancelled now.")

    async def watch(self) -> bool:
        """Send the message of one that stands still again, and return whether one did: a message may have been lost."""
        active = await self.store.active()
        kept = await self.store.get(active) if active else None
        if kept is None or self.clock.now() - kept.run.updated_at < STANDS_STILL:
            return False
        _log.warning("identifierRebuild.stoodStill", id=kept.run.id, slice=kept.run.slice_number)
        await self.order(kept.run)
        return True

    async def order(self, run: Rebuild, *, delay_seconds: float = 0) -> None:
        """Send the message for the slice that is due."""
        order = SliceOrder(
            rebuild_id=run.id,
            slice_number=run.slice_number,
            sent_at=self.clock.now(),
            trace=current_trace().traceparent,
        )
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=delay_seconds)

    async def _kept(self, rebuild_id: str) -> Kept[Rebuild]:
        kept = await self.store.get(rebuild_id) if is_id(rebuild_id, prefix=REBUILD_PREFIX) else None
        if kept is None:
            raise RebuildNotFoundError
        return kept
