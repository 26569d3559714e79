"""What imports cost beside the bare SDK doing the same calls, and what a live change notices of one that runs.

The import runs here, in this process, against an emulator in memory; nothing else runs meanwhile but the emulator. The
bare SDK then makes the same calls with rows that the import wrote: the search for the claim, the claim, the promise and
the transaction. For the live change a whole copy runs, and the mainframe is what limits.
"""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from lib.clock import SystemClock
from lib.customers.claims import IDENTIFIERS_TABLE
from lib.customers.store import CUSTOMERS_TABLE
from lib.ids import UlidIds
from lib.imports.models import ImportKind, ImportState
from lib.imports.runner import ImportRunner
from lib.imports.service import ImportService
from lib.messaging.catalogue import ALL_QUEUES, QueueName
from lib.settings import Settings
from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.ports import Storage
from lib.wiring import ALL_CONTAINERS, ALL_TABLES, Platform
from local.azurite import Azurite
from local.bench.api import Api, BenchError
from local.stack import LocalStack

_AT_ONCE: Final = 16
_HOLDER: Final = "holder"
_FEW: Final = 50
# The mainframe of the live measurement: two regions of 100 ms take 20 changes a second, and imports are let have ten.
_REGIONS, _LATENCY_MS, _BULK_RATE = 2, 100, 10
_LIVE_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class ImportSpeed:
    """Rows per second of one kind, and of the bare SDK where it makes the same calls."""

    kind: str
    rows: int
    per_second: float
    sdk_per_second: float | None = None

    @property
    def part_of_sdk(self) -> float | None:
        """The rate as a part of the SDK's."""
        return None if self.sdk_per_second is None else self.per_second / self.sdk_per_second


@dataclass(frozen=True, kw_only=True)
class LiveChange:
    """How long a live change took to the mainframe, the median of several, alone and beside an import."""

    calm_seconds: float
    beside_import_seconds: float
    rows_waiting: int

    @property
    def times_calm(self) -> float:
        """How many times longer it took."""
        return self.beside_import_seconds / self.calm_seconds


def measure_imports(*, rows: int) -> list[ImportSpeed]:
    """Return how fast customers and interactions are imported."""
    with Azurite() as emulator:
        return asyncio.run(_measured(emulator.connection_string, rows))


async def _measured(connection_string: str, rows: int) -> list[ImportSpeed]:
    storage = AzureStorage(ConnectionString.parse(connection_string))
    try:
        await storage.create_missing(tables=ALL_TABLES, queues=ALL_QUEUES, containers=ALL_CONTAINERS)
        platform = _platform(storage)
        await _imported(platform, ImportKind.CUSTOMERS, [_customer("warm", number) for number in range(_FEW)])
        ours, theirs = [], []
        async with AsyncExitStack() as stack:
            sdk = await _BareSdk.open(connection_string, stack)
            for turn in range(2):  # in turns, as the machine does not stay the same
                people = [_customer(f"t{turn}", number) for number in range(rows)]
                ours.append(await _imported(platform, ImportKind.CUSTOMERS, people))
                theirs.append(await _side_by_side(sdk.create, rows))
        calls = [_interaction(number) for number in range(2 * rows)]
        grouped = await _imported(platform, ImportKind.INTERACTIONS, calls)
    finally:
        await storage.close()
    return [
        ImportSpeed(
            kind="customers", rows=rows, per_second=statistics.mean(ours), sdk_per_second=statistics.mean(theirs)
        ),
        ImportSpeed(kind="interactions", rows=2 * rows, per_second=grouped),
    ]


def _platform(storage: Storage) -> Platform:
    clock = SystemClock()
    settings = Settings(data_storage="here", platform_secret="bench")  # noqa: S106 - no secret
    return Platform(settings=settings, storage=storage, link=None, clock=clock, ids=UlidIds(clock))  # pyright: ignore[reportArgumentType] - nothing is delivered here


async def _imported(platform: Platform, kind: ImportKind, rows: Sequence[Any]) -> float:
    """Import rows, and return how many per second were taken, the upload not counted."""
    service: ImportService = platform.imports
    runner: ImportRunner = platform.import_runner
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    run = await service.start(content=content, kind=kind, source="bench", dry_run=False, actor="bench")
    began = time.perf_counter()
    while run.state is ImportState.RUNNING:
        order = {"importId": run.id, "sliceNumber": run.slice_number, "sentAt": run.created_at.isoformat()}
        await runner.take(json.dumps(order))
        run = await service.read(import_id=run.id)
    seconds = time.perf_counter() - began
    if run.counts.created != len(rows):
        raise BenchError(f"Of {len(rows)} rows {run.counts.created} were created: {run.counts}")
    return len(rows) / seconds


