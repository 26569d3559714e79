"""How fast changes reach the mainframe, beside what its latency and its regions allow."""

import contextlib
import http.client
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from local.bench.api import Api, BenchError
from local.bench.load import run_load
from local.stack import LocalStack

_REGIONS: Final = 8
_LOOK_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 30.0
# Beginning and end are left out: the first wake-ups hide for two seconds, and the last ones leave regions idle.
_FROM, _TO = 0.15, 0.85
_CONNECTIONS: Final = 8


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
    with LocalStack(storage_in_memory=True, environment={"MAINFRAME_REGIONS": str(_REGIONS)}) as stack:
        yield stack


def measure_deliveries(stack: LocalStack, *, latency_ms: int, seconds: float) -> Deliveries:
    """Accept a burst and watch it drain until each change is applied once.

    `seconds` is about how long it should take at the mainframe's limit; without latency, how long to send requests.
    """
    _control(stack, "PUT", "/settings", {"latency": {"distribution": "fixed", "milliseconds": latency_ms}})
    limit = 1000 * _REGIONS / latency_ms if latency_ms else None
    before = _applied(stack)
    count = _burst(stack, round(limit * seconds) if limit else None, seconds)
    seen: list[tuple[float, int]] = []
    moved = time.monotonic()
    while not seen or seen[-1][1] < count:
        now, applied = time.monotonic(), _applied(stack) - before
        if not seen or applied > seen[-1][1]:
            seen.append((now, applied))
            moved = now
        if now - moved > _STALL_SECONDS:
            raise BenchError(f"Only {applied} of {count} changes were applied, and no more come.")
        time.sleep(_LOOK_SECONDS)
    first = next(one for one in seen if one[1] >= _FROM * count)
    last = next(one for one in seen if one[1] >= _TO * count)
    return Deliveries(
        latency_ms=latency_ms,
        regions=_REGIONS,
        count=count,
        per_second=(last[1] - first[1]) / (last[0] - first[0]),
        limit_per_second=limit,
    )


def _burst(stack: LocalStack, count: int | None, seconds: float) -> int:
    api = Api(stack)
    if count is not None:
        return len(api.create(count))
    requests = api.requests("create", customer_ids=[], connections=_CONNECTIONS)
    result = run_load(stack.running_ports.app, requests, connections=_CONNECTIONS, seconds=seconds)
    return result.statuses.get("201", 0)


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
