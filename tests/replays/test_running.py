"""Replays: selected once, sent behind a canary, with progress that adds up, safe to repeat."""

import pytest

from lib.failures.models import FailureFilter, FailureState
from lib.replays.models import ReplayState, SliceOrder
from lib.replays.service import ReplayRunningError
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend
from tests.failures.test_failures import listed
from tests.replays.support import adds_up, rejected, request, run


class TestRun:
    async def test_delivers_everything_and_its_counts_add_up_at_every_moment(self, world: World) -> None:
        customers = await rejected(world, 45)

        started = await world.platform.replays.start(request(), actor="ops")
        ended = await run(world, started.id, watch=adds_up)

        assert ended.state is ReplayState.COMPLETED
        assert ended.counts.replayed == 45
        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers)
        assert await listed(world) == []
        assert len(await listed(world, FailureFilter(state=FailureState.RESOLVED))) == 45

    async def test_keeps_its_rate(self, world: World) -> None:
        await rejected(world, 20)
        sent: list[int] = []

        started = await world.platform.replays.start(request(ratePerSecond=1, canary=0), actor="ops")
        await run(world, started.id, seconds=10, watch=lambda replay: sent.append(replay.sent))

        assert sent[-1] <= 12
        assert sent[-1] >= 6

    async def test_superseded_versions_are_skipped_and_counted(self, world: World) -> None:
        customers = await rejected(world, 3)
        world.mainframe.behave = lambda key, _version: Behaviour.BUSY if key == customers[0] else Behaviour.ANSWER
        await amend(world, customers[0], 1)

        started = await world.platform.replays.start(request(canary=0), actor="ops")
        ended = await run(world, started.id)

        assert (ended.counts.superseded, ended.counts.replayed) == (1, 2)

    async def test_stops_behind_a_canary_that_fails_again(self, world: World) -> None:
        await rejected(world, 10)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        calls = world.mainframe.calls

        started = await world.platform.replays.start(request(canary=2), actor="ops")
        ended = await run(world, started.id, watch=adds_up)

        assert ended.state is ReplayState.STOPPED
        assert 1 <= world.mainframe.calls - calls <= 2
        assert len(await listed(world)) == 10

    async def test_stops_when_too_many_fail_again(self, world: World) -> None:
        customers = await rejected(world, 30)
        good = customers[-1]
        world.mainframe.behave = lambda key, _version: Behaviour.ANSWER if key == good else Behaviour.REJECT

        started = await world.platform.replays.start(
            request(canary=0, stopAfterFailures=4, ratePerSecond=2), actor="ops"
        )
        ended = await run(world, started.id, watch=adds_up)

        assert ended.state is ReplayState.STOPPED
        assert 4 <= ended.counts.rejected_again <= 10
        assert ended.counts.waiting > 0

    async def test_counts_how_often_each_failure_was_replayed(self, world: World) -> None:
        await rejected(world, 1)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        for ticket in ("A", "B"):
            started = await world.platform.replays.start(request(ticket=ticket), actor="ops")
            await run(world, started.id)

        failure = (await listed(world))[0]

        assert failure["replays"] == 2
        assert failure["state"] is FailureState.OPEN

    async def test_opens_what_failed_again_although_the_clock_that_tells_it_is_behind(self, world: World) -> None:
        await rejected(world, 1)
        world.clock.advance(-600)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        started = await world.platform.replays.start(request(), actor="ops")
        ended = await run(world, started.id)

        assert ended.counts.rejected_again == 1
        assert [failure["state"] for failure in await listed(world)] == [FailureState.OPEN]

    async def test_goes_on_from_what_could_not_be_sent(self, world: World) -> None:
        customers = await rejected(world, 30)
        refused: list[str] = []
        sends = 0

        async def refuse(point: str, when: When) -> None:
            nonlocal sends
            if (point, when) == ("mainframe-updates.send", When.BEFORE) and world.running == "replay-requests":
                sends += 1
                if sends % 4 == 3 and len(refused) < 3:
                    refused.append(point)
                    raise StorageUnavailableError

        started = await world.platform.replays.start(request(canary=0), actor="ops")
        world.tap = refuse
        ended = await run(world, started.id, seconds=20, watch=adds_up)

        assert len(refused) == 3
        assert (ended.state, ended.counts.replayed) == (ReplayState.COMPLETED, 30)
        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers)

    async def test_of_chosen_failures_takes_only_those(self, world: World) -> None:
        await rejected(world, 5)
        chosen = [str(failure["id"]) for failure in await listed(world)][:2]

        started = await world.platform.replays.start(request(filter=None, failureIds=chosen), actor="ops")
        ended = await run(world, started.id)

        assert ended.counts.selected == 2
        assert len(await listed(world)) == 3


