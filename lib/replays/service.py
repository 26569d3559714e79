"""What operations do with replays: try dry, start, watch, pause, resume, cancel."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lib.clock import Clock
from lib.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from lib.failures.models import Failure, FailureFilter, FailureState
from lib.failures.store import FAILURE_PREFIX, FailureStore
from lib.ids import Seal, is_id
from lib.jobs.runs import STANDS_STILL
from lib.paging import Cursors, Page
from lib.replays.closing import Closing, ended
from lib.replays.items import ItemContendedError, Items
from lib.replays.models import (
    ENDED,
    AuditEntry,
    DryRun,
    DryRunItem,
    Replay,
    ReplayRequest,
    ReplayState,
    SliceOrder,
)
from lib.replays.store import REPLAY_PREFIX, KeptReplay, ReplayChangedError, ReplayStore, Turn
from lib.storage.ports import Queue
from lib.telemetry import event_log

_SAMPLE: Final = 20
_DRY_RUN_MOST: Final = 2000
_SCAN: Final = 200
_TRIES: Final = 6
_LISTING: Final = "replays"
_NEVER_KEPT_AFTER: Final = timedelta(minutes=2)
# Hidden for as long as it takes to keep what the message speaks of.
_FIRST_SLICE_SECONDS: Final = 2.0

_log = event_log("replays")


class ReplayNotFoundError(NotFoundError):
    """There is no replay with this id."""

    kind = "replay-not-found"
    title = "No such replay"

    def __init__(self) -> None:
        super().__init__("There is no replay with this id.")


class ReplayRunningError(ConflictError):
    """Another replay runs; two never work on the same failures."""

    kind = "replay-running"
    title = "Another replay runs"

    def __init__(self, replay_id: str) -> None:
        super().__init__(f"The replay {replay_id} runs; wait for it, or cancel it.")


class ReplayMoveError(ConflictError):
    """The replay is in a state from which this cannot be done."""

    kind = "replay-state"
    title = "Not possible in this state"


@dataclass(frozen=True, slots=True)
class ReplayService:
    """The operations on replays."""

    store: ReplayStore
    failures: FailureStore
    items: Items
    closing: Closing
    queue: Queue
    clock: Clock
    seal: Seal
    cursors: Cursors

    async def dry_run(self, request: ReplayRequest) -> DryRun:
        """Tell what a replay would do, without doing it: how many, which, what is superseded, what would be sent."""
        selected: list[Failure] = []
        not_replayable, complete = 0, True
        cursor: str | None = None
        turn = await self.store.turn()
        turn_of = turn.replay_id if turn else None
        while True:
            found, cursor = await self.meant(request, cursor=cursor, limit=_SCAN, turn_of=turn_of)
            selected += [failure for failure in found if failure.replayable]
            not_replayable += sum(not failure.replayable for failure in found)
            if cursor is None:
                break
            if len(selected) >= _DRY_RUN_MOST:
                complete = False
                break
        looked_at = await asyncio.gather(*(self._would_do(failure) for failure in selected[:_DRY_RUN_MOST]))
        superseded = sum(item.superseded for item in looked_at)
        return DryRun(
            selected=len(selected),
            superseded=superseded,
            not_replayable=not_replayable,
            would_send=len(selected) - superseded,
            complete=complete,
            sample=tuple(looked_at[:_SAMPLE]),
        )

    async def start(self, request: ReplayRequest, *, actor: str, anew: bool = False) -> Replay:
        """Start a replay, or return the one that this same request started before.

        With `anew`, one that was stopped or cancelled is followed by another: what it left is still open.

        Raises:
            ReplayRunningError: another replay runs.
            ReplayInvalidError: an id is not one of a failure.
        """
        _check_ids(request)
        replay_id, kept = await self._asked_before(request, anew=anew)
        if kept is None:
            await self._take_turn(replay_id)
            now = self.clock.now()
            replay = Replay(id=replay_id, request=request, state=ReplayState.SELECTING, created_at=now, updated_at=now)
            # The message first: a replay that is kept has one, and a message without a replay ends by itself.
            await self.order(replay, delay_seconds=_FIRST_SLICE_SECONDS)
            await self.store.insert(replay, self._entry(replay, actor, "requested", request.reason))
            kept = await self.store.get(replay_id)
            if kept is None:
                raise UnavailableError("The replay could not be kept now.")
            _log.info("replay.requested", replay=replay_id, ticket=request.ticket)
        elif kept.replay.state not in ENDED | {ReplayState.PAUSED}:
            await self.order(kept.replay)
        return kept.replay

    def id_of(self, request: ReplayRequest, *, earlier: int = 0) -> str:
        """Return the id of the replay that this request starts, after so many that it started before."""
        canonical = json.dumps(request.model_dump(mode="json", exclude={"dry_run"}), sort_keys=True)
        return self.seal.id(REPLAY_PREFIX, f"{canonical}~{earlier}" if earlier else canonical)

    async def read(self, *, replay_id: str) -> Replay:
        """Return where a replay stands.

        Raises:
            ReplayNotFoundError: there is none.
        """
        return (await self._kept(replay_id)).replay

    async def audit(self, *, replay_id: str) -> Sequence[AuditEntry]:
        """Return every step of a replay, oldest first."""
        await self._kept(replay_id)
        return await self.store.audit(replay_id)

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[Replay]:
        """Return replays, newest first."""
        resume = self.cursors.take(cursor, listing=_LISTING) if cursor else None
        ids, resume = await self.store.listed(limit=limit, resume=resume)
        kept = await asyncio.gather(*(self.store.get(replay_id) for replay_id in ids))
        following = self.cursors.give(resume, listing=_LISTING) if resume else None
        return Page([one.replay for one in kept if one is not None], following)

    async def pause(self, *, replay_id: str, actor: str) -> Replay:
        """Stop sending until it is resumed; twice is once."""
        return await self._move(replay_id, actor, "paused")

    async def resume(self, *, replay_id: str, actor: str) -> Replay:
        """Go on where it was paused; twice is once."""
        replay = await self._move(replay_id, actor, "resumed")
        await self.order(replay)
        return replay

    async def cancel(self, *, replay_id: str, actor: str) -> Replay:
        """End it: what was sent is delivered, what still waits stays open. Twice is once."""
        await self._move(replay_id, actor, "cancelled")
        kept = await self._kept(replay_id)
        try:
            closed = await self.closing.finish(kept)
        except (ReplayChangedError, ItemContendedError):
            closed = False
        if not closed:
            await self.order(kept.replay)
        return kept.replay

    async def watch(self) -> bool:
        """Send the message of a replay that stands still again, and return whether one did: it may have been lost."""
        turn = await self.store.turn()
        kept = await self.store.get(turn.replay_id) if turn else None
        if kept is None or kept.replay.state is ReplayState.PAUSED:
            return False
        replay = kept.replay
        if self.clock.now() - max(replay.updated_at, replay.held_until or replay.updated_at) < STANDS_STILL:
            return False
        _log.warning("replay.stoodStill", replay=replay.id, state=replay.state, slice=replay.slice_number)
        await self.order(replay)
        return True

    async def order(self, replay: Replay, *, delay_seconds: float = 0) -> None:
        """Send the message for the slice that is due."""
        order = SliceOrder(replay_id=replay.id, slice_number=replay.slice_number)
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=delay_seconds)

    async def meant(
        self, request: ReplayRequest, *, cursor: str | None, limit: int, turn_of: str | None
    ) -> tuple[list[Failure], str | None]:
        """Return some of the failures that a request means and that are free, and where to go on.

        Free is what is open, and what a replay left behind whose turn it is no longer.
        """
        resume: str | None
        if request.failure_ids is not None:
            start = int(cursor or 0)
            chosen = request.failure_ids[start : start + limit]
            kept = await asyncio.gather(*(self.failures.get(failure_id) for failure_id in chosen))
            resume = str(start + limit) if start + limit < len(request.failure_ids) else None
            found = [one.failure for one in kept if one is not None]
        else:
            wanted = request.filter or FailureFilter()
            rows, resume = await self.failures.page(limit=limit, resume=cursor)
            found = [one for one in rows if wanted.meets(one)]
        return [one for one in found if _free(one, turn_of)], resume

    async def _asked_before(self, request: ReplayRequest, *, anew: bool) -> tuple[str, KeptReplay | None]:
        earlier = 0
        while True:
            replay_id = self.id_of(request, earlier=earlier)
            kept = await self.store.get(replay_id)
            if kept is None or not anew or kept.replay.state not in {ReplayState.STOPPED, ReplayState.CANCELLED}:
                return replay_id, kept
            earlier += 1

    async def _take_turn(self, replay_id: str) -> None:
        turn = await self.store.take_turn(replay_id, now=self.clock.now())
        if turn.replay_id != replay_id and await self._over(turn):
            await self.store.end_turn(turn.replay_id)
            turn = await self.store.take_turn(replay_id, now=self.clock.now())
        if turn.replay_id != replay_id:
            raise ReplayRunningError(turn.replay_id)

    async def _would_do(self, failure: Failure) -> DryRunItem:
        current, superseded = await self.items.standing(failure)
        return DryRunItem(
            failure_id=failure.id,
            entity_id=failure.entity_id or "",
            failed_version=failure.version or 0,
            current_version=current,
            superseded=superseded,
            code=failure.code,
        )

    async def _move(self, replay_id: str, actor: str, action: str) -> Replay:
        for _ in range(_TRIES):
            kept = await self._kept(replay_id)
            after = _moved(kept.replay, action)
            if after is None:
                return kept.replay
            now = self.clock.now()
            after = after.with_(updated_at=now)
            if after.state in ENDED:
                after = ended(after, ended_at=now)
            try:
                moved = await self.store.step(kept, after, audit=self._entry(after, actor, action))
            except ReplayChangedError:
                continue
            return moved.replay
        raise UnavailableError("The replay could not be changed now.")

    async def _over(self, turn: Turn) -> bool:
        """Tell whether the replay whose turn it is has ended, or was never kept because its request died."""
        kept = await self.store.get(turn.replay_id)
        if kept is None:
            return self.clock.now() - turn.since > _NEVER_KEPT_AFTER
        try:
            return await self.closing.finish(kept)
        except (ReplayChangedError, ItemContendedError):
            return False

    def _entry(self, replay: Replay, actor: str, action: str, detail: str = "") -> AuditEntry:
        return AuditEntry(at=self.clock.now(), actor=actor, action=action, ticket=replay.request.ticket, detail=detail)

    async def _kept(self, replay_id: str) -> KeptReplay:
        kept = await self.store.get(replay_id) if is_id(replay_id, prefix=REPLAY_PREFIX) else None
        if kept is None:
            raise ReplayNotFoundError
        return kept


def _moved(replay: Replay, action: str) -> Replay | None:
    """Return the replay after a person's step, or None when it is there already."""
    state = replay.state
    if action == "paused" and state is not ReplayState.PAUSED and state not in ENDED:
        return replay.with_(state=ReplayState.PAUSED, paused_in=state)
    if action == "resumed" and state is ReplayState.PAUSED:
        # What was not sent meanwhile is not made up for.
        return replay.with_(state=replay.paused_in or ReplayState.RUNNING, paused_in=None, anchor_at=None)
    if action == "cancelled" and state not in ENDED:
        return replay.with_(state=ReplayState.CANCELLED, paused_in=None)
    repeated = {"paused": state is ReplayState.PAUSED, "cancelled": state is ReplayState.CANCELLED}
    if repeated.get(action, state not in ENDED):
        return None
    raise ReplayMoveError(f"The replay is {state}; it cannot be {action}.")


def _free(failure: Failure, turn_of: str | None) -> bool:
    left_behind = failure.state is FailureState.REPLAYING and failure.replay_id != turn_of
    return failure.state is FailureState.OPEN or left_behind


class ReplayInvalidError(InvalidError):
    """The request for a replay cannot be carried out."""

    kind = "replay-invalid"
    title = "Not a valid request for a replay"


def _check_ids(request: ReplayRequest) -> None:
    ids = request.failure_ids or ()
    if len(set(ids)) != len(ids):
        raise ReplayInvalidError("failureIds names a failure twice.")
    if not all(is_id(failure_id, prefix=FAILURE_PREFIX) for failure_id in ids):
        raise ReplayInvalidError("failureIds holds something that is no id of a failure.")
