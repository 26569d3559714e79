"""Both keepers, each behind the same fixture: what passes here is what the rooms may rely on."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from lib.clock import FixedClock
from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Blobs, Queue, Row, Storage, Table
from local.azurite import Azurite

_NUMBERS = itertools.count(1)


@dataclass
class Keeper:
    """One keeper with a table, a queue and a container of its own."""

    storage: Storage
    table: Table
    queue: Queue
    blobs: Blobs
    clock: FixedClock | None

    async def wait(self, seconds: float) -> None:
        """Let the keeper's time pass."""
        if self.clock:
            self.clock.advance(seconds)
        else:
            await asyncio.sleep(seconds)

    async def all_rows(
        self,
        partition: str,
        *,
        from_key: str = "",
        below_key: str | None = None,
        limit: int = 200,
        where: Mapping[str, str] | None = None,
    ) -> list[Row]:
        rows: list[Row] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                partition, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=where
            )
            assert len(page.rows) <= limit
            rows.extend(page.rows)
            resume = page.resume
            if resume is None:
                return rows


@pytest.fixture(params=["memory", "azure"])
async def keeper(request: pytest.FixtureRequest) -> AsyncIterator[Keeper]:
    clock = FixedClock() if request.param == "memory" else None
    storage: Storage
    if clock:
        storage = MemoryStorage(clock)
    else:
        azurite: Azurite = request.getfixturevalue("azurite")
        storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
    name = f"contract{next(_NUMBERS)}"
    try:
        await storage.create_missing(tables=[name], queues=[name], containers=[name])
        yield Keeper(
            storage=storage,
            table=storage.table(name),
            queue=storage.queue(name),
            blobs=storage.blobs(name),
            clock=clock,
        )
    finally:
        await storage.close()
