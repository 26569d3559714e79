"""Storage in memory: the twin of Azure Storage for tests, simulations and demonstrations.

It passes the same contract tests and is as unkind where Azure is: pages come short or empty before the end of a range,
messages come in no order, come again, and lose their receipts. All is drawn from a seed, so a run can be repeated.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from types import MappingProxyType

from lib.clock import Clock
from lib.storage import limits
from lib.storage.entities import decode, encode
from lib.storage.errors import RowChangedError, RowExistsError, StorageSetupError
from lib.storage.memory_blobs import MemoryBlobs
from lib.storage.ports import Delete, Insert, Message, QueueDepth, Replace, Row, RowPage, Write

# One page in this many is cut short before the end, now and then to nothing.
_CUT_ONE_PAGE_IN = 4


class MemoryStorage:
    """A keeper for one event loop. Give the clock that the rest of the test runs on: messages wait by it."""

    def __init__(
        self,
        clock: Clock,
        *,
        tables: Sequence[str] = (),
        queues: Sequence[str] = (),
        containers: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        """Begin empty, with these names; the seed decides how pages are cut and messages mixed."""
        self._clock = clock
        self._seed = seed
        self._tables: dict[str, MemoryTable] = {}
        self._queues: dict[str, MemoryQueue] = {}
        self._containers: dict[str, MemoryBlobs] = {}
        self._create(tables, queues, containers)

    def table(self, name: str) -> "MemoryTable":
        """Return the table of this name; as in Azure, only its use tells whether it exists."""
        return self._table(name)

    def queue(self, name: str) -> "MemoryQueue":
        """Return the queue of this name; as in Azure, only its use tells whether it exists."""
        return self._queue(name)

    def blobs(self, container: str) -> MemoryBlobs:
        """Return the container of this name; as in Azure, only its use tells whether it exists."""
        limits.check_container_name(container)
        return self._containers.setdefault(container, MemoryBlobs())

    async def create_missing(
        self, *, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str] = ()
    ) -> None:
        """Create what is not there yet."""
        await asyncio.sleep(0)
        self._create(tables, queues, containers)

    async def close(self) -> None:
        """Do nothing: what was kept stays, as a process that starts again would find it."""

    def _create(self, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str]) -> None:
        for name in tables:
            self._table(name).exists = True
        for name in queues:
            self._queue(name).exists = True
        for name in containers:
            self.blobs(name).exists = True

    def _table(self, name: str) -> "MemoryTable":
        limits.check_table_name(name)
        # Table names differ only beyond case, and a short page must not depend on which table was asked for first.
        table = self._tables.get(name.lower())
        if table is None:
            table = self._tables[name.lower()] = MemoryTable(self._random(name.lower()))
        return table

    def _queue(self, name: str) -> "MemoryQueue":
        limits.check_queue_name(name)
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = MemoryQueue(self._clock, self._random(name))
        return queue

    def _random(self, name: str) -> Random:
        return Random(f"{self._seed} {name}")  # noqa: S311 - to be repeated, not to be secret


class MemoryTable:
    """One table: partitions of rows, changed only between two awaits, so that a transaction is all or nothing."""

    def __init__(self, random: Random) -> None:
        """Begin empty and not created."""
        self.exists = False
        self._random = random
        self._partitions: dict[str, _Partition] = {}
        self._etags = count(1)

    async def get(self, partition: str, key: str) -> Row | None:
        """Return the row, or None when there is none."""
        limits.check_key(partition)
        limits.check_key(key)
        await self._arrive()
        return self._partition(partition).rows.get(key)

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
        """Return up to `limit` rows of the range, one time in four fewer than there are."""
        limits.check_page(partition, limit, from_key, below_key or "", where or {})
        start = max(_order(from_key), _order(_key_of(resume)) if resume is not None else b"")
        await self._arrive()
        keys = self._partition(partition).keys_between(start, None if below_key is None else _order(below_key))
        if where:
            kept = self._partition(partition).rows
            keys = [key for key in keys if all(kept[key].values.get(name) == text for name, text in where.items())]
        wanted = keys[: self._cut(min(limit, len(keys)))]
        rows = [self._partition(partition).rows[key] for key in wanted]
        return RowPage(rows=rows, resume=_resume_at(keys[len(wanted)]) if len(wanted) < len(keys) else None)

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        """Return up to `limit` rows of all partitions, one time in four fewer than there are."""
        limits.check_page_rows(limit)
        start = tuple(json.loads(_key_of(resume))) if resume is not None else ("", "")
        await self._arrive()
        first = (_order(start[0]), _order(start[1]))
        every = ((partition, key) for partition, kept in self._partitions.items() for key in kept.rows)
        ordered = sorted((_order(partition), _order(key), partition, key) for partition, key in every)
        places = [place[2:] for place in ordered if place[:2] >= first]
        wanted = places[: self._cut(min(limit, len(places)))]
        rows = [self._partitions[partition].rows[key] for partition, key in wanted]
        more = json.dumps(places[len(wanted)]) if len(wanted) < len(places) else None
        return RowPage(rows=rows, resume=None if more is None else _resume_at(more))

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        """Do all the writes, or none."""
        limits.check_writes(partition, writes)
        # Through the wire form and back: what a reader gets is a copy with the types that Azure would return.
        entities = [_entity(partition, write) for write in writes]
        limits.check_batch_bytes(entities)
        await self._arrive()
        kept = self._partition(partition)
        for write in writes:
            _check_expected(write, kept.rows.get(write.key))
        rows = [self._row(entity) for entity in entities]
        for write, row in zip(writes, rows, strict=True):
            kept.put(write.key, row)
        return [row.etag if row else "" for row in rows]

    def rows(self) -> list[Row]:
        """Return every row at this instant, for those who audit a simulation."""
        return [row for partition in self._partitions.values() for row in partition.rows.values()]

    def _cut(self, count: int) -> int:
        return self._random.randrange(count) if count and self._random.randrange(_CUT_ONE_PAGE_IN) == 0 else count

    async def _arrive(self) -> None:
        # Others get their turn here, as they would while a request travels.
        await asyncio.sleep(0)
        if not self.exists:
            raise StorageSetupError("the table does not exist")

    def _partition(self, partition: str) -> "_Partition":
        return self._partitions.setdefault(partition, _Partition())

    def _row(self, entity: bytes) -> Row | None:
        if not entity:
            return None
        row = decode(json.loads(entity), etag=f"W/\"datetime'{next(self._etags):012}'\"")
        return replace(row, values=MappingProxyType(dict(row.values)))


@dataclass
class _Partition:
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    _ordered: list[bytes] = field(default_factory=list[bytes])

    def put(self, key: str, row: Row | None) -> None:
        if row is None:
            del self.rows[key]
            self._ordered.pop(bisect_left(self._ordered, _order(key)))
            return
        if key not in self.rows:
            insort(self._ordered, _order(key))
        self.rows[key] = row

    def keys_between(self, start: bytes, end: bytes | None) -> list[str]:
        last = len(self._ordered) if end is None else bisect_left(self._ordered, end)
        return [key.decode("utf-16-be") for key in self._ordered[bisect_left(self._ordered, start) : last]]


def _entity(partition: str, write: Write) -> bytes:
    return b"" if isinstance(write, Delete) else encode(partition, write.key, write.values)


def _check_expected(write: Write, row: Row | None) -> None:
    if isinstance(write, Insert) and row is not None:
        raise RowExistsError("a row with this key is already there", key=write.key)
    if isinstance(write, Replace | Delete) and (row is None or row.etag != write.etag):
        raise RowChangedError("the row is not the one that was read", key=write.key)


def _order(key: str) -> bytes:
    # Storage compares UTF-16 units, not characters: beyond U+FFFF the two orders differ.
    return key.encode("utf-16-be")


def _resume_at(key: str) -> str:
    return urlsafe_b64encode(f"at:{key}".encode()).decode()


def _key_of(resume: str) -> str:
    try:
        kind, _, key = urlsafe_b64decode(resume.encode("ascii")).decode().partition(":")
    except ValueError:
        kind, key = "", ""
    if kind != "at":
        raise ValueError("a resume is what a page returned")
    return key


@dataclass(frozen=True, slots=True)
class _Kept:
    message_id: str
    body: str
    inserted_at: datetime
    visible_at: datetime
    dequeue_count: int = 0
    receipt: str = ""


class MemoryQueue:
    """One queue, in which time passes by the keeper's clock."""

    def __init__(self, clock: Clock, random: Random) -> None:
        """Begin empty and not created."""
        self.exists = False
        self._clock = clock
        self._random = random
        self._kept: dict[str, _Kept] = {}
        self._numbers = count(1)

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Keep a message that is seen after the delay."""
        limits.message_xml(body)
        delay = limits.whole_seconds(delay_seconds, least=0)
        await self._arrive()
        now = self._clock.now()
        message_id = f"message-{next(self._numbers)}"
        self._kept[message_id] = _Kept(message_id, body, now, now + timedelta(seconds=delay))

    async def peek(self, limit: int = limits.RECEIVE_MESSAGES) -> Sequence[str]:
        """Return bodies of visible messages and leave them as they are."""
        limits.check_receive(limit)
        await self._arrive()
        return [kept.body for kept in self._visible(limit)]

    async def receive(self, limit: int, *, lease_seconds: float) -> Sequence[Message]:
        """Take visible messages; each gets a new receipt, and is seen again after the lease."""
        limits.check_receive(limit)
        lease = limits.whole_seconds(lease_seconds, least=1)
        await self._arrive()
        until = self._clock.now() + timedelta(seconds=lease)
        return [self._take(kept, until) for kept in self._visible(limit)]

    async def delete(self, message: Message) -> bool:
        """Remove the message, if the receipt is still the last one given out for it."""
        await self._arrive()
        kept = self._kept.get(message.message_id)
        if kept is None or kept.receipt != message.receipt:
            return False
        del self._kept[message.message_id]
        return True

    async def depth(self) -> QueueDepth:
        """Return how many messages wait, visible or not."""
        await self._arrive()
        return QueueDepth(messages=len(self._kept))

    def bodies(self) -> list[str]:
        """Return the body of every message at this instant, visible or not, for those who audit a simulation."""
        return [kept.body for kept in self._kept.values()]

    def next_visible_at(self) -> datetime | None:
        """Return when there is something to receive, for simulations in which time jumps; None when it is empty."""
        return min((kept.visible_at for kept in self._kept.values()), default=None)

    async def hide(self, message: Message, *, seconds: float) -> bool:
        """Show a received message again after so long, as a host does whose handler failed; False as for `delete`."""
        await self._arrive()
        kept = self._kept.get(message.message_id)
        if kept is None or kept.receipt != message.receipt:
            return False
        self._kept[message.message_id] = replace(kept, visible_at=self._clock.now() + timedelta(seconds=seconds))
        return True

    async def _arrive(self) -> None:
        await asyncio.sleep(0)
        if not self.exists:
            raise StorageSetupError("the queue does not exist")

    def _visible(self, limit: int) -> list[_Kept]:
        now = self._clock.now()
        visible = [kept for kept in self._kept.values() if kept.visible_at <= now]
        return self._random.sample(visible, min(limit, len(visible)))

    def _take(self, kept: _Kept, until: datetime) -> Message:
        taken = replace(
            kept, visible_at=until, dequeue_count=kept.dequeue_count + 1, receipt=f"receipt-{next(self._numbers)}"
        )
        self._kept[kept.message_id] = taken
        return Message(
            message_id=taken.message_id,
            body=taken.body,
            receipt=taken.receipt,
            dequeue_count=taken.dequeue_count,
            inserted_at=taken.inserted_at,
            leased_until=until,
        )
