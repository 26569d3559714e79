"""The job: a replay in slices that fit the function's timeout, each one a message that sends the next.

Every step is one transaction on the replay's partition; a crash anywhere leaves the message, which comes back, and
doing a step again is harmless. A slice is held by one at a time, and its number tells late messages from the one that
is due, so that neither a duplicate nor a message that comes back can make a second chain.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from lib.clock import Clock
from lib.errors import UnavailableError
from lib.ids import Ids
from lib.messaging.envelope import UnreadableMessageError, unwrapped
from lib.replays.closing import Closing, ended
from lib.replays.fronts import Fronts
from lib.replays.items import ItemContendedError
from lib.replays.models import ENDED, AuditEntry, Replay, ReplayItem, ReplayRequest, ReplayState, SliceOrder
from lib.replays.pace import anchored, room, seconds_to_next
from lib.replays.service import ReplayRunningError, ReplayService
from lib.replays.store import AT_ONCE, KeptReplay, ReplayChangedError, ReplayStore
from lib.storage.errors import StorageError
from lib.storage.ports import Queue
from lib.telemetry import event_log

_SELECT_PAGES: Final = 20
# A function may run for a minute; a slice that has sent for so long leaves the rest to the next.
_SENDING_SECONDS: Final = 15.0
_BUSY_SECONDS: Final = 30.0
_LOOK_AGAIN_SECONDS: Final = 1.0
_EARLY_SECONDS: Final = 2.0
_EARLY_LOOKS: Final = 30
_LONGEST_STORAGE_SECONDS: Final = 15.0
_JOB: Final = "replay-job"
_CONTENDED: Final = (ReplayChangedError, ItemContendedError, UnavailableError)

_log = event_log("replays")


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs replays."""

    service: ReplayService
    store: ReplayStore
    fronts: Fronts
    closing: Closing
    queue: Queue
    clock: Clock
    ids: Ids
    lease_seconds: float

    async def take(self, body: str | bytes) -> None:
        """Handle a message: the next slice of a replay, or a request that operations dropped on the queue.

        Raises:
            UnreadableMessageError: it is neither; it is listed as a failure.
            StorageError: not even the queue answers; the host shall run it again.
        """
        raw = unwrapped(body)
        try:
            order = SliceOrder.model_validate_json(raw)
        except ValidationError:
            await self._start(raw, body)
            return
        holder = self.ids.new("lse")
        try:
            await self._take(order, holder)
        except (*_CONTENDED, StorageError) as error:
            # None of these must use up the host's few tries: the message is sent again instead.
            _log.warning("replay.sliceAgain", replay=order.replay_id, reason=type(error).__name__)
            await self._let_go(order.replay_id, holder)
            # One lost reply costs a second; an outage is asked after less and less often.
            seconds = min(_LONGEST_STORAGE_SECONDS, _LOOK_AGAIN_SECONDS * 2 ** min(order.looks, 10))
            put_off = order.model_copy(update={"looks": order.looks + 1})
            await self._later(put_off, _LOOK_AGAIN_SECONDS if isinstance(error, _CONTENDED) else seconds)

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

    async def _take(self, order: SliceOrder, holder: str) -> None:
        kept = await self.store.get(order.replay_id)
        if kept is None or order.slice_number > kept.replay.slice_number:
            # What sent it is still to be kept; if that takes too long, it never will be.
            if order.looks < _EARLY_LOOKS:
                await self._later(order.model_copy(update={"looks": order.looks + 1}), _EARLY_SECONDS)
            return
        replay, now = kept.replay, self.clock.now()
        if replay.state in ENDED:
            if not await self.closing.finish(kept):
                await self._later(order, _LOOK_AGAIN_SECONDS)
            return
        if replay.state is ReplayState.PAUSED or order.slice_number < replay.slice_number:
            return
        if replay.held_until is not None and replay.held(now):
            await self._later(order, (replay.held_until - now).total_seconds())
            return
        held_until = now + timedelta(seconds=self.lease_seconds)
        kept = await self.store.step(kept, replay.with_(holder=holder, held_until=held_until, updated_at=now))
        await self._slice(kept, died=replay.holder is not None)

    async def _slice(self, kept: KeptReplay, *, died: bool) -> None:
        if kept.replay.state is ReplayState.SELECTING:
            selected = await self._select(kept)
            if selected is not None:
                await self._hand_over(selected, 0.0)
            return
        sent, settled = kept.replay.sent, kept.replay.counts
        kept = await self.fronts.look(kept)
        verdict = _verdict(kept.replay)
        if verdict is not None:
            await self._end(kept, *verdict)
            return
        replay = kept.replay
        afresh = died
        if replay.state is ReplayState.CANARY and not (replay.unanswered or room(replay)):
            entry = self._entry(replay, "canaryPassed")
            kept = await self.store.step(kept, replay.with_(state=ReplayState.RUNNING), audit=entry)
            afresh = True
        kept = kept.now(anchored(kept.replay, self.clock.now(), afresh=afresh))
        kept = await self.fronts.send(kept, _SENDING_SECONDS)
        replay = kept.replay
        moved = replay.sent > sent or replay.counts != settled
        kept = kept.now(replay.with_(idle_slices=0 if moved else replay.idle_slices + 1))
        verdict = _verdict(kept.replay)
        if verdict is not None:
            await self._end(kept, *verdict)
            return
        await self._hand_over(kept, seconds_to_next(kept.replay, self.clock.now()))

    async def _select(self, kept: KeptReplay) -> KeptReplay | None:
        turn = await self.store.turn()
        if turn is None or turn.replay_id != kept.replay.id:
            await self._end(kept, ReplayState.CANCELLED, "another replay took its turn before it began")
            return None
        for _ in range(_SELECT_PAGES):
            replay, now = kept.replay, self.clock.now()
            found, cursor = await self.service.meant(
                replay.request, cursor=replay.cursor, limit=AT_ONCE, turn_of=replay.id
            )
            chosen = [failure for failure in found if failure.replayable]
            first = replay.counts.selected
            new = [(ReplayItem(number=first + index, failure_id=one.id), None) for index, one in enumerate(chosen)]
            total = first + len(new)
            counts = replay.counts.model_copy(update={"selected": total, "waiting": replay.counts.waiting + len(new)})
            after = replay.with_(
                counts=counts, cursor=cursor, held_until=now + timedelta(seconds=self.lease_seconds), updated_at=now
            )
            if cursor is None:
                after = after.with_(state=ReplayState.CANARY if replay.request.canary else ReplayState.RUNNING)
                entry = self._entry(replay, "selected", f"{total} failures")
                return await self.store.step(kept, after, items=new, audit=entry)
            kept = await self.store.step(kept, after, items=new)
        return kept

    async def _hand_over(self, kept: KeptReplay, seconds: float) -> None:
        # The message of the next slice first, then what it will find: so there always is one.
        replay = kept.replay
        after = replay.with_(
            slice_number=replay.slice_number + 1, holder=None, held_until=None, updated_at=self.clock.now()
        )
        await self.service.order(after, delay_seconds=seconds)
        await self.store.step(kept, after)

    async def _end(self, kept: KeptReplay, state: ReplayState, note: str) -> None:
        now = self.clock.now()
        after = ended(kept.replay, state=state, note=note, holder=None, held_until=None, updated_at=now, ended_at=now)
        kept = await self.store.step(kept, after, audit=self._entry(after, state.value, note))
        _log.info("replay.ended", replay=after.id, state=state, **after.counts.model_dump())
        if not await self.closing.finish(kept):
            await self.service.order(after)

    async def _let_go(self, replay_id: str, holder: str) -> None:
        """Give up the turn at a slice that cannot be gone on with now; when that fails too, it ends by its time."""
        try:
            kept = await self.store.get(replay_id)
            if kept is not None and kept.replay.holder == holder:
                await self.store.step(kept, kept.replay.with_(holder=None, held_until=None))
        except (StorageError, ReplayChangedError) as error:
            _log.info("replay.heldOn", replay=replay_id, reason=type(error).__name__)

    async def _later(self, order: SliceOrder, seconds: float) -> None:
        await self.queue.send(order.model_dump_json(by_alias=True), delay_seconds=seconds)

    def _entry(self, replay: Replay, action: str, detail: str = "") -> AuditEntry:
        return AuditEntry(at=self.clock.now(), actor=_JOB, action=action, ticket=replay.request.ticket, detail=detail)


def _verdict(replay: Replay) -> tuple[ReplayState, str] | None:
    """Return how a replay ends now and why, or None while it goes on."""
    failed = replay.counts.rejected_again
    if failed >= replay.request.stop_after_failures:
        return ReplayState.STOPPED, f"{failed} failed again"
    if replay.state is ReplayState.CANARY and failed:
        return ReplayState.STOPPED, "the canary failed again"
    if replay.counts.waiting == 0:
        return ReplayState.COMPLETED, ""
    return None
