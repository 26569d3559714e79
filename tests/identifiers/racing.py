"""Many create at once for one external id while storage, processes and clocks fail; a seed decides everything."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from lib.changes.operation import Operation, fingerprint_of
from lib.customers.claims import Claims, IdentifierTakenError
from lib.customers.models import CustomerDetails, ExternalId
from lib.customers.rules import identifiers_of
from lib.customers.store import kept_from
from lib.customers.upsert import Condition
from lib.errors import UnavailableError
from lib.messaging.catalogue import ALL_QUEUES
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Delete, Row, Write
from lib.wiring import ALL_TABLES, Platform
from local.mainframe.memory import MemoryMainframe
from local.simulation.activity import Activities, Instance
from local.simulation.fleet import Fleet
from local.simulation.network import Network
from local.simulation.plan import APPLICABLE, Focus, Plan, Sort
from local.simulation.road import Road
from local.simulation.timeline import InstanceClock, VirtualLoop
from local.simulation.wires import WiredStorage, Witness

_CALM_AT = 25.0
_ATTEMPTS = 5
_PATIENCE_SECONDS = 30.0
_POINTS = ("identifiers.write", "identifiers.get", "customers.commit", "customers.get", "customers.fence")


@dataclass
class Races:
    """What became of the races of one seed: who won each, and what was broken."""

    broken: list[str] = field(default_factory=list[str])
    winners: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    refused: int = 0
    fired: int = 0
    _held: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def wrote(self, table: str, partition: str, writes: Sequence[Write]) -> None:
        """Look at every profile at the instant at which it is written."""
        for write in writes:
            if table != "customers" or write.key != "profile" or isinstance(write, Delete):
                continue
            kept = kept_from(Row(partition, write.key, write.values, ""))
            held = identifiers_of(kept.customer()) if kept.version else frozenset[str]()
            for other, theirs in self._held.items():
                if other != partition and held & theirs:
                    self.broken.append(f"{partition} and {other} both hold {sorted(held & theirs)}")
            self._held[partition] = held

    def conclude(self, ids: Sequence[str]) -> None:
        """Look at everything once nothing moves any more."""
        for external_id in ids:
            holders = {one for one, held in self._held.items() if f"external:race:{external_id}" in held}
            if len(holders) != 1:
                self.broken.append(f"{external_id} belongs to {len(holders)}")
            # Nobody may have been answered: the winner's answer was lost, and it did not dare to ask again.
            if not self.winners[external_id] <= holders:
                self.broken.append(f"{external_id}: {self.winners[external_id]} were answered, {holders} hold it")


def race(seed: int, *, races: int, weaken: Callable[[Claims], Claims] | None = None) -> Races:
    """Run so many races at once under the faults of a seed."""
    loop = VirtualLoop()
    room = logging.getLogger("platform")
    level = room.level
    room.setLevel(logging.CRITICAL)
    try:
        return loop.run_until_complete(_race(Random(seed), loop, races, weaken))  # noqa: S311 - to be repeated
    finally:
        room.setLevel(level)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _race(random: Random, loop: VirtualLoop, races: int, weaken: Callable[[Claims], Claims] | None) -> Races:
    clock = InstanceClock(loop)
    storage = MemoryStorage(clock, tables=ALL_TABLES, queues=ALL_QUEUES, seed=random.randrange(10**6))
    activities, told = Activities(loop), Races()

    def crashed(instance: Instance) -> None:
        fleet.crashed(instance)

    def sent(queue: str) -> None:
        fleet.sent(queue)

    network = Network(_plan(random), random, loop, activities, on_crash=crashed)
    wired = WiredStorage(storage, network, Witness(told.wrote, sent))
    fleet = Fleet(network, activities, storage, wired, Road(network, MemoryMainframe(), 0), random, clock)
    fleet.begin()
    ids = [f"R{number}" for number in range(races)]
    rivals = Rivals(fleet, random, told, weaken)
    names = [(one, f"{one}.{rival}") for one in ids for rival in range(random.choice((2, 2, 3)))]
    await asyncio.gather(*(rivals.insist(external_id, name) for external_id, name in names))
    await asyncio.sleep(max(0.0, _CALM_AT - loop.time()))
    # When all is calm, the last ones come late: they win what nobody won, and are told of the others.
    await asyncio.gather(*(rivals.insist(one, f"{one}.late") for one in ids))
    told.conclude(ids)
    told.fired = sum(network.fired.values())
    return told


@dataclass
class Rivals:
    """Those who want an external id, and how they ask for it."""

    fleet: Fleet
    random: Random
    told: Races
    weaken: Callable[[Claims], Claims] | None

    async def insist(self, external_id: str, name: str) -> None:
        """Try until there is an answer, with a key at most times, as careful clients do."""
        await asyncio.sleep(self.random.random() * 3)
        keyed, work = self.random.random() < 0.7, _stated if self.random.random() < 0.3 else _created
        for number in range(_ATTEMPTS):
            operation = _operation(name, number, keyed=keyed)
            outcome = await self._ask(name, lambda platform, asked=operation: work(platform, external_id, asked))
            if isinstance(outcome, str):
                self.told.winners[external_id].add(outcome)
                return
            if isinstance(outcome, IdentifierTakenError) and outcome.settled:
                self.told.refused += 1
                return
            if not keyed and not isinstance(outcome, Exception):
                return  # killed: without a key nobody dares to repeat it
            await asyncio.sleep(self.random.random() * 8)

    async def _ask(self, name: str, work: Callable[[Platform], Awaitable[str]]) -> object:
        instance = self.fleet.pick()
        if instance is None:
            return UnavailableError("every process is dead")
        _weaken(instance, self.weaken)
        activity = self.fleet.activities.start(f"{name}@{instance.name}", instance, lambda: work(instance.platform))
        patience = self.fleet.network.loop.call_later(_PATIENCE_SECONDS, activity.end, None)
        outcome = await activity.outcome
        patience.cancel()
        return outcome


async def _created(platform: Platform, external_id: str, operation: Operation) -> str:
    details = CustomerDetails.model_validate(
        {"lastName": "L", "phone": "+442071838750", "externalIds": [{"system": "race", "id": external_id}]}
    )
    return (await platform.customers.create(details=details, operation=operation)).entity_id


async def _stated(platform: Platform, external_id: str, operation: Operation) -> str:
    details = CustomerDetails.model_validate({"lastName": "L", "phone": "+442071838750"})
    put = await platform.customer_upserts.put(
        external_id=ExternalId(system="race", id=external_id),
        details=details,
        condition=Condition(),
        operation=operation,
    )
    return put.answer.entity_id


def _operation(name: str, number: int, *, keyed: bool) -> Operation:
    attempt = f"att_{name}_{number}"
    return Operation(
        name="race",
        id=f"opr_{name}" if keyed else attempt,
        attempt=attempt,
        actor="race",
        fingerprint=fingerprint_of(name) if keyed else None,
    )


def _weaken(instance: Instance, weaken: Callable[[Claims], Claims] | None) -> None:
    """Build the platform of an instance with other claims, once."""
    parts = instance.platform.__dict__
    if weaken is not None and "_claims" not in parts:
        parts["_claims"] = weaken(instance.platform._claims)


def _plan(random: Random) -> Plan:
    """Return faults that hit claims: refusals, lost replies, late arrivals, conflicts with oneself, pauses, kills."""
    faults = list(dict.fromkeys((*APPLICABLE[Sort.WRITE], *APPLICABLE[Sort.READ])))
    window = random.choice((4.0, 8.0))
    point = random.choice(_POINTS)
    sort = Sort.READ if point.endswith(".get") else Sort.WRITE
    return Plan(
        rates={fault: random.choice((0.01, 0.03, 0.06)) for fault in faults if random.random() < 0.5},
        focus=Focus(point, random.choice(APPLICABLE[sort]), random.choice((0.1, 0.3))),
        windows=(),
        reject_one_in=0,
        instances=2,
        skews_seconds=(0.0, random.choice((0.0, 0.0, 0.5))),
        writers=0,
        calm_at=_CALM_AT,
        pause_seconds=random.choice((0.5, 2.0)) * window,
        lease_seconds=30.0,
        commit_window_seconds=window,
        max_attempts=50,
    )
