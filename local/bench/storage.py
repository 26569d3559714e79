"""What the storage room costs: our gateway beside the bare SDK with its defaults, doing the same work in the same run.

`python -m local.bench.storage [--seconds 1.5] [--rounds 3] [--json]` starts an emulator of its own in memory. The two
take turns within each round, so that what else the machine does meets both alike; ratios compare sums over all rounds.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeAlias

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.ports import Insert, Queue, Replace, Table, Upsert, Values
from local.azurite import Azurite

IN_FLIGHT = (1, 8, 32)
_TABLE, _QUEUE = "bench", "bench"
_PAGE_ROWS = 50
# About the size of a customer's profile.
_VALUES: Values = {f"value{number}": f"text of value {number}" for number in range(8)} | {
    "body": "x" * 700,
    "version": 5,
}
_LOG: Values = {"what": "changed", "version": 6}
_MESSAGE = json.dumps({"schema": 1, "kind": "wake-up", "customerId": "cus_01J0000000000000000000000", "version": 12})

Work: TypeAlias = Callable[[], Awaitable[object]]


@dataclass
class Measured:
    """What one side did in all rounds at one number in flight."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])

    @property
    def per_second(self) -> float:
        """Operations per second."""
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """Return the time within which so many of a hundred operations were done."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]

    def numbers(self) -> dict[str, float]:
        """Return what is worth reporting."""
        return {
            "perSecond": round(self.per_second, 1),
            "p50Ms": round(self.percentile_ms(50), 2),
            "p98Ms": round(self.percentile_ms(98), 2),
            "p99Ms": round(self.percentile_ms(99), 2),
            "cpuUs": round(1e6 * self.cpu_seconds / len(self.latencies)),
        }


class Ours:
    """The work through our gateway."""

    def __init__(self, table: Table, queue: Queue) -> None:
        """Say where."""
        self._table = table
        self._queue = queue
        self._numbers = itertools.count()
        # Partitions with the etags of their two rows, to be taken, written over and put back.
        self._written: list[tuple[str, str, str]] = []

    def work(self) -> Mapping[str, Work]:
        """Return one call per kind of work."""
        return {
            "get": self._get,
            "insert 3 rows": self._insert,
            "replace 2 + insert 1": self._replace,
            "queue send": self._send,
            "page of 50": self._page,
        }

    async def _get(self) -> object:
        return await self._table.get("page", "k00")

    async def _insert(self) -> object:
        partition = f"ours{next(self._numbers)}"
        return await self._table.write(partition, Insert("a", _VALUES), Insert("b", _LOG), Insert("c", _LOG))

    async def _replace(self) -> object:
        partition, first, second = self._written.pop() if self._written else await self._begin()
        new = Insert(f"c{next(self._numbers)}", _LOG)
        first, second, _ = await self._table.write(
            partition, Replace("a", _VALUES, first), Replace("b", _LOG, second), new
        )
        return self._written.append((partition, first, second))

    async def _begin(self) -> tuple[str, str, str]:
        partition = f"ours-replace{next(self._numbers)}"
        first, second = await self._table.write(partition, Upsert("a", _VALUES), Upsert("b", _LOG))
        return partition, first, second

    async def _send(self) -> object:
        return await self._queue.send(_MESSAGE, delay_seconds=2)

    async def _page(self) -> object:
        return await self._table.page("page", from_key="k", below_key="l", limit=_PAGE_ROWS)


class BareSdk:
    """The same work through the SDK as it comes."""

    def __init__(self, table: TableClient, queue: QueueClient) -> None:
        """Say where."""
        self._table = table
        self._queue = queue
        self._numbers = itertools.count()
        # Partitions with the etags of their two rows, to be taken, written over and put back.
        self._written: list[tuple[str, str, str]] = []

    def work(self) -> Mapping[str, Work]:
        """Return one call per kind of work."""
        return {
            "get": self._get,
            "insert 3 rows": self._insert,
            "replace 2 + insert 1": self._replace,
            "queue send": self._send,
            "page of 50": self._page,
        }

    async def _get(self) -> object:
        return await self._table.get_entity("page", "k00")

    async def _insert(self) -> object:
        partition = f"sdk{next(self._numbers)}"
        return await self._table.submit_transaction(
            [("create", _entity(partition, key, values)) for key, values in (("a", _VALUES), ("b", _LOG), ("c", _LOG))]
        )

    async def _replace(self) -> object:
        partition, first, second = self._written.pop() if self._written else await self._begin()
        written = await self._table.submit_transaction(
            [
                ("update", _entity(partition, "a", _VALUES), _matching(first)),
                ("update", _entity(partition, "b", _LOG), _matching(second)),
                ("create", _entity(partition, f"c{next(self._numbers)}", _LOG)),
            ]
        )
        return self._written.append((partition, written[0]["etag"], written[1]["etag"]))

    async def _begin(self) -> tuple[str, str, str]:
        partition = f"sdk-replace{next(self._numbers)}"
        rows = [("upsert", _entity(partition, key, values)) for key, values in (("a", _VALUES), ("b", _LOG))]
        written = await self._table.submit_transaction(rows)
        return partition, written[0]["etag"], written[1]["etag"]

    async def _send(self) -> object:
        return await self._queue.send_message(_MESSAGE, visibility_timeout=2, time_to_live=-1)

    async def _page(self) -> object:
        pages = self._table.query_entities(
            "PartitionKey eq @partition and RowKey ge @first and RowKey lt @last",
            parameters={"partition": "page", "first": "k", "last": "l"},
            results_per_page=_PAGE_ROWS,
        ).by_page()
        return [dict(entity) async for entity in await anext(pages)]


def _entity(partition: str, key: str, values: Values) -> dict[str, Any]:
    return {"PartitionKey": partition, "RowKey": key, **values}


def _matching(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified, "mode": UpdateMode.REPLACE}


async def measure(work: Work, into: Measured, *, in_flight: int, seconds: float) -> None:
    """Do the work again and again, so many at a time, and add what it took."""
    started, cpu = time.perf_counter(), time.process_time()
    ends = started + seconds

    async def one_after_the_other() -> None:
        while (begun := time.perf_counter()) < ends:
            await work()
            into.latencies.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(one_after_the_other())
    into.seconds += time.perf_counter() - started
    into.cpu_seconds += time.process_time() - cpu


async def compare(connection_string: str, *, seconds: float, rounds: int) -> Sequence[dict[str, Any]]:
    """Return, for each kind of work and number in flight, what both sides did and our multiple of the SDK's speed."""
    async with AsyncExitStack() as stack:
        storage = AzureStorage(ConnectionString.parse(connection_string))
        stack.push_async_callback(storage.close)
        await storage.create_missing(tables=[_TABLE], queues=[_QUEUE])
        table = storage.table(_TABLE)
        await table.write("page", *(Upsert(f"k{number:02}", _VALUES) for number in range(_PAGE_ROWS + 10)))
        sdk_table = await stack.enter_async_context(TableClient.from_connection_string(connection_string, _TABLE))
        sdk_queue = await stack.enter_async_context(QueueClient.from_connection_string(connection_string, _QUEUE))
        ours = Ours(table, storage.queue(_QUEUE)).work()
        sdk = BareSdk(sdk_table, sdk_queue).work()
        return [
            {"work": name, "inFlight": in_flight}
            | await _compare_one(ours[name], sdk[name], in_flight=in_flight, seconds=seconds, rounds=rounds)
            for name, in_flight in itertools.product(ours, IN_FLIGHT)
        ]


