"""The fleet: instances of the platform on one storage, and the host that hands them messages and timers.

It does what the Functions host does: at least once and in no order, hidden while a handler works, shown again when it
failed or died, poisoned after five tries.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from lib.ids import crockford
from lib.mainframe.undelivered import WaitState
from lib.messaging.catalogue import QueueName
from lib.replays.store import REPLAYS_TABLE
from lib.settings import Settings
from lib.storage.memory import MemoryQueue, MemoryStorage
from lib.storage.ports import Message, Storage
from lib.wiring import Platform
from local.simulation.activity import Activities, Activity, Instance, Killed
from local.simulation.handlers import HANDLED, HEALING, Handler, handler_of, importer_of
from local.simulation.network import Network
from local.simulation.plan import Fault
from local.simulation.road import CALL_SECONDS, CONNECT_SECONDS, Road
from local.simulation.timeline import InstanceClock

_POISON_AFTER = 5
_SHOW_FAILED_AGAIN_SECONDS = 5.0
_BATCH = 16
_SHARE_OF_IDLE_PASSES = 0.02
_LISTENED: Final = tuple(name for queue in HANDLED for name in (queue.value, queue.poison))


@dataclass(frozen=True, slots=True)
class SeededIds:
    """Ids that a seed decides."""

    random: Random

    def new(self, prefix: str) -> str:
        """Return an id that was never made before."""
        return f"{prefix}_{crockford(self.random.getrandbits(128))}"


@dataclass(eq=False)
class Bell:
    """Lets one waiter sleep until a time, or until it is rung."""

    loop: asyncio.AbstractEventLoop
    _waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the waiter."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float | None) -> None:
        """Return after so long, or when it rings."""
        self._waiter = self.loop.create_future()
        timer = None if seconds is None else self.loop.call_later(seconds, self.ring)
        await self._waiter
        if timer is not None:
            timer.cancel()


@dataclass
class Fleet:
    """Everything that runs between the clients and the mainframe."""

    network: Network
    activities: Activities
    storage: MemoryStorage
    wired: Storage
    road: Road
    random: Random
    true_clock: InstanceClock
    instances: list[Instance] = field(default_factory=list[Instance])
    bells: dict[str, Bell] = field(default_factory=dict[str, Bell])
    undisturbed_failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    unfair_poison: list[str] = field(default_factory=list[str])
    defects: list[str] = field(default_factory=list[str])
    widest_skew_seconds: float = 0.0
    _disturbed_runs: dict[str, int] = field(default_factory=dict[str, int])

    def begin(self) -> None:
        """Start the instances, and the host's loops."""
        plan, loop = self.network.plan, self.network.loop
        for number, skew in enumerate(plan.skews_seconds):
            self.instances.append(self._instance(f"i{number}", InstanceClock(loop, skew)))
        skews = plan.skews_seconds
        self.widest_skew_seconds = max(skews) - min(skews)
        for queue in HANDLED:
            for poisoned in (False, True):
                self.bells[queue.poison if poisoned else queue.value] = Bell(loop)
                loop.create_task(self._listen(queue, poisoned=poisoned))
        loop.create_task(self._timers())

    def sent(self, queue: str) -> None:
        """Be told of a message that was just sent."""
        bell = self.bells.get(queue)
        if bell is not None:
            bell.ring()

    def pick(self) -> Instance | None:
        """Return some instance that lives."""
        alive = [instance for instance in self.instances if not instance.dead]
        return self.random.choice(alive) if alive else None

    def crashed(self, instance: Instance) -> None:
        """Let a new process take the place of one that died, some time later."""
        place = self.instances.index(instance)
        self.network.loop.call_later(self.random.uniform(0.1, 10.0), self._restart, place)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits, in a queue or a table."""
        waiting = any(self.storage.queue(name).bodies() for name in _LISTENED)
        kept = self.storage.table("outbox").rows() or self.storage.table("undelivered").rows() or self._replaying()
        return not (waiting or kept or self.activities.at_work or self.network.late)

    def _instance(self, name: str, clock: InstanceClock) -> Instance:
        plan = self.network.plan
        settings = Settings(
            data_storage="memory",
            platform_secret="simulation",  # noqa: S106 - no secret
            mainframe_connect_timeout_seconds=CONNECT_SECONDS,
            mainframe_call_timeout_seconds=CALL_SECONDS,
            commit_window_seconds=plan.commit_window_seconds,
            max_attempts=plan.max_attempts,
            retry_base_seconds=1.0,
            retry_cap_seconds=20.0,
            breaker_open_seconds=8.0,
        )
        platform = Platform(
            settings=settings, storage=self.wired, link=self.road, clock=clock, ids=SeededIds(self.random)
        )
        return Instance(name, platform, clock, born_at=self.network.loop.time())

    def _restart(self, place: int) -> None:
        old = self.instances[place]
        self.instances[place] = self._instance(f"{old.name}'", old.clock)
        for bell in self.bells.values():
            bell.ring()

    async def _listen(self, name: QueueName, *, poisoned: bool) -> None:
        place = name.poison if poisoned else name.value
        queue, bell, loop = self.storage.queue(place), self.bells[place], self.network.loop
        while True:
            messages = await queue.receive(
                self.random.randint(1, _BATCH), lease_seconds=self.network.plan.lease_seconds
            )
            for message in messages:
                # What cannot be imported stays on its poison queue, which has none of its own.
                if message.dequeue_count > _POISON_AFTER and not poisoned:
                    await self._poison(name, queue, message)
                else:
                    self._dispatch(name, queue, message, poisoned=poisoned)
            if not messages:
                due = queue.next_visible_at()
                await bell.wait(None if due is None else max(0.01, (due - self.true_clock.now()).total_seconds()))
            await asyncio.sleep(self.random.random() * 0.5 if loop.time() < self.network.plan.calm_at else 0.1)

    def _dispatch(self, name: QueueName, queue: MemoryQueue, message: Message, *, poisoned: bool) -> None:
        instance = self.pick()
        if instance is None:
            return
        place = name.poison if poisoned else name.value
        platform = instance.platform
        handler = importer_of(name, platform) if poisoned else handler_of(name, platform, self.random.random)
        label = f"{place} {message.message_id}/{message.dequeue_count}@{instance.name}"
        activity = self.activities.start(label, instance, lambda: self._handle(place, queue, message, handler))
        activity.outcome.add_done_callback(lambda future: self._ended(place, message, activity, future))

    async def _handle(self, place: str, queue: MemoryQueue, message: Message, handler: Handler) -> None:
        try:
            await handler(message.body)
        except Exception:
            await queue.hide(message, seconds=_SHOW_FAILED_AGAIN_SECONDS)
            self.sent(place)
            raise
        await self.wired.queue(place).delete(message)

    def _ended(self, place: str, message: Message, activity: Activity, future: asyncio.Future[Any]) -> None:
        outcome = future.result()
        if isinstance(outcome, Killed | Exception):
            self.network.tell(activity.name, f"failed: {type(outcome).__name__}")
        if isinstance(outcome, Exception):
            if not isinstance(outcome, HEALING):
                self.defects.append(f"{activity.name}: {outcome!r}")
            if not activity.disturbed:
                self.undisturbed_failures.setdefault(f"{place} {message.message_id}", []).append(type(outcome).__name__)

    async def _poison(self, name: QueueName, queue: MemoryQueue, message: Message) -> None:
        failures = self.undisturbed_failures.get(f"{name.value} {message.message_id}", [])
        if failures:
            self.unfair_poison.append(f"{name.value} {message.message_id}: {', '.join(failures)}")
        self.network.tell("host", f"poisoned {name.value} {message.message_id}")
        await self.storage.queue(name.poison).send(message.body)
        self.sent(name.poison)
        await queue.delete(message)

    async def _timers(self) -> None:
        network = self.network
        while True:
            await asyncio.sleep(5.0 if not network.over else 30.0)
            instance = self.pick()
            if instance is None:
                continue
            if network.strikes(Fault.CLOCK_JUMP):
                self._jump(instance)
            # With nothing to wake it only reads, so it is left out most of the time.
            if self._something_to_wake() or self.random.random() < _SHARE_OF_IDLE_PASSES:
                self.activities.start("wake", instance, instance.platform.waker.wake)
            if self.storage.table("outbox").rows():
                self.activities.start("sweep", instance, instance.platform.outbox.sweep)
            if self._replaying() and (network.over or self.random.random() < _SHARE_OF_IDLE_PASSES):
                self.activities.start("watch", instance, instance.platform.replays.watch)

    def _something_to_wake(self) -> bool:
        rows = self.storage.table("undelivered").rows()
        return any(row.values.get("state") == WaitState.PARKED for row in rows) or (self.network.over and bool(rows))

    def _replaying(self) -> bool:
        return any(row.key == "active" for row in self.storage.table(REPLAYS_TABLE).rows())

    def _jump(self, instance: Instance) -> None:
        seconds = self.random.choice((-120.0, -8.0, 8.0, 120.0))
        instance.clock.skew_seconds += seconds
        self.widest_skew_seconds += abs(seconds)
        self.network.fired[Fault.CLOCK_JUMP, "clock"] += 1
        self.network.tell(instance.name, f"! clock jumped by {seconds} s")
