"""Taps: wrappers around storage and the link to the mainframe that tell every call by name before and after it.

A tap hears `changes.send`, `customers.commit`, `delivery.note`, `mainframe.update` and so on, and may raise, wait, or
end the process: that is how faults and kills reach named places of the protocol without a line of it in `lib`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from lib.mainframe.link import Link
from lib.mainframe.protocol import Reply
from lib.storage.ports import BlobInfo, Blobs, Delete, Message, Queue, QueueDepth, Row, RowPage, Storage, Table, Write


class When(StrEnum):
    """On which side of the call."""

    BEFORE = "before"
    AFTER = "after"


Tap: TypeAlias = Callable[[str, When], Awaitable[None]]


def point_of(table: str, writes: Sequence[Write]) -> str:
    """Return the name of a write by what it does in the protocol."""
    keys = [write.key for write in writes]
    if any(key.startswith("change~") for key in keys):
        return f"{table}.commit"
    for write in writes:
        if write.key.startswith("delivery~") and not isinstance(write, Delete):
            return "delivery.note" if '"lease"' in str(write.values["state"]) else "delivery.settle"
    if keys in (["profile"], ["state"]):
        return f"{table}.fence"
    return f"{table}.write"


@dataclass(frozen=True, slots=True)
class TappedTable:
    """A table whose calls are told."""

    inner: Table
    name: str
    tap: Tap

    async def get(self, partition: str, key: str) -> Row | None:
        """Tell, and read."""
        await self.tap(f"{self.name}.get", When.BEFORE)
        row = await self.inner.get(partition, key)
        await self.tap(f"{self.name}.get", When.AFTER)
        return row

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
        """Tell, and read a page."""
        await self.tap(f"{self.name}.page", When.BEFORE)
        page = await self.inner.page(
            partition, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=where
        )
        await self.tap(f"{self.name}.page", When.AFTER)
        return page

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        """Tell, and read a page of everything."""
        await self.tap(f"{self.name}.scan", When.BEFORE)
        page = await self.inner.scan(limit=limit, resume=resume)
        await self.tap(f"{self.name}.scan", When.AFTER)
        return page

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        """Tell, and write."""
        point = point_of(self.name, writes)
        await self.tap(point, When.BEFORE)
        etags = await self.inner.write(partition, *writes)
        await self.tap(point, When.AFTER)
        return etags


@dataclass(frozen=True, slots=True)
class TappedQueue:
    """A queue whose sends are told."""

    inner: Queue
    name: str
    tap: Tap

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Tell, and send."""
        await self.tap(f"{self.name}.send", When.BEFORE)
        await self.inner.send(body, delay_seconds=delay_seconds)
        await self.tap(f"{self.name}.send", When.AFTER)

    async def peek(self, limit: int = 32) -> Sequence[str]:
        """Look."""
        return await self.inner.peek(limit)

    async def receive(self, limit: int, *, lease_seconds: float) -> Sequence[Message]:
        """Take."""
        return await self.inner.receive(limit, lease_seconds=lease_seconds)

    async def delete(self, message: Message) -> bool:
        """Remove."""
        return await self.inner.delete(message)

    async def depth(self) -> QueueDepth:
        """Count."""
        return await self.inner.depth()


@dataclass(frozen=True, slots=True)
class TappedBlobs:
    """A container whose calls are told."""

    inner: Blobs
    name: str
    tap: Tap

    async def put(self, name: str, body: bytes | AsyncIterator[bytes]) -> BlobInfo:
        """Tell, and keep."""
        await self.tap(f"{self.name}.put", When.BEFORE)
        info = await self.inner.put(name, body)
        await self.tap(f"{self.name}.put", When.AFTER)
        return info

    async def info(self, name: str) -> BlobInfo | None:
        """Look."""
        return await self.inner.info(name)

    async def read(self, name: str, *, start: int, length: int) -> bytes:
        """Tell, and read."""
        await self.tap(f"{self.name}.read", When.BEFORE)
        return await self.inner.read(name, start=start, length=length)

    async def append(self, name: str, body: bytes, *, at: int) -> int:
        """Tell, and add."""
        await self.tap(f"{self.name}.append", When.BEFORE)
        size = await self.inner.append(name, body, at=at)
        await self.tap(f"{self.name}.append", When.AFTER)
        return size

    async def delete(self, name: str) -> None:
        """Tell, and remove."""
        await self.tap(f"{self.name}.delete", When.BEFORE)
        await self.inner.delete(name)
        await self.tap(f"{self.name}.delete", When.AFTER)


@dataclass(frozen=True, slots=True)
class TappedStorage:
    """A storage whose tables, queues and containers tell their calls."""

    inner: Storage
    tap: Tap

    def table(self, name: str) -> Table:
        """Return the tapped table of this name."""
        return TappedTable(self.inner.table(name), name, self.tap)

    def queue(self, name: str) -> Queue:
        """Return the tapped queue of this name."""
        return TappedQueue(self.inner.queue(name), name, self.tap)

    def blobs(self, container: str) -> Blobs:
        """Return the tapped container of this name."""
        return TappedBlobs(self.inner.blobs(container), container, self.tap)

    async def create_missing(
        self, *, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str] = ()
    ) -> None:
        """Create what is missing."""
        await self.inner.create_missing(tables=tables, queues=queues, containers=containers)

    async def close(self) -> None:
        """Release connections."""
        await self.inner.close()


@dataclass(frozen=True, slots=True)
class TappedLink:
    """A link to the mainframe whose updates are told."""

    inner: Link
    tap: Tap

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Tell, and call."""
        await self.tap("mainframe.update", When.BEFORE)
        reply = await self.inner.update(subject=subject, key=key, version=version, trace=trace, body=body)
        await self.tap("mainframe.update", When.AFTER)
        return reply

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Tell, and ask."""
        await self.tap("mainframe.inquire", When.BEFORE)
        held = await self.inner.inquire(subject=subject, key=key)
        await self.tap("mainframe.inquire", When.AFTER)
        return held

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Tell, and browse."""
        await self.tap("mainframe.browse", When.BEFORE)
        found = await self.inner.browse(subject=subject, after=after, limit=limit)
        await self.tap("mainframe.browse", When.AFTER)
        return found