async def _compare_one(ours: Work, sdk: Work, *, in_flight: int, seconds: float, rounds: int) -> dict[str, Any]:
    mine, theirs = Measured(), Measured()
    for work in (ours, sdk):
        await measure(work, Measured(), in_flight=in_flight, seconds=min(seconds, 0.2))
    for _ in range(rounds):
        await measure(ours, mine, in_flight=in_flight, seconds=seconds / rounds)
        await measure(sdk, theirs, in_flight=in_flight, seconds=seconds / rounds)
    return {
        "ours": mine.numbers(),
        "sdk": theirs.numbers(),
        "ratio": round(mine.per_second / theirs.per_second, 2),
        "cpuRatio": round((mine.cpu_seconds / len(mine.latencies)) / (theirs.cpu_seconds / len(theirs.latencies)), 2),
    }


def table_of(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as lines to read."""
    lines = [
        f"{'work':21}{'in flight':>9}  {'':4}{'ops/s':>8}{'p50 ms':>8}{'p98 ms':>8}{'p99 ms':>8}{'cpu us':>8}  ratio"
    ]
    for result in results:
        for side in ("ours", "sdk"):
            numbers = result[side]
            first = side == "ours"
            lines.append(
                f"{result['work'] if first else '':21}{result['inFlight'] if first else '':>9}  {side:4}"
                f"{numbers['perSecond']:8.0f}{numbers['p50Ms']:8.2f}{numbers['p98Ms']:8.2f}{numbers['p99Ms']:8.2f}"
                f"{numbers['cpuUs']:8.0f}" + (f"  {result['ratio']:.2f}x" if first else "")
            )
    return "\n".join(lines)


def main() -> None:
    """Start an emulator, compare, and print."""
    parser = argparse.ArgumentParser(description="Compare our storage gateway with the bare SDK.")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each side of each comparison")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two sides take turns")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    with Azurite() as azurite:
        results = asyncio.run(compare(azurite.connection_string, seconds=arguments.seconds, rounds=arguments.rounds))
    print(json.dumps(results, indent=2) if arguments.json else table_of(results))


if __name__ == "__main__":
    main()
