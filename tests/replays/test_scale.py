"""Many at a time: the rate is kept, a slice costs the same however many are selected, a crash anywhere is made good."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from lib.failures.models import FailureFilter, FailureState
from lib.mainframe.status import DeliveryStatusState
from lib.replays.models import Replay, ReplayState
from lib.replays.store import REPLAYS_TABLE
from lib.storage.documents import joined
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, quiet, state_of
from tests.failures.test_failures import listed
from tests.replays.support import adds_up, rejected, request, run

# How long a slice's message can be late: the tick of the world, and what is rounded up.
_TICK_SECONDS = 2.0


class KilledError(Exception):
    """The process is gone: whatever its handlers still try comes to nothing."""


@dataclass
class Sends:
    """When the replay sent how many, by the world's clock."""

    world: World
    at: list[datetime] = field(default_factory=list)

    async def tap(self, point: str, when: When) -> None:
        if (point, when) == ("mainframe-updates.send", When.AFTER):
            self.at.append(self.world.clock.now())

    def most_within(self, seconds: float) -> int:
        """Return the most that was sent in any stretch of so many seconds."""
        times = [moment.timestamp() for moment in self.at]
        return max(sum(start <= other < start + seconds for other in times) for start in set(times))


def kept(world: World, replay_id: str) -> Replay:
    row = next(
        row for row in world.storage.table(REPLAYS_TABLE).rows() if (row.partition, row.key) == (replay_id, "replay")
    )
    return Replay.model_validate_json(joined("document", row.values))


@dataclass
class Calls:
    """The calls of the replay job's handlers; at one of them the process dies, and nothing of it goes on."""

    world: World
    kill_at: int
    waits_for: str = ""
    seen: list[str] = field(default_factory=list)
    _failures: int | None = None

    async def tap(self, point: str, when: When) -> None:
        if self._failures == len(self.world.failures):
            raise KilledError
        self._failures = None
        if self.waits_for and not self._begun():
            return
        if when is When.AFTER and self.world.running == "replay-requests":
            self.seen.append(point)
            if len(self.seen) - 1 == self.kill_at:
                self._failures = len(self.world.failures)
                raise KilledError

    def _begun(self) -> bool:
        rows = self.world.storage.table(REPLAYS_TABLE).rows()
        return any(self.waits_for in str(row.values.get("document", "")) for row in rows if row.key == "replay")


class TestRate:
    async def test_of_a_hundred_a_second_is_kept_within_five_percent(self, world: World) -> None:
        await rejected(world, 1200)
        looks: list[tuple[float, int]] = []
        began: list[datetime] = []

        def look(replay: Replay) -> None:
            adds_up(replay)
            if replay.sent and not began:
                began.append(world.clock.now())
            if began:
                looks.append(((world.clock.now() - began[0]).total_seconds(), replay.sent))

        started = await world.platform.replays.start(request(canary=0, ratePerSecond=100), actor="ops")
        ended = await run(world, started.id, watch=look)

        assert ended.counts.replayed == 1200
        took = next(seconds for seconds, sent in looks if sent == 1200)
        assert 12 * 0.95 - _TICK_SECONDS <= took <= 12 * 1.05
        assert all(sent <= 100 * (seconds + _TICK_SECONDS) for seconds, sent in looks)

    async def test_is_kept_although_every_call_takes_its_time(self, world: World) -> None:
        await rejected(world, 400)
        moments: list[datetime] = []

        async def dawdle(point: str, when: When) -> None:
            if (point, when) == ("failures.write", When.BEFORE):
                world.clock.advance(0.015)  # two writes for each failure: more than half of all time goes there
            if (point, when) == ("mainframe-updates.send", When.AFTER):
                moments.append(world.clock.now())

        started = await world.platform.replays.start(request(canary=0, ratePerSecond=20), actor="ops")
        world.tap = dawdle
        await run(world, started.id, seconds=60)

        took = (moments[-1] - moments[0]).total_seconds()
        assert 400 / 20 * 0.95 - _TICK_SECONDS <= took <= 400 / 20 * 1.05 + _TICK_SECONDS

    @pytest.mark.parametrize("interruption", ["crash", "pause"])
    async def test_is_not_exceeded_after(self, world: World, interruption: str) -> None:
        await rejected(world, 300)
        sends = Sends(world)
        world.tap = sends.tap
        started = await world.platform.replays.start(request(canary=0, ratePerSecond=10), actor="ops")
        await world.settle(seconds=6)
        if interruption == "pause":
            await world.platform.replays.pause(replay_id=started.id, actor="ops")
            await world.settle(seconds=300)
            await world.platform.replays.resume(replay_id=started.id, actor="ops")
        else:

            async def crash(point: str, when: When) -> None:
                await sends.tap(point, when)
                if len(sends.at) > 50:
                    raise KilledError

            world.tap = crash
            await world.settle(seconds=2)
            world.tap = sends.tap
        ended = await run(world, started.id)

        assert ended.counts.replayed == 300
        assert sends.most_within(1.0) <= 10 * _TICK_SECONDS + 1
        assert sends.most_within(10.0) <= 10 * (10 + _TICK_SECONDS) + 1


