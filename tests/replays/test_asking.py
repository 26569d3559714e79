"""What a replay would do, and requests that operations drop on its queue."""

import json

import pytest

from lib.replays.models import ReplayState
from local.faults.taps import When
from local.simulation.world import World
from tests.delivery.support import amend, quiet
from tests.replays.support import rejected, request, run


class TestDryRun:
    async def test_tells_how_many_and_which_and_sends_nothing(self, world: World) -> None:
        customers = await rejected(world, 6)
        await amend(world, customers[0], 1)
        calls: list[str] = []

        async def listen(point: str, when: When) -> None:
            if when is When.AFTER and not point.endswith((".get", ".page")):
                calls.append(point)

        world.tap = listen
        found = await world.platform.replays.dry_run(request(dryRun=True))
        world.tap = quiet

        assert (found.selected, found.superseded, found.would_send) == (6, 1, 5)
        assert {item.entity_id for item in found.sample} == set(customers)
        assert calls == []


class TestQueue:
    async def test_a_request_dropped_on_the_queue_is_the_same_replay(self, world: World) -> None:
        await rejected(world, 3)
        body = request().model_dump_json(by_alias=True, exclude_none=True)

        await world.storage.queue("replay-requests").send(body)
        await world.storage.queue("replay-requests").send(body)
        ended = await run(world, world.platform.replays.id_of(request()))

        assert (ended.state, ended.counts.replayed) == (ReplayState.COMPLETED, 3)

    @pytest.mark.parametrize("body", ["garbage", "{}", json.dumps({"filter": {}, "reason": "x"})])
    async def test_garbage_on_the_queue_raises_so_that_it_is_listed(self, world: World, body: str) -> None:
        with pytest.raises(Exception, match="not a request for a replay"):
            await world.platform.replay_runner.take(body)
