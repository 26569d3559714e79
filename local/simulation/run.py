"""One run: everything that one seed decides, from the first request to the audit."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lib.messaging.catalogue import ALL_QUEUES
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Write
from lib.wiring import ALL_TABLES
from local.mainframe.memory import MemoryMainframe
from local.simulation.activity import Activities, Instance
from local.simulation.audit import Audit
from local.simulation.clients import Clients, Outcome
from local.simulation.feed import Feed
from local.simulation.fleet import Fleet
from local.simulation.network import Event, Network
from local.simulation.operators import Operators
from local.simulation.plan import Fault, Plan
from local.simulation.road import Road
from local.simulation.timeline import InstanceClock, VirtualLoop
from local.simulation.wires import WiredStorage, Witness

_REST_WITHIN_SECONDS = 4 * 3600.0
_LOOK_EVERY_SECONDS = 5.0
_ENDING_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run showed. `digest` is that of its whole trace: equal digests, equal runs."""

    seed: int
    broken: tuple[str, ...]
    fired: Counter[tuple[Fault, str]]
    outcomes: Counter[Outcome]
    digest: str
    plan: Plan
    events: tuple[Event, ...]


def run_seed(seed: int, *, plan: Plan | None = None) -> Verdict:
    """Run one seed and audit it. The same seed gives the same run, event by event."""
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    plan = plan or Plan.draw(random)
    loop = VirtualLoop()
    room = logging.getLogger("platform")
    level = room.level
    room.setLevel(logging.CRITICAL)
    try:
        return loop.run_until_complete(_run(seed, plan, random, loop))
    finally:
        room.setLevel(level)
        loop.run_until_complete(_end_all())
        loop.close()


async def _end_all() -> None:
    # A task that is cancelled cancels those it waits for first, and ends a round later.
    for _ in range(_ENDING_ROUNDS):
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)


async def _run(seed: int, plan: Plan, random: Random, loop: VirtualLoop) -> Verdict:
    clock = InstanceClock(loop)
    storage = MemoryStorage(clock, tables=ALL_TABLES, queues=ALL_QUEUES, seed=seed)
    activities = Activities(loop)

    def crashed(instance: Instance) -> None:
        fleet.crashed(instance)
        audit.sample()

    def wrote(table: str, partition: str, writes: Sequence[Write]) -> None:
        audit.wrote(table, partition, writes)

    def sent(queue: str) -> None:
        fleet.sent(queue)

    network = Network(plan, random, loop, activities, on_crash=crashed)
    road = Road(network, MemoryMainframe(), seed)
    fleet = Fleet(
        network, activities, storage, WiredStorage(storage, network, Witness(wrote, sent)), road, random, clock
    )
    clients = Clients(fleet, random)
    operators = Operators(fleet, clients, random)
    feed = Feed(clients, random)
    audit = Audit(fleet, clients, operators, feed)
    fleet.begin()
    people = [loop.create_task(each.run()) for each in (clients, operators, feed)]

    async def rest() -> None:
        until = loop.time() + _REST_WITHIN_SECONDS
        while not (all(one.done() for one in people) and network.over and fleet.idle) and loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY_SECONDS if loop.time() < plan.calm_at else 4 * _LOOK_EVERY_SECONDS)
            audit.sample()

    await rest()
    await asyncio.gather(*people)
    await operators.finish(rest)
    audit.conclude()
    return Verdict(
        seed=seed,
        broken=tuple(audit.broken),
        fired=network.fired,
        outcomes=Counter(attempt.outcome for attempt in clients.attempts),
        digest=_digest(network.events),
        plan=plan,
        events=tuple(network.events),
    )


def _digest(events: list[Event]) -> str:
    digest = hashlib.sha256()
    for event in events:
        digest.update(f"{event.at:.6f} {event.who} {event.what}\n".encode())
    return digest.hexdigest()
