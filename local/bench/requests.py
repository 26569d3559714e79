"""Requests through the local host beside the bare SDK doing the same storage work, in turns."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

from local.bench.api import OPERATIONS, STATUS, Api, BenchError
from local.bench.load import run_load
from local.bench.process import cpu_seconds
from local.bench.sdk import BareSdk
from local.bench.storage import Measured, Work, measure
from local.bench.switches import switched
from local.stack import LocalStack

CONNECTIONS: Final = (1, 8, 32)
_SEEDED: Final = 100
_WARM_UP_SECONDS: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one side did. `cpu_us` is processor time per operation: of the host, or of the process that uses the SDK."""

    per_second: float
    p50_ms: float
    p98_ms: float
    p99_ms: float
    cpu_us: float
    storage_cpu_us: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One operation at one number of connections. The ratio is ours to the SDK's, the median over pairs of rounds."""

    operation: str
    connections: int
    ours: Figures
    sdk: Figures
    ratio: float


@contextmanager
def seeded() -> Generator[tuple[LocalStack, list[str]]]:
    """Start a copy with customers in it, and its queue functions off once the list knows them.

    What runs behind the requests has figures of its own, and the SDK has nothing of the kind.
    """
    with LocalStack(storage_in_memory=True) as stack:
        api = Api(stack)
        customer_ids = api.create(_SEEDED)
        api.await_full_page()
        stack.restart_host(switched("queueTrigger", on=False))
        yield stack, customer_ids


def compare(
    stack: LocalStack,
    customer_ids: Sequence[str],
    *,
    seconds: float,
    rounds: int,
    say: Callable[[Comparison], None] = lambda _: None,
) -> list[Comparison]:
    """Measure every operation at every number of connections, and tell of each when it is done."""
    with asyncio.Runner() as runner:
        sides = _Sides(Api(stack), customer_ids, runner)
        opened = AsyncExitStack()
        sdk = runner.run(BareSdk.open(stack.connection_string, opened, customer_ids=customer_ids))
        try:
            found: list[Comparison] = []
            for connections in CONNECTIONS:
                for operation in OPERATIONS:
                    found.append(sides.compare(operation, sdk.work()[operation], connections, seconds, rounds))
                    say(found[-1])
            return found
        finally:
            runner.run(opened.aclose())


@dataclass(frozen=True)
class _Sides:
    api: Api
    customer_ids: Sequence[str]
    runner: asyncio.Runner

    def compare(self, operation: str, work: Work, connections: int, seconds: float, rounds: int) -> Comparison:
        self.ours(operation, connections, _WARM_UP_SECONDS)
        self.sdk(work, connections, _WARM_UP_SECONDS)
        ours: list[Figures] = []
        sdk: list[Figures] = []
        for _ in range(rounds):
            # In turns: what else the machine does meets both alike.
            ours.append(self.ours(operation, connections, seconds))
            sdk.append(self.sdk(work, connections, seconds))
        return Comparison(
            operation=operation,
            connections=connections,
            ours=_median(ours),
            sdk=_median(sdk),
            ratio=median(mine.per_second / theirs.per_second for mine, theirs in zip(ours, sdk, strict=True)),
        )

    def ours(self, operation: str, connections: int, seconds: float) -> Figures:
        stack = self.api.stack
        requests = self.api.requests(operation, customer_ids=self.customer_ids, connections=connections)
        host, storage = cpu_seconds(stack.host.pid), self._storage_cpu_seconds()
        result = run_load(stack.running_ports.app, requests, connections=connections, seconds=seconds)
        if set(result.statuses) != {STATUS[operation]} or result.errors:
            raise BenchError(f"{operation}: not every answer was {STATUS[operation]}: {result.line()}")
        return Figures(
            per_second=result.per_second,
            p50_ms=result.p50_ms,
            p98_ms=result.p98_ms,
            p99_ms=result.p99_ms,
            cpu_us=1e6 * (cpu_seconds(stack.host.pid) - host) / result.requests,
            storage_cpu_us=1e6 * (self._storage_cpu_seconds() - storage) / result.requests,
        )

    def sdk(self, work: Work, connections: int, seconds: float) -> Figures:
        measured, storage = Measured(), self._storage_cpu_seconds()
        self.runner.run(measure(work, measured, in_flight=connections, seconds=seconds))
        count = len(measured.latencies)
        return Figures(
            per_second=measured.per_second,
            p50_ms=measured.percentile_ms(50),
            p98_ms=measured.percentile_ms(98),
            p99_ms=measured.percentile_ms(99),
            cpu_us=1e6 * measured.cpu_seconds / count,
            storage_cpu_us=1e6 * (self._storage_cpu_seconds() - storage) / count,
        )

    def _storage_cpu_seconds(self) -> float:
        pid = self.api.stack.azurite.pid
        return cpu_seconds(pid) if pid is not None else float("nan")


def _median(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        per_second=median(one.per_second for one in rounds),
        p50_ms=median(one.p50_ms for one in rounds),
        p98_ms=median(one.p98_ms for one in rounds),
        p99_ms=median(one.p99_ms for one in rounds),
        cpu_us=median(one.cpu_us for one in rounds),
        storage_cpu_us=median(one.storage_cpu_us for one in rounds),
    )
