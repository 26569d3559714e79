"""The whole platform in one process: memory storage, a memory mainframe, a set clock, and a host that is stepped."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.assembly import PRIVATE_ROUTERS, PUBLIC_ROUTERS
from functions.host.api import create_api
from functions.host.edge import Edge
from lib.clock import FixedClock
from lib.ids import UlidIds
from lib.mainframe.rejections import Resolution
from lib.messaging.catalogue import ALL_QUEUES, QueueName
from lib.messaging.envelope import WakeUp
from lib.settings import Settings
from lib.storage.memory import MemoryQueue, MemoryStorage
from lib.storage.ports import Message
from lib.wiring import ALL_CONTAINERS, ALL_TABLES, Platform
from local.faults.taps import Tap, TappedLink, TappedStorage, When
from local.simulation.mainframe import MoodyMainframe

_LEASE_SECONDS = 30.0
_POISON_AFTER = 5
_TIMERS_EVERY = timedelta(seconds=5)


async def _silent(point: str, when: When) -> None: ...


@dataclass
class World:
    """Everything, wired together. Replace `tap` to be told of every call, and to make it fail.

    `running` names the queue or timer whose function is at work.
    """

    platform: Platform
    storage: MemoryStorage
    mainframe: MoodyMainframe
    clock: FixedClock
    api: Edge
    timers_due: datetime
    tap: Tap = _silent
    failures: list[str] = field(default_factory=list)
    running: str = ""

    @classmethod
    async def build(cls, **settings: Any) -> "World":
        """Return a world whose tables and queues are there."""
        clock = FixedClock()
        storage = MemoryStorage(clock)
        mainframe = MoodyMainframe()
        await storage.create_missing(tables=ALL_TABLES, queues=ALL_QUEUES, containers=ALL_CONTAINERS)

        async def tap(point: str, when: When) -> None:
            await world.tap(point, when)

        platform = Platform(
            settings=Settings(data_storage="memory", platform_secret="simulation", **settings),  # noqa: S106 - no secret
            storage=TappedStorage(storage, tap),
            link=TappedLink(mainframe, tap),
            clock=clock,
            ids=UlidIds(clock),
        )
        api = create_api(lambda: platform, (*PUBLIC_ROUTERS, *PRIVATE_ROUTERS))
        world = cls(
            platform=platform, storage=storage, mainframe=mainframe, clock=clock, api=api, timers_due=clock.now()
        )
        return world

    async def step(self) -> int:
        """Run every message that is visible now, once, and return how many there were."""
        ran = 0
        for name in QueueName:
            queue = self.storage.queue(name)
            for message in await self._due(queue):
                ran += 1
                if message.dequeue_count > _POISON_AFTER:
                    await self.storage.queue(name.poison).send(message.body)
                    await queue.delete(message)
                elif await self._ran(name, message):
                    await queue.delete(message)
        return ran

    async def import_poison(self) -> None:
        """Import what is on the poison queues."""
        for name in QueueName:
            queue = self.storage.queue(name.poison)
            for message in await self._due(queue):
                body = message.body.encode()

                async def take(name: QueueName = name, body: bytes = body) -> object:
                    return await self.platform.intake.take(name, body)

                if await self._guarded(name.poison, take):
                    await queue.delete(message)

    async def settle(self, *, seconds: float = 120, tick_seconds: float = 0.5) -> None:
        """Run messages and timers while the clock goes on, until this much time is over."""
        ticks = int(seconds / tick_seconds)
        for _ in range(ticks):
            while await self.step():
                pass
            self.clock.advance(tick_seconds)
            if self.clock.now() >= self.timers_due:
                await self.run_timers()

    async def run_timers(self) -> None:
        """Run each timer once; one that fails runs again next time."""
        self.timers_due = self.clock.now() + _TIMERS_EVERY
        platform = self.platform
        for timer in (
            platform.outbox.sweep,
            platform.waker.wake,
            platform.reconciliations.watch,
            platform.replays.watch,
            platform.identifier_rebuilds.watch,
            platform.imports.watch,
        ):
            await self._guarded(timer.__qualname__, timer)

    async def _due(self, queue: MemoryQueue) -> Sequence[Message]:
        visible_at = queue.next_visible_at()
        if visible_at is None or visible_at > self.clock.now():
            return ()
        return await queue.receive(32, lease_seconds=_LEASE_SECONDS)

    def _handlers(self) -> dict[QueueName, Callable[[str], Awaitable[object]]]:
        """What each queue's function does with a message's body."""
        platform = self.platform
        return {
            QueueName.CHANGES: lambda body: platform.relay.relay(WakeUp.read(body)),
            QueueName.CHANGES_BULK: lambda body: platform.relay.relay(WakeUp.read(body)),
            QueueName.MAINFRAME_UPDATES_BULK: lambda body: platform.bulk_delivery.deliver(WakeUp.read(body)),
            QueueName.MAINFRAME_UPDATES: lambda body: platform.delivery.deliver(WakeUp.read(body)),
            QueueName.FAILURE_OUTCOMES: lambda body: platform.failures.note_outcome(
                Resolution.model_validate_json(body)
            ),
            QueueName.REPLAY_REQUESTS: platform.replay_runner.take,
            QueueName.RECONCILIATION_SLICES: platform.slice_runner.take,
            QueueName.FLIGHT_EVENTS: platform.flight_runner.take,
            QueueName.IMPORT_SLICES: platform.import_runner.take,
            QueueName.IDENTIFIER_REBUILD_SLICES: platform.identifier_rebuild_runner.take,
        }

    async def _ran(self, name: QueueName, message: Message) -> bool:
        handler = self._handlers().get(name)
        if handler is None:
            return False

        async def handle() -> object:
            return await handler(message.body)

        return await self._guarded(name.value, handle)

    async def _guarded(self, what: str, work: Callable[[], Awaitable[object]]) -> bool:
        self.running = what
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - an edge: the simulated host runs it again, as the real one does
            self.failures.append(f"{what}: {type(error).__name__}")
            return False
        finally:
            self.running = ""
        return True
