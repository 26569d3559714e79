"""How fast changes reach the mainframe, beside what its latency and its regions allow."""

import contextlib
import http.client
import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from local.bench.api import Api, BenchError
from local.bench.switches import switched
from local.stack import LocalStack

_REGIONS: Final = 8
_LOOK_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 30.0
# Beginning and end are left out: the pipeline fills first, and the last changes leave regions idle.
_FROM, _TO = 0.15, 0.85
_CONNECTIONS: Final = 8
# How large the burst is when nothing but we ourselves limits it.
_UNLIMITED_PER_SECOND: Final = 60


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """A burst of new customers and how it drained. Without latency there is no limit but our own."""

    latency_ms: int
    regions: int
    count: int
    per_second: float
    limit_per_second: float | None

    @property
    def part_of_limit(self) -> float | None:
        """The rate as a part of what latency and regions allow."""
        return None if self.limit_per_second is None else self.per_second / self.limit_per_second


@contextmanager
def delivering() -> Generator[LocalStack]:
    """Start a copy with everything on."""
    with LocalStack(storage_in_memory=True) as stack:
        yield stack


def measure_deliveries(stack: LocalStack, *, latency_ms: int, seconds: float) -> Deliveries:
    """Accept a burst while the queue functions are off, switch them on, and watch until each change is applied.

    `seconds` is about how long that should take at the mainframe's limit.
    """
    limit = 1000 * _REGIONS / latency_ms if latency_ms else None
    latency = {"distribution": "fixed", "milliseconds": latency_ms}
    _control(stack, "PUT", "/settings", {"latency": latency, "regions": _REGIONS})
    stack.restart_host(switched("queueTrigger", on=False))
    before = _applied(stack)
    count = round((limit or _UNLIMITED_PER_SECOND) * seconds)
    with ThreadPoolExecutor(_CONNECTIONS) as together:
        list(together.map(Api(stack).create, [1] * count))
    stack.restart_host(switched("queueTrigger", on=True))
    seen = _watched(stack, before, count)
    first = next(one for one in seen if one[1] >= _FROM * count)
    last = next(one for one in seen if one[1] >= _TO * count)
    return Deliveries(
        latency_ms=latency_ms,
        regions=_REGIONS,
        count=count,
        per_second=(last[1] - first[1]) / (last[0] - first[0]),
        limit_per_second=limit,
    )


def _watched(stack: LocalStack, before: int, count: int) -> list[tuple[float, int]]:
    seen = [(time.monotonic(), 0)]
    while seen[-1][1] < count:
        time.sleep(_LOOK_SECONDS)
        now, applied = time.monotonic(), _applied(stack) - before
        if applied > seen[-1][1]:
            seen.append((now, applied))
        if now - seen[-1][0] > _STALL_SECONDS:
            raise BenchError(f"Only {applied} of {count} changes were applied, and no more come.")
    return seen


def _applied(stack: LocalStack) -> int:
    return int(_control(stack, "GET", "/stats")["calls"].get("UPD", {}).get("00", 0))


def _control(stack: LocalStack, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", stack.running_ports.control, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        content = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise BenchError(f"{method} {path} was answered {answer.status}: {content.decode()[:300]}")
    return json.loads(content)