class TestAgain:
    async def test_the_same_request_twice_is_one_replay(self, world: World) -> None:
        await rejected(world, 3)

        first = await world.platform.replays.start(request(), actor="ops")
        second = await world.platform.replays.start(request(), actor="ops")
        ended = await run(world, first.id)
        third = await world.platform.replays.start(request(), actor="ops")

        assert first.id == second.id == third.id
        assert third.state is ReplayState.COMPLETED
        assert ended.counts.selected == 3

    async def test_the_same_request_after_a_stopped_replay_is_another_one_when_a_person_asks(
        self, world: World
    ) -> None:
        await rejected(world, 3)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        first = await world.platform.replays.start(request(), actor="ops", anew=True)
        assert (await run(world, first.id)).state is ReplayState.STOPPED
        await world.import_poison()
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER

        dropped = await world.platform.replays.start(request(), actor="ops")
        second = await world.platform.replays.start(request(), actor="ops", anew=True)
        ended = await run(world, second.id)
        third = await world.platform.replays.start(request(), actor="ops", anew=True)

        assert (dropped.id, dropped.state) == (first.id, ReplayState.STOPPED)
        assert second.id != first.id
        assert (ended.state, ended.counts.replayed) == (ReplayState.COMPLETED, 3)
        assert third.id == second.id

    async def test_a_full_replay_twice_changes_nothing_at_the_mainframe(self, world: World) -> None:
        customers = await rejected(world, 5)
        started = await world.platform.replays.start(request(), actor="ops")
        await run(world, started.id)
        journal = [world.mainframe.applied(customer_id) for customer_id in customers]

        again = await world.platform.replays.start(request(requestId="again"), actor="ops")
        ended = await run(world, again.id)

        assert ended.counts.selected == 0
        assert [world.mainframe.applied(customer_id) for customer_id in customers] == journal

    async def test_two_never_run_at_once(self, world: World) -> None:
        await rejected(world, 30)
        first = await world.platform.replays.start(request(ratePerSecond=1), actor="ops")

        with pytest.raises(ReplayRunningError):
            await world.platform.replays.start(request(ticket="OPS-2"), actor="ops")
        await world.platform.replays.cancel(replay_id=first.id, actor="ops")
        second = await world.platform.replays.start(request(ticket="OPS-2"), actor="ops")

        assert (await run(world, second.id)).state is ReplayState.COMPLETED

    async def test_a_turn_taken_by_a_request_that_died_is_free_again(self, world: World) -> None:
        await rejected(world, 1)
        await world.platform.replays.store.take_turn("rpl_00000000000000000000000000", now=world.clock.now())
        with pytest.raises(ReplayRunningError):
            await world.platform.replays.start(request(), actor="ops")
        world.clock.advance(600)

        started = await world.platform.replays.start(request(), actor="ops")

        assert (await run(world, started.id)).state is ReplayState.COMPLETED

    async def test_goes_on_after_a_crash_in_the_middle_of_a_slice(self, world: World) -> None:
        customers = await rejected(world, 40)
        crashes = iter([3, 9, 17])
        seen, following = 0, next(crashes)

        async def crash(point: str, when: When) -> None:
            nonlocal seen, following
            if (point, when) == ("replays.write", When.AFTER):
                seen += 1
                if seen == following:
                    following = next(crashes, -1)
                    raise RuntimeError("killed")

        started = await world.platform.replays.start(request(canary=0), actor="ops")
        world.tap = crash
        ended = await run(world, started.id, seconds=400, watch=adds_up)

        assert ended.state is ReplayState.COMPLETED
        assert ended.counts.replayed == 40
        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers)

    async def test_a_duplicated_slice_message_sends_nothing_while_the_slice_is_at_work(self, world: World) -> None:
        await rejected(world, 20)
        started = await world.platform.replays.start(request(canary=0), actor="ops")
        sends: list[str] = []

        async def duplicate(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates.send", When.BEFORE):
                sends.append(point)
                if len(sends) == 3:
                    kept = await world.platform.replays.store.get(started.id)
                    assert kept is not None
                    order = SliceOrder(replay_id=started.id, slice_number=kept.replay.slice_number)
                    await world.platform.replay_runner.take(order.model_dump_json(by_alias=True))

        world.tap = duplicate
        ended = await run(world, started.id)

        assert ended.counts.replayed == len(sends) == 20

    async def test_a_duplicated_slice_message_does_not_double_the_rate(self, world: World) -> None:
        await rejected(world, 20)
        started = await world.platform.replays.start(request(ratePerSecond=1, canary=0), actor="ops")
        queue = world.storage.queue("replay-requests")
        for body in await queue.peek(32):
            for _ in range(3):
                await queue.send(body)

        sent: list[int] = []
        await run(world, started.id, seconds=10, watch=lambda replay: sent.append(replay.sent))

        assert sent[-1] <= 12
