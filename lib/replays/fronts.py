"""The two fronts of a replay: what is sent next, and what of the sent has its outcome.

Both stand in the replay's row, so a slice begins where the last one ended, however many failures were selected. Each
step moves a front, the items it passed and the counts in one transaction: they add up at every look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lib.clock import Clock
from lib.replays.items import Items
from lib.replays.models import ItemState, Replay, ReplayItem
from lib.replays.pace import allowance
from lib.replays.store import AT_ONCE, KeptItem, KeptReplay, ReplayStore
from lib.replays.together import each, raise_first
from lib.storage.ports import Row

_LOOKS: Final = 10
_FRUITLESS_LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Fronts:
    """Moves the fronts of a replay. Each step makes its holder's time begin again."""

    store: ReplayStore
    items: Items
    clock: Clock
    lease_seconds: float

    async def look(self, kept: KeptReplay) -> KeptReplay:
        """Take up the outcomes of what was sent: some of it, going on where the last look ended.

        Raises:
            ReplayChangedError: somebody steered the replay, or took it over.
            ItemContendedError, StorageError: what was found before is kept.
        """
        fruitless = 0
        around = False
        for _ in range(_LOOKS):
            if around or not kept.replay.unanswered or fruitless == _FRUITLESS_LOOKS:
                break
            before = kept.replay.counts
            kept, around = await self._look(kept)
            fruitless += kept.replay.counts == before
        return kept

    async def send(self, kept: KeptReplay, until_seconds: float) -> KeptReplay:
        """Send what is due now, in order; what takes longer than so many seconds is left to the next slice.

        Raises:
            ReplayChangedError: somebody steered the replay, or took it over.
            ItemContendedError, StorageError: what was sent before is kept.
        """
        began_at = self.clock.now()
        due_to = kept.replay.sent + allowance(kept.replay, began_at)
        while kept.replay.sent < due_to and self.clock.now() - began_at < timedelta(seconds=until_seconds):
            kept = await self._send(kept, min(due_to, kept.replay.sent + AT_ONCE))
        return kept

    async def _send(self, kept: KeptReplay, end: int) -> KeptReplay:
        replay = kept.replay
        due = await self.store.items(replay.id, from_number=replay.sent, below=end)

        async def send(one: KeptItem) -> ItemState:
            return await self.items.send(one.item.failure_id, replay)

        results = await each(due, send)
        # The front passes only what was sent without a gap; what was sent beyond one is sent again, which does no harm.
        became = list[ItemState]()
        for result in results:
            if not isinstance(result, ItemState):
                break
            became.append(result)
        now = self.clock.now()
        items = [
            (one.item.model_copy(update={"state": state, "sent_at": now}), one.row)
            for one, state in zip(due, became, strict=False)
        ]
        kept = await self._step(kept, replay.with_(sent=replay.sent + len(items)), items)
        raise_first(results)
        return kept

    async def _look(self, kept: KeptReplay) -> tuple[KeptReplay, bool]:
        replay = kept.replay
        found, following = await self.store.unsettled(replay.id, from_number=replay.looked_to, below=replay.sent)

        async def outcome(one: KeptItem) -> ItemState:
            return await self.items.outcome(one.item.failure_id)

        results = await each(found, outcome)
        items = list[tuple[ReplayItem, Row | None]]()
        first_open: int | None = None
        for one, became in zip(found, results, strict=True):
            if isinstance(became, ItemState) and became.settled:
                items.append((one.item.model_copy(update={"state": became}), one.row))
            elif first_open is None:
                first_open = one.item.number
        settled_to = replay.settled_to
        if replay.looked_to == settled_to:
            settled_to = following if first_open is None else first_open
        around = following >= replay.sent
        looked_to = settled_to if around else following
        kept = await self._step(kept, replay.with_(settled_to=settled_to, looked_to=looked_to), items)
        raise_first(results)
        return kept, around

    async def _step(
        self, kept: KeptReplay, after: Replay, items: Sequence[tuple[ReplayItem, Row | None]]
    ) -> KeptReplay:
        now = self.clock.now()
        passed = [item.state for item, _ in items if item.state.settled]
        after = after.with_(
            counts=after.counts.moved(passed), held_until=now + timedelta(seconds=self.lease_seconds), updated_at=now
        )
        return await self.store.step(kept, after, items=items)
