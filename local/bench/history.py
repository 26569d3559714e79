"""What it costs to look at a customer as the history grows: storage calls on the wire, and time, in turns.

The emulator runs with the index of `local/azurite_index.cjs`, as everywhere here: as it is delivered it looks at every
row of a table to answer a range, which Azure, whose tables are ordered by their keys, does not.
"""

import asyncio
import http.client
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Final, TypeAlias

from lib.changes.operation import Operation
from lib.interactions.models import DRAFTS
from lib.interactions.service import InteractionEntry
from lib.settings import Settings
from lib.wiring import Platform, build
from local.bench.api import Api, BenchError
from local.bench.switches import switched
from local.faults.proxy import FaultProxy
from local.stack import LocalStack

SIZES: Final = (10, 1_000, 20_000)
ALLOWED_RATIO: Final = 1.5
_PRIVATE: Final = "/api/private/v1/customers"
_LOOKS: Final[Mapping[str, str]] = {
    "profile": "/api/v1/customers/{0}",
    "overview": f"{_PRIVATE}/{{0}}/overview",
    "timeline page": f"{_PRIVATE}/{{0}}/timeline",
    "timeline, a kind": f"{_PRIVATE}/{{0}}/timeline?kind=baggage",
    "interactions": f"{_PRIVATE}/{{0}}/interactions",
}
_AT_ONCE: Final = 1_000
_START: Final = datetime(2020, 1, 1, tzinfo=UTC)
_Look: TypeAlias = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What one look costs with a history of this many entries; the ratio is to the shortest history."""

    look: str
    entries: int
    calls: int
    p50_ms: float
    ratio: float
    same_calls: bool

    @property
    def flat(self) -> bool:
        """Whether it costs the same calls as with the shortest history, and hardly more time."""
        return self.same_calls and self.ratio <= ALLOWED_RATIO


def measure_history(*, rounds: int, sizes: Sequence[int] = SIZES) -> list[Growth]:
    """Start a copy whose customers have histories of these lengths, and look at each of them in turns."""
    # Generous, as a section that is left behind would cost less.
    with LocalStack(storage_in_memory=True, environment={"OVERVIEW_SECTION_SECONDS": "10"}) as stack:
        customers = dict(zip(sizes, Api(stack).create(len(sizes)), strict=True))
        asyncio.run(_live(stack.connection_string, customers))
        off = switched("queueTrigger", "timerTrigger", on=False)
        stack.restart_host(off)
        times = _times(stack, customers, rounds=rounds)
        calls = asyncio.run(_calls(stack, customers, off))
    shortest = min(sizes)
    return [
        Growth(
            look=look,
            entries=size,
            calls=calls[look, size],
            p50_ms=1000 * median(times[look, size]),
            ratio=median(times[look, size]) / median(times[look, shortest]),
            same_calls=calls[look, size] == calls[look, shortest],
        )
        for look in _LOOKS
        for size in sizes
    ]


def lines(found: Sequence[Growth]) -> str:
    """Return the table."""
    rows = [f"{'':18}{'entries':>9}{'calls':>7}{'p50 ms':>9}{'ratio':>8}"]
    rows += [
        f"{one.look:18}{one.entries:9}{one.calls:7}{one.p50_ms:9.2f}{one.ratio:7.2f}x{'' if one.flat else '  GROWS'}"
        for one in found
    ]
    return "\n".join(rows)


async def _live(connection_string: str, customers: Mapping[int, str]) -> None:
    """Let customers have histories of these lengths, written as an import writes them."""
    platform = build(Settings(data_storage=connection_string, platform_secret="bench"))  # noqa: S106 - no secret
    try:
        for size, customer_id in customers.items():
            for start in range(0, size, _AT_ONCE):
                await _record(platform, customer_id, range(start, min(start + _AT_ONCE, size)))
    finally:
        await platform.storage.close()


async def _record(platform: Platform, customer_id: str, numbers: range) -> None:
    entries = [
        InteractionEntry(
            draft=DRAFTS.validate_python(
                {
                    "kind": "baggage" if number % 2 else "flight",
                    "channel": "airport",
                    "subject": "As it happened",
                    "attributes": {"status": "loaded"} if number % 2 else {"event": "boarded"},
                    "happenedAt": _START + timedelta(minutes=number),
                }
            ),
            key=str(number),
        )
        for number in numbers
    ]
    operation = Operation(name="bench", id=f"opr_{numbers.start}", attempt="att_bench", actor="bench")
    await platform.interactions.record_many(customer_id=customer_id, entries=entries, operation=operation)


def _times(stack: LocalStack, customers: Mapping[int, str], *, rounds: int) -> Mapping[_Look, list[float]]:
    """Look at every customer in every way, in turns, so that what else the machine does meets all of them."""
    times: defaultdict[_Look, list[float]] = defaultdict(list)
    with closing(http.client.HTTPConnection("127.0.0.1", stack.running_ports.app, timeout=60)) as connection:
        look = _looking(connection, stack.function_key)
        for number in range(rounds + 1):
            for name, path in _LOOKS.items():
                for size, customer_id in customers.items():
                    began = perf_counter()
                    look(path.format(customer_id))
                    if number:  # the first round warms up
                        times[name, size].append(perf_counter() - began)
    return times


def _looking(connection: http.client.HTTPConnection, key: str) -> Callable[[str], None]:
    def look(path: str) -> None:
        connection.request("GET", path, headers={"x-functions-key": key})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise BenchError(f"GET {path} was answered {answer.status}: {content.decode(errors='replace')[:300]}")

    return look


async def _calls(stack: LocalStack, customers: Mapping[int, str], off: Mapping[str, str]) -> Mapping[_Look, int]:
    async with FaultProxy(stack.connection_string) as proxy:
        await asyncio.to_thread(stack.restart_host, {"DataStorage": proxy.connection_string, **off})
        api = Api(stack)
        found: dict[_Look, int] = {}
        for name, path in _LOOKS.items():
            for size, customer_id in customers.items():
                before = proxy.rules.seen.total()
                await asyncio.to_thread(api.ask, "GET", path.format(customer_id))
                found[name, size] = proxy.rules.seen.total() - before
        return found