class _BareSdk:
    """The SDK with its defaults, writing copies of what an import wrote."""

    def __init__(self, customers: TableClient, identifiers: TableClient, changes: QueueClient) -> None:
        self._customers, self._identifiers, self._changes = customers, identifiers, changes
        self._numbers = itertools.count()
        self._rows: list[dict[str, Any]] = []
        self._claim: dict[str, Any] = {}
        self._message = ""

    @classmethod
    async def open(cls, connection_string: str, stack: AsyncExitStack) -> "_BareSdk":
        tables = [
            await stack.enter_async_context(TableClient.from_connection_string(connection_string, name))
            for name in (CUSTOMERS_TABLE, IDENTIFIERS_TABLE)
        ]
        changes = await stack.enter_async_context(
            QueueClient.from_connection_string(connection_string, QueueName.CHANGES_BULK.value)
        )
        sdk = cls(tables[0], tables[1], changes)
        async for row in tables[1].list_entities(results_per_page=1):
            sdk._claim = dict(row)
            break
        asked, partition = "PartitionKey eq @partition", {"partition": sdk._claim["customerId"]}
        sdk._rows = [dict(row) async for row in tables[0].query_entities(asked, parameters=partition)]
        sdk._message = json.dumps({"id": sdk._claim["customerId"], "version": 1, "trace": "0" * 55, "at": "2" * 60})
        return sdk

    async def create(self) -> None:
        """Make the calls that one imported customer takes."""
        partition = f"sdk_{next(self._numbers):026d}"
        try:
            await self._identifiers.get_entity(f"external:{partition}", _HOLDER)
        except ResourceNotFoundError:
            await self._identifiers.create_entity({**self._claim, "PartitionKey": f"external:{partition}"})
        await self._changes.send_message(self._message, visibility_timeout=2, time_to_live=-1)
        rows = [("create", {**row, "PartitionKey": partition}) for row in self._rows]
        await self._customers.submit_transaction(rows)


async def _side_by_side(work: Callable[[], Awaitable[None]], times: int) -> float:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        async with turn:
            await work()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(times)))
    return times / (time.perf_counter() - began)


def measure_live_change(*, changes: int, rows: int) -> LiveChange:
    """Return how long live changes take to the mainframe, alone and while an import of so many rows is delivered."""
    wanted = {
        "MAINFRAME_REGIONS": str(_REGIONS),
        "MAINFRAME_LATENCY_MS": str(_LATENCY_MS),
        "MAINFRAME_BULK_RATE_PER_SECOND": str(_BULK_RATE),
    }
    with LocalStack(storage_in_memory=True, environment=wanted) as stack:
        api = Api(stack)
        _live(api)
        calm = [_live(api) for _ in range(changes)]
        content = "".join(json.dumps(_customer("live", number)) + "\n" for number in range(rows))
        asked = "/api/private/v1/imports?kind=customers&source=bench"
        headers = {"content-type": "application/x-ndjson"}
        started = api.ask("POST", asked, body=content, headers=headers)
        address = f"/api/private/v1/imports/{started['id']}"
        while not api.ask("GET", address)["counts"]["created"]:
            time.sleep(0.1)
        beside = [_live(api) for _ in range(changes)]
        depths = api.ask("GET", "/api/private/v1/health")["queues"]
        waiting = sum(one.get("messages") or 0 for name, one in depths.items() if name.endswith("-bulk"))
    return LiveChange(
        calm_seconds=statistics.median(calm), beside_import_seconds=statistics.median(beside), rows_waiting=waiting
    )


def _live(api: Api) -> float:
    """Create a customer, and return after how many seconds the mainframe had it."""
    began = time.perf_counter()
    customer_id = api.create(1)[0]
    status = f"/api/private/v1/customers/{customer_id}/deliveries/mainframe"
    while api.ask("GET", status)["acknowledgedVersion"] < 1:
        if time.perf_counter() - began > _LIVE_SECONDS:
            raise BenchError(f"A live change did not reach the mainframe within {_LIVE_SECONDS:g} s.")
        time.sleep(0.02)
    return time.perf_counter() - began


def lines(speeds: Sequence[ImportSpeed], live: LiveChange) -> str:
    """Return the figures as a person reads them."""
    told: list[str] = []
    for one in speeds:
        beside = ""
        if one.sdk_per_second is not None:
            beside = f"; the bare SDK {one.sdk_per_second:,.0f}, so {one.part_of_sdk:.2f} times the SDK (aim 0.8)"
        told.append(f"{one.kind:<13} {one.rows:>6,} rows  {one.per_second:>6,.0f} rows/s{beside}")
    told.append(
        f"a live change reaches the mainframe in {live.calm_seconds:.2f} s, beside an import in "
        f"{live.beside_import_seconds:.2f} s: {live.times_calm:.2f} times (aim below 2), "
        f"with {live.rows_waiting:,} bulk messages waiting"
    )
    return "\n".join(told)


def _customer(system: str, number: int) -> dict[str, Any]:
    return {
        "firstName": "Ada",
        "lastName": f"Lovelace {number}",
        "email": f"{system}.{number}@example.com",
        "language": "en-GB",
        "addresses": [{"kind": "home", "lines": ["12 St James's Square"], "city": "London", "country": "GB"}],
        "externalIds": [{"system": system, "id": f"P-{number}"}],
    }


def _interaction(number: int) -> dict[str, Any]:
    return {
        "customer": {"system": "warm", "id": f"P-{number % _FEW}"},
        "kind": "call",
        "channel": "phone",
        "subject": "Where is the second bag?",
        "happenedAt": f"2026-0{1 + number % 9}-1{number % 10}T16:42:05Z",
        "source": {"system": "bench", "eventId": f"e-{number}"},
    }


if __name__ == "__main__":
    print(lines(measure_imports(rows=600), measure_live_change(changes=7, rows=1500)))
