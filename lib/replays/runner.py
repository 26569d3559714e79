"""The job: a replay in slices that fit the function's timeout, each one a message that sends the next.

Every step is one transaction on the replay's partition; a crash anywhere leaves the message, which comes back, and
doing a step again is harmless.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from lib.clock import Clock
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.replays.items import Items
from lib.replays.models import ENDED, AuditEntry, ItemState, Replay, ReplayItem, ReplayRequest, ReplayState, SliceOrder
from lib.replays.service import ReplayRunningError, ReplayService
from lib.replays.store import KeptItem, KeptReplay, ReplayChangedError, ReplayStore
from lib.storage.ports import Queue
from lib.telemetry import event_log

_SELECT_AT_ONCE: Final = 80
_SELECT_PAGES: Final = 10
_SEND_AT_ONCE: Final = 80
_TICK_SECONDS: Final = 2.0
_BUSY_SECONDS: Final = 30.0
_LOOK_AGAIN_SECONDS: Final = 0.5
_WATCH_AT_ONCE: Final = 80
_JOB: Final = "replay-job"

_log = event_log("replays")


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs replays."""

    service: ReplayService
    store: ReplayStore
    items: Items
    queue: Queue
    clock: Clock

    async def take(self, body: str | bytes) -> None:
        """Handle a message: the next slice of a replay, or a request that operations dropped on the queue.

        Raises:
            UnreadableMessageError: it is neither; it is listed as a failure.
            StorageError, ItemContendedError: the host shall run it again.
        """
        raw = unwrapped(body)
        try:
            order = SliceOrder.model_validate_json(raw)
        except ValidationError:
            await self._start(raw, body)
            return
        kept = await self.store.get(order.replay_id)
        if kept is None or kept.replay.generation != order.generation or kept.replay.state in ENDED:
            return
        if kept.replay.state is ReplayState.PAUSED:
            return
        wait_seconds: float | None = self._early(kept.replay)
        if wait_seconds is None:
            try:
                wait_seconds = await self._slice(kept)
            except ReplayChangedError:
                wait_seconds = _LOOK_AGAIN_SECONDS
        if wait_seconds is not None:
            following = order.model_copy(update={"step": order.step + 1})
            await self.queue.send(following.model_dump_json(by_alias=True), delay_seconds=wait_seconds)

    async def _start(self, raw: bytes, body: str | bytes) -> None:
        try:
            request = ReplayRequest.model_validate_json(raw)
        except ValidationError as error:
            places = sorted({".".join(map(str, problem["loc"])) or "body" for problem in error.errors()})
            raise UnreadableMessageError(f"not a request for a replay; see: {', '.join(places)}") from None
        if request.dry_run:
            _log.info("replay.dryRunOnQueue", ticket=request.ticket)
            return
        try:
            await self.service.start(request, actor=request.requested_by)
        except ReplayRunningError:
            await self.queue.send(body if isinstance(body, str) else body.decode(), delay_seconds=_BUSY_SECONDS)

    async def _slice(self, kept: KeptReplay) -> float | None:
        """Do one slice and return when the next is due, or None when the replay has ended."""
        if kept.replay.state is ReplayState.SELECTING:
            await self._select(kept)
            return 0.0
        kept = await self._watch(kept)
        replay = kept.replay
        if replay.counts.rejected_again >= replay.request.stop_after_failures:
            return await self._end(kept, ReplayState.STOPPED, f"{replay.counts.rejected_again} failed again")
        if replay.state is ReplayState.CANARY and replay.counts.rejected_again:
            return await self._end(kept, ReplayState.STOPPED, "the canary failed again")
        if replay.counts.waiting == 0:
            return await self._end(kept, ReplayState.COMPLETED, "")
        if replay.state is ReplayState.CANARY and replay.sent >= min(replay.request.canary, replay.counts.selected):
            if replay.sent > _settled(replay):
                return _TICK_SECONDS
            entry = self._entry(replay, "canaryPassed")
            kept = await self.store.step(kept, self._now(replay.with_(state=ReplayState.RUNNING)), audit=entry)
        return await self._send(kept)

    def _early(self, replay: Replay) -> float | None:
        if replay.not_before is None:
            return None
        seconds = (replay.not_before - self.clock.now()).total_seconds()
        return seconds if seconds > 0 else None

    async def _select(self, kept: KeptReplay) -> None:
        for _ in range(_SELECT_PAGES):
            replay = kept.replay
            found, cursor = await self.service.meant(replay.request, cursor=replay.cursor, limit=_SELECT_AT_ONCE)
            chosen = [failure for failure in found if failure.replayable]
            first = replay.counts.selected
            new = [(ReplayItem(number=first + index, failure_id=one.id), None) for index, one in enumerate(chosen)]
            total = first + len(new)
            counts = replay.counts.model_copy(update={"selected": total, "waiting": replay.counts.waiting + len(new)})
            state = ReplayState.SELECTING
            if cursor is None:
                state = ReplayState.CANARY if replay.request.canary else ReplayState.RUNNING
            entry = self._entry(replay, "selected", f"{total} failures") if cursor is None else None
            after = self._now(replay.with_(counts=counts, cursor=cursor, state=state, selected_all=cursor is None))
            kept = await self.store.step(kept, after, items=new, audit=entry)
            if cursor is None:
                return

    async def _send(self, kept: KeptReplay) -> float:
        replay = kept.replay
        room = max(1, min(_SEND_AT_ONCE, round(replay.request.rate_per_second * _TICK_SECONDS)))
        if replay.state is ReplayState.CANARY:
            room = min(room, replay.request.canary - replay.sent)
        waiting = await self.store.items(replay.id, states=[ItemState.WAITING], limit=room)
        wait_seconds = max(_TICK_SECONDS, len(waiting) / replay.request.rate_per_second)
        # The time of the next slice is kept before this one sends: a second message for it cannot double the rate.
        not_before = self.clock.now() + timedelta(seconds=wait_seconds)
        kept = await self.store.step(kept, self._now(replay.with_(not_before=not_before)))
        for one in waiting:
            became = await self.items.send(one.item.failure_id, replay)
            kept = await self._moved(kept, one, became)
        return wait_seconds

    async def _watch(self, kept: KeptReplay) -> KeptReplay:
        for one in await self.store.items(kept.replay.id, states=[ItemState.SENT], limit=_WATCH_AT_ONCE):
            became = await self.items.outcome(one.item)
            if became is not ItemState.SENT:
                kept = await self._moved(kept, one, became)
        return kept

    async def _moved(self, kept: KeptReplay, one: KeptItem, became: ItemState) -> KeptReplay:
        """Keep what an item became together with the counts, so that they add up at every moment."""
        replay, now = kept.replay, self.clock.now()
        item = one.item.model_copy(update={"state": became, "sent_at": one.item.sent_at or now})
        counts = replay.counts.moved(became) if became.settled else replay.counts
        sent = replay.sent + (one.item.state is ItemState.WAITING)
        return await self.store.step(kept, self._now(replay.with_(counts=counts, sent=sent)), items=[(item, one.row)])

    async def _end(self, kept: KeptReplay, state: ReplayState, note: str) -> None:
        replay, now = kept.replay, self.clock.now()
        ended = replay.with_(state=state, note=note, updated_at=now, ended_at=now)
        if state is not ReplayState.COMPLETED:
            await self.items.give_back(replay)
        await self.store.step(kept, ended, audit=self._entry(replay, state.value, note))
        await self.store.end_turn(replay.id)
        _log.info("replay.ended", replay=replay.id, state=state, **ended.counts.model_dump())

    def _entry(self, replay: Replay, action: str, detail: str = "") -> AuditEntry:
        return AuditEntry(at=self.clock.now(), actor=_JOB, action=action, ticket=replay.request.ticket, detail=detail)

    def _now(self, replay: Replay) -> Replay:
        return replay.with_(updated_at=self.clock.now())


def _settled(replay: Replay) -> int:
    counts = replay.counts
    return counts.replayed + counts.superseded + counts.rejected_again
