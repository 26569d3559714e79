"""The end of a replay: what it still held is given back, and then the next one may run.

Done a piece at a time, from a cursor that is kept, so that whoever comes can go on with it: the slice that ended the
replay, the message of a slice that died, the request that cancels it, or the next that wants its turn.
"""

from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.replays.items import Items
from lib.replays.models import ENDED, ItemState, Replay
from lib.replays.store import AT_ONCE, KeptItem, KeptReplay, ReplayStore
from lib.replays.together import each, raise_first

_PIECES: Final = 10


@dataclass(frozen=True, slots=True)
class Closing:
    """Gives back what ended replays held."""

    store: ReplayStore
    items: Items
    clock: Clock

    async def finish(self, kept: KeptReplay) -> bool:
        """Give back what a replay that has ended still holds, and let the next one run.

        Returns False when there is more to give back than fits one go, or somebody is still at work on it.

        Raises:
            ReplayChangedError: somebody else does it too.
            ItemContendedError, StorageError: it can be gone on with.
        """
        replay = kept.replay
        turn = await self.store.turn()
        if replay.state not in ENDED or turn is None or turn.replay_id != replay.id:
            return replay.state in ENDED
        if replay.held(self.clock.now()):
            return False
        for _ in range(_PIECES):
            # Beyond the front stands what a slice may have claimed that died before it could keep that.
            end = min(kept.replay.counts.selected, kept.replay.sent + AT_ONCE)
            if kept.replay.looked_to >= end:
                await self.store.end_turn(replay.id)
                return True
            kept = await self._piece(kept, end)
        return False

    async def _piece(self, kept: KeptReplay, end: int) -> KeptReplay:
        replay = kept.replay
        found, following = await self.store.unsettled(replay.id, from_number=replay.looked_to, below=end)

        async def give_back(one: KeptItem) -> ItemState:
            return await self.items.give_back(one.item, replay)

        results = await each(found, give_back)
        raise_first(results)
        settled = [
            (one, became)
            for one, became in zip(found, results, strict=True)
            if isinstance(became, ItemState) and became.settled
        ]
        after = replay.with_(
            counts=replay.counts.moved(became for _, became in settled),
            looked_to=following,
            updated_at=self.clock.now(),
        )
        items = [(one.item.model_copy(update={"state": became}), one.row) for one, became in settled]
        return await self.store.step(kept, after, items=items)


def ended(replay: Replay, **fields: object) -> Replay:
    """Return a replay that ends now, to be closed from the first item without an outcome on."""
    return replay.with_(looked_to=replay.settled_to if replay.counts.waiting else replay.counts.selected, **fields)
