"""Replays are paused, resumed and cancelled by people, and watched by a timer."""

import pytest

from lib.failures.models import FailureFilter, FailureState
from lib.replays.models import ReplayState
from lib.replays.service import ReplayMoveError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import quiet
from tests.failures.test_failures import listed
from tests.replays.support import adds_up, rejected, request, run


class TestSteering:
    async def test_pause_stops_sending_and_resume_goes_on(self, world: World) -> None:
        await rejected(world, 20)
        started = await world.platform.replays.start(request(ratePerSecond=1, canary=0), actor="ops")
        await world.settle(seconds=4)
        await world.platform.replays.pause(replay_id=started.id, actor="ops")
        await world.settle(seconds=5)
        paused = await world.platform.replays.read(replay_id=started.id)
        await world.settle(seconds=60)
        still = await world.platform.replays.read(replay_id=started.id)
        await world.platform.replays.resume(replay_id=started.id, actor="ops")

        ended = await run(world, started.id, watch=adds_up)

        assert paused.state is still.state is ReplayState.PAUSED
        assert still.sent == paused.sent < 20
        assert ended.counts.replayed == 20

    async def test_cancel_leaves_what_was_not_sent_open(self, world: World) -> None:
        await rejected(world, 20)
        started = await world.platform.replays.start(request(ratePerSecond=1, canary=0), actor="ops")
        await world.settle(seconds=5)

        cancelled = await world.platform.replays.cancel(replay_id=started.id, actor="ops")
        await world.settle(seconds=30)

        opened, resolved = await listed(world), await listed(world, FailureFilter(state=FailureState.RESOLVED))
        assert cancelled.state is ReplayState.CANCELLED
        assert len(opened) + len(resolved) == 20
        assert len(opened) >= cancelled.counts.waiting - 3
        with pytest.raises(ReplayMoveError):
            await world.platform.replays.resume(replay_id=started.id, actor="ops")

    async def test_cancel_in_the_middle_of_a_slice_leaves_no_failure_behind(self, world: World) -> None:
        await rejected(world, 20)
        started = await world.platform.replays.start(request(canary=0), actor="ops")
        sends: list[str] = []

        async def cancel(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates.send", When.BEFORE):
                sends.append(point)
                if len(sends) == 5:
                    await world.platform.replays.cancel(replay_id=started.id, actor="lead")

        world.tap = cancel
        await world.settle(seconds=6)
        world.tap = quiet
        await world.settle(seconds=60)
        await world.import_poison()

        cancelled = await world.platform.replays.read(replay_id=started.id)
        adds_up(cancelled)
        assert cancelled.state is ReplayState.CANCELLED
        assert await listed(world, FailureFilter(state=FailureState.REPLAYING)) == []
        again = await world.platform.replays.start(request(ticket="OPS-2"), actor="ops")
        assert (await run(world, again.id)).state is ReplayState.COMPLETED
        assert await listed(world) == []

    async def test_every_step_is_in_the_audit_with_who_and_the_ticket(self, world: World) -> None:
        await rejected(world, 2)
        started = await world.platform.replays.start(request(), actor="m.okafor")
        await world.platform.replays.pause(replay_id=started.id, actor="lead")
        world.clock.advance(1)
        await world.platform.replays.resume(replay_id=started.id, actor="lead")
        await run(world, started.id)

        steps = await world.platform.replays.audit(replay_id=started.id)

        assert [(step.actor, step.action) for step in steps] == [
            ("m.okafor", "requested"),
            ("lead", "paused"),
            ("lead", "resumed"),
            ("replay-job", "selected"),
            ("replay-job", "canaryPassed"),
            ("replay-job", "completed"),
        ]
        assert {step.ticket for step in steps} == {"OPS-1"}


class TestWatch:
    async def test_wakes_a_replay_whose_message_was_lost(self, world: World) -> None:
        await rejected(world, 5)
        started = await world.platform.replays.start(request(ratePerSecond=1), actor="ops")
        await world.settle(seconds=4)
        queue = world.storage.queue("replay-requests")
        world.clock.advance(60)
        for message in await queue.receive(32, lease_seconds=60):
            await queue.delete(message)

        early = await world.platform.replays.watch()
        world.clock.advance(16 * 60)
        woken = await world.platform.replays.watch()

        assert (early, woken) == (False, True)
        assert (await run(world, started.id)).counts.replayed == 5

    async def test_leaves_a_paused_one_alone(self, world: World) -> None:
        await rejected(world, 5)
        started = await world.platform.replays.start(request(), actor="ops")
        await world.platform.replays.pause(replay_id=started.id, actor="ops")
        world.clock.advance(3600)

        assert not await world.platform.replays.watch()

    async def test_closes_one_whose_end_was_cut_off(self, world: World) -> None:
        await rejected(world, 5)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        started = await world.platform.replays.start(request(canary=0), actor="ops")
        await world.settle(seconds=6)
        kept = await world.platform.replays.store.get(started.id)
        assert kept is not None
        ended = kept.replay.with_(state=ReplayState.CANCELLED, looked_to=0)
        await world.platform.replays.store.step(kept, ended)
        queue = world.storage.queue("replay-requests")
        world.clock.advance(60)
        for message in await queue.receive(32, lease_seconds=60):
            await queue.delete(message)
        world.clock.advance(16 * 60)

        assert await world.platform.replays.watch()

        await world.settle(seconds=10)
        assert await listed(world, FailureFilter(state=FailureState.REPLAYING)) == []
        assert await world.platform.replays.store.turn() is None
