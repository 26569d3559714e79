"""Azure's keeper behind a proxy that fails on purpose, with time limits short enough to wait for."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from lib.storage.azure import AzureStorage, ConnectionString, StorageTimeouts
from lib.storage.ports import Queue, Table
from local.azurite import Azurite
from local.faults.proxy import FaultProxy
from local.faults.rules import FaultRules

_NUMBERS = itertools.count(1)
TIMEOUTS = StorageTimeouts(
    connect_seconds=0.3, read_seconds=0.6, read_try_seconds=0.25, write_seconds=0.3, send_seconds=0.2
)


@dataclass
class Faulty:
    """Storage through a proxy, and the same storage without it, to see what really happened."""

    table: Table
    queue: Queue
    rules: FaultRules
    true_table: Table
    true_queue: Queue


@pytest.fixture
async def faulty(azurite: Azurite) -> AsyncIterator[Faulty]:
    name = f"faulty{next(_NUMBERS)}"
    true = AzureStorage(ConnectionString.parse(azurite.connection_string))
    async with FaultProxy(azurite.connection_string) as proxy:
        through = AzureStorage(ConnectionString.parse(proxy.connection_string), timeouts=TIMEOUTS)
        try:
            await true.create_missing(tables=[name], queues=[name])
            yield Faulty(
                table=through.table(name),
                queue=through.queue(name),
                rules=proxy.rules,
                true_table=true.table(name),
                true_queue=true.queue(name),
            )
        finally:
            await through.close()
            await true.close()
