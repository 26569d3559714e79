"""Storage as the platform's instances see it: over the network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.storage.memory import MemoryQueue, MemoryStorage, MemoryTable
from lib.storage.ports import Blobs, Delete, Insert, Message, Queue, QueueDepth, Row, RowPage, Table, Write
from local.faults.taps import point_of
from local.simulation.activity import current_activity
from local.simulation.network import Network
from local.simulation.plan import Fault, Sort

_LONGEST_DELAY_SECONDS = 60.0
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Witness:
    """Is told what was written and sent, at the instant at which it was."""

    wrote: Callable[[str, str, Sequence[Write]], None]
    sent: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WiredTable:
    """A table over the network."""

    inner: MemoryTable
    name: str
    network: Network
    witness: Witness

    async def get(self, partition: str, key: str) -> Row | None:
        """Read."""
        return await self.network.call(f"{self.name}.get", Sort.READ, lambda: self.inner.get(partition, key), about=key)

    async def page(
        self,
        partition: str,
        *,
        from_key: str = "",
        below_key: str | None = None,
        limit: int = 200,
        resume: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> RowPage:
        """Read a page."""
        return await self.network.call(
            f"{self.name}.page",
            Sort.READ,
            lambda: self.inner.page(
                partition, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=where
            ),
            quick=True,
        )

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        """Read a page of everything."""
        return await self.network.call(
            f"{self.name}.scan", Sort.READ, lambda: self.inner.scan(limit=limit, resume=resume), quick=True
        )

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        """Write."""

        async def work() -> Sequence[str]:
            etags = await self.inner.write(partition, *writes)
            self.witness.wrote(self.name, partition, writes)
            return etags

        point = point_of(self.name, writes)
        if point == "delivery.note":
            current_activity().leases[writes[0].key.rpartition("~")[2]] = self.network.loop.time()
        return await self.network.call(
            point,
            Sort.WRITE,
            work,
            inserts=isinstance(writes[0], Insert),
            about=f"{type(writes[0]).__name__} {partition[:_SHOWN]} {_shown(writes[0])}",
        )


@dataclass(frozen=True, slots=True)
class WiredQueue:
    """A queue over the network."""

    inner: MemoryQueue
    name: str
    network: Network
    witness: Witness

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Send."""
        if self.network.strikes(Fault.DELAY):
            self.network.fired[Fault.DELAY, f"{self.name}.send"] += 1
            delay_seconds += self.network.random.random() * _LONGEST_DELAY_SECONDS

        async def work() -> None:
            await self.inner.send(body, delay_seconds=delay_seconds)
            self.witness.sent(self.name)

        await self.network.call(
            f"{self.name}.send", Sort.SEND, work, about=f"{body[: _SHOWN * 2]}, {delay_seconds:.1f} s"
        )

    async def peek(self, limit: int = 32) -> Sequence[str]:
        """Look."""
        return await self.inner.peek(limit)

    async def receive(self, limit: int, *, lease_seconds: float) -> Sequence[Message]:
        """Take."""
        return await self.inner.receive(limit, lease_seconds=lease_seconds)

    async def delete(self, message: Message) -> bool:
        """Remove."""
        return await self.network.call(f"{self.name}.delete", Sort.READ, lambda: self.inner.delete(message))

    async def depth(self) -> QueueDepth:
        """Count."""
        return await self.inner.depth()


@dataclass(frozen=True, slots=True)
class WiredStorage:
    """Storage over the network."""

    inner: MemoryStorage
    network: Network
    witness: Witness

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        return WiredTable(self.inner.table(name), name, self.network, self.witness)

    def queue(self, name: str) -> Queue:
        """Return the queue of this name."""
        return WiredQueue(self.inner.queue(name), name, self.network, self.witness)

    def blobs(self, container: str) -> Blobs:
        """Return a container; what travels here has nothing to do with blobs, so they are never disturbed."""
        return self.inner.blobs(container)

    async def create_missing(
        self, *, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str] = ()
    ) -> None:
        """Create what is missing."""
        await self.inner.create_missing(tables=tables, queues=queues, containers=containers)

    async def close(self) -> None:
        """Release nothing."""


def _shown(write: Write) -> str:
    values = {} if isinstance(write, Delete) else write.values
    kept = {
        name: values[name] for name in ("version", "acknowledged", "failed", "state", "customerId") if name in values
    }
    return f"{write.key} {kept or ''}"
