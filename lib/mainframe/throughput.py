"""How many deliveries the mainframe acknowledged, minute by minute, counted by all instances together.

Each instance counts in memory and adds what it counted to a shared row a few times a minute: no write per delivery. The
rows are a ring of minutes, several per minute so that instances seldom meet, and are used again and again. What an
instance counted in its last seconds is missing when it stops at once, and shows later when it falls idle.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lib.clock import Clock
from lib.ids import Ids
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError, StorageError
from lib.storage.ports import Insert, Replace, Table
from lib.telemetry import event_log

_PARTITION: Final = "throughput"
_RING: Final = 16
_SHARDS: Final = 8
_SHOWN_MINUTES: Final = 10
_KEEP_EVERY_SECONDS: Final = 10.0
_TRIES: Final = 5

_log = event_log("mainframe")


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """How many deliveries were acknowledged in the minute that began at a time."""

    began_at: datetime
    acknowledged: int


@dataclass(slots=True)
class Throughput:
    """Counts acknowledged deliveries."""

    table: Table
    clock: Clock
    ids: Ids
    _counted: Counter[int] = field(default_factory=Counter[int])
    _kept_at: datetime | None = None
    _shard: int | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def count(self) -> None:
        """Count a delivery that was acknowledged now; now and then keep what was counted. Never raises StorageError."""
        now = self.clock.now()
        self._counted[_minute(now)] += 1
        self._kept_at = self._kept_at or now
        if abs((now - self._kept_at).total_seconds()) >= _KEEP_EVERY_SECONDS:
            await self.keep()

    async def keep(self) -> None:
        """Add what this instance counted to the shared rows. Never raises StorageError: it is only a count."""
        async with self._turn:
            self._kept_at = self.clock.now()
            counted, self._counted = self._counted, Counter[int]()
            for minute, count in counted.items():
                try:
                    added = await self._add(minute, count)
                except StorageError as error:
                    _log.warning("throughput.notKept", reason=type(error).__name__)
                    added = False
                if not added:
                    self._counted[minute] += count

    async def lately(self) -> Sequence[MinuteCount]:
        """Return the counts of this minute and of those before it, newest first."""
        found: Counter[int] = Counter()
        resume: str | None = None
        while True:
            page = await self.table.page(_PARTITION, limit=_RING * _SHARDS, resume=resume)
            for row in page.rows:
                found[int(str(row.values["minute"]))] += int(str(row.values["acknowledged"]))
            resume = page.resume
            if resume is None:
                break
        newest = _minute(self.clock.now())
        return [
            MinuteCount(datetime.fromtimestamp(minute * 60, UTC), found[minute])
            for minute in range(newest, newest - _SHOWN_MINUTES, -1)
        ]

    async def _add(self, minute: int, count: int) -> bool:
        key = f"{minute % _RING:02d}~{self._own_shard():02d}"
        for _ in range(_TRIES):
            row = await self.table.get(_PARTITION, key)
            kept_minute = int(str(row.values["minute"])) if row else minute
            if kept_minute > minute:
                return True  # the ring has gone round: nobody asks for that minute any more
            before = int(str(row.values["acknowledged"])) if row and kept_minute == minute else 0
            values = {"minute": minute, "acknowledged": before + count}
            write = Insert(key, values) if row is None else Replace(key, values, row.etag)
            try:
                await self.table.write(_PARTITION, write)
            except (RowExistsError, RowChangedError):
                continue
            except OutcomeUnknownError:
                return True  # perhaps it was not: better a count too few than one told twice
            return True
        return False

    def _own_shard(self) -> int:
        if self._shard is None:
            self._shard = hashlib.sha256(self.ids.new("ins").encode()).digest()[0] % _SHARDS
        return self._shard


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