class TestSlice:
    async def test_reads_the_same_however_many_were_selected(self) -> None:
        async def reads(selected: int) -> int:
            world = await World.build()
            await rejected(world, selected)
            started = await world.platform.replays.start(request(canary=0, ratePerSecond=10), actor="ops")
            while kept(world, started.id).sent < 90:
                await world.settle(seconds=1)
            table = world.storage.table(REPLAYS_TABLE)
            rows: Counter[str] = Counter()
            page = table.page

            async def counted(*args: object, **kwargs: object) -> object:
                found = await page(*args, **kwargs)  # type: ignore[arg-type]
                rows["read"] += len(found.rows)
                return found

            table.page = counted  # type: ignore[method-assign]
            before = kept(world, started.id).slice_number
            await world.settle(seconds=4)
            return rows["read"] // (kept(world, started.id).slice_number - before)

        assert await reads(600) <= await reads(150) + 20

    async def test_that_finds_nothing_new_looks_less_and_less_often(self, world: World) -> None:
        await rejected(world, 5)
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        started = await world.platform.replays.start(request(canary=0), actor="ops")
        await world.settle(seconds=60)

        before = kept(world, started.id).slice_number
        await world.settle(seconds=600)

        assert kept(world, started.id).slice_number - before <= 600 / 15 + 2
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        assert (await run(world, started.id, seconds=600)).counts.replayed == 5

    async def test_of_a_mainframe_that_is_down_sends_no_more_than_a_minutes_worth(self, world: World) -> None:
        await rejected(world, 150)
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE

        started = await world.platform.replays.start(request(canary=0, ratePerSecond=1), actor="ops")
        await world.settle(seconds=400)

        assert kept(world, started.id).sent == 100


class TestCrash:
    async def test_anywhere_in_a_replay_loses_nothing_and_its_counts_add_up(self) -> None:
        calls = await self._calls(-1)
        assert len(calls) > 60

        for number in range(0, len(calls), 2):
            await self._calls(number)

    async def test_anywhere_while_a_stopped_replay_is_closed_gives_everything_back(self) -> None:
        calls = await self._stopped(-1)
        assert len(calls) > 20

        for number in range(len(calls)):
            await self._stopped(number)

    @pytest.mark.parametrize("last_done", ["failures.write", "delivery.settle"])
    async def test_in_the_middle_of_sending_and_a_cancel_leave_nothing_nowhere(
        self, world: World, last_done: str
    ) -> None:
        customers = await rejected(world, 6)
        died: list[str] = []

        async def die(point: str, when: When) -> None:
            if died or ((point, when) == (last_done, When.AFTER) and world.running == "replay-requests"):
                died.append(point)
                raise KilledError

        started = await world.platform.replays.start(request(canary=0), actor="ops")
        world.tap = die
        await world.settle(seconds=4)
        world.tap = quiet
        await world.platform.replays.cancel(replay_id=started.id, actor="lead")
        await world.settle(seconds=200)
        await world.import_poison()

        assert died
        assert await listed(world, FailureFilter(state=FailureState.REPLAYING)) == []
        assert await world.platform.replays.store.turn() is None
        open_ones = {failure["entity_id"] for failure in await listed(world)}
        assert DeliveryStatusState.PENDING not in [await state_of(world, one) for one in customers]
        assert all(world.mainframe.applied(one) == [1] or one in open_ones for one in customers)

    async def _calls(self, kill_at: int) -> list[str]:
        """Replay five failures, one of them superseded, with the process dying at one of its calls."""
        world = await World.build()
        customers = await rejected(world, 5)
        world.mainframe.behave = lambda key, _version: Behaviour.BUSY if key == customers[0] else Behaviour.ANSWER
        await amend(world, customers[0], 1)
        calls = Calls(world, kill_at)

        started = await world.platform.replays.start(request(), actor="ops")
        world.tap = calls.tap
        ended = await run(world, started.id, watch=adds_up)
        await world.settle(seconds=60, tick_seconds=2)
        world.tap = quiet

        about = f"killed at {kill_at} of {calls.seen}"
        assert ended.state is ReplayState.COMPLETED, about
        assert (ended.counts.replayed, ended.counts.superseded) == (4, 1), about
        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers[1:]), about
        assert await world.platform.replays.store.turn() is None, about
        audit = [step.action for step in await world.platform.replays.audit(replay_id=started.id)]
        assert audit == ["requested", "selected", "canaryPassed", "completed"], about
        return calls.seen

    async def _stopped(self, kill_at: int) -> list[str]:
        """Stop a replay behind many that were sent, with the process dying at one of its calls from then on."""
        world = await World.build(breaker_failures=1000)
        customers = await rejected(world, 8)
        world.mainframe.behave = lambda key, _version: Behaviour.REJECT if key in customers[:4] else Behaviour.BUSY
        calls = Calls(world, kill_at, waits_for='"state":"stopped"')

        started = await world.platform.replays.start(request(canary=0, stopAfterFailures=3), actor="ops")
        world.tap = calls.tap
        ended = await run(world, started.id, watch=adds_up)
        await world.settle(seconds=90, tick_seconds=2)
        world.tap = quiet
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await world.settle(seconds=400, tick_seconds=4)
        await world.import_poison()

        about = f"killed at {kill_at} of {calls.seen}"
        assert ended.state is ReplayState.STOPPED, about
        assert await listed(world, FailureFilter(state=FailureState.REPLAYING)) == [], about
        left = await listed(world)
        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers[4:]), about
        assert {failure["entity_id"] for failure in left} <= set(customers[:4]), about
        assert await world.platform.replays.store.turn() is None, about
        return calls.seen
