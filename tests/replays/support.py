"""Failures to replay, and a replay followed to its end."""

from collections.abc import Callable

from lib.replays.models import ENDED, Replay, ReplayRequest
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import create


def request(**fields: object) -> ReplayRequest:
    return ReplayRequest.model_validate(
        {"filter": {}, "reason": "mended", "ticket": "OPS-1", "requestedBy": "ops", "ratePerSecond": 20, **fields}
    )


async def rejected(world: World, number: int) -> list[str]:
    customers = [await create(world) for _ in range(number)]
    world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
    await world.settle(seconds=20)
    for _ in range(number // 32 + 1):
        await world.import_poison()
    world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
    return customers


async def run(
    world: World, replay_id: str, *, seconds: int = 300, watch: Callable[[Replay], None] | None = None
) -> Replay:
    for _ in range(seconds):
        await world.settle(seconds=1)
        await world.import_poison()
        replay = await world.platform.replays.read(replay_id=replay_id)
        if watch:
            watch(replay)
        if replay.state in ENDED:
            return replay
    return await world.platform.replays.read(replay_id=replay_id)


def adds_up(replay: Replay) -> None:
    counts = replay.counts
    assert counts.selected == counts.replayed + counts.superseded + counts.rejected_again + counts.waiting
