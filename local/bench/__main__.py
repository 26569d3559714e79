"""`make bench`: what requests and deliveries cost on this machine, beside the bare SDK doing the same storage work.

About ten minutes; BENCH=quick takes about one and its figures only show the order of magnitude.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from local.bench import history, host, imports, report
from local.bench.api import BenchError
from local.bench.calls import count_calls
from local.bench.cold import index_cold
from local.bench.deliveries import delivering, measure_deliveries
from local.bench.requests import compare, seeded
from local.run.errors import StackError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long to measure what."""

    round_seconds: float
    rounds: int
    delivery_seconds: float
    latencies_ms: tuple[int, ...]
    cold_times: int
    host_seconds: float
    host_rounds: int
    import_rows: int
    live_changes: int
    history_rounds: int


FULL: Final = Plan(
    round_seconds=1.5,
    rounds=3,
    delivery_seconds=10,
    latencies_ms=(300, 100, 0),
    cold_times=5,
    host_seconds=2,
    host_rounds=3,
    import_rows=1500,
    live_changes=15,
    history_rounds=150,
)
QUICK: Final = Plan(
    round_seconds=0.5,
    rounds=1,
    delivery_seconds=5,
    latencies_ms=(300,),
    cold_times=1,
    host_seconds=0.5,
    host_rounds=1,
    import_rows=300,
    live_changes=3,
    history_rounds=30,
)


def run(plan: Plan, only: Collection[str] | None = None) -> dict[str, Any]:
    """Measure everything, or these parts only, print each when it is done, and return the figures."""
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "loadAverage": os.getloadavg(),
        "plan": asdict(plan),
    }
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} processors, load average before {load}")
    for name, measured in _PARTS.items():
        if only is None or name in only:
            found[name] = measured(plan)
    return found


def _requests(plan: Plan) -> dict[str, Any]:
    _title("Requests at 1, 8 and 32 connections, beside the bare SDK doing the same storage work")
    print(report.REQUESTS_HEAD)
    with seeded() as (stack, customer_ids):
        compared = compare(
            stack,
            customer_ids,
            seconds=plan.round_seconds,
            rounds=plan.rounds,
            say=_saying(report.request_line),
        )
        _title("Calls to storage, counted on the wire")
        calls = count_calls(stack)
    print(report.call_lines(calls))
    return {"compared": [asdict(one) for one in compared], "calls": [asdict(one) for one in calls]}


def _deliveries(plan: Plan) -> list[dict[str, Any]]:
    _title("Deliveries to the mainframe, a burst of changes draining")
    say = _saying(report.delivery_line)
    with delivering() as stack:
        found = [
            measure_deliveries(stack, latency_ms=latency_ms, seconds=plan.delivery_seconds)
            for latency_ms in plan.latencies_ms
        ]
    for one in found:
        say(one)
    return [asdict(one) for one in found]


def _cold(plan: Plan) -> list[dict[str, Any]]:
    _title("Indexing the app in a fresh process")
    found = index_cold(times=plan.cold_times)
    print(report.cold_lines(found))
    return [asdict(one) for one in found]


def _host(plan: Plan) -> list[dict[str, Any]]:
    _title("The local host beside plain uvicorn, the same app of eighty operations, 8 connections")
    found = host.compare(seconds=plan.host_seconds, rounds=plan.host_rounds)
    for one in found:
        print(report.host_line(one))
    return [asdict(one) | {"ratio": one.ratio, "cpu_ratio": one.cpu_ratio} for one in found]


def _history(plan: Plan) -> list[dict[str, Any]]:
    _title("Looking at a customer as the history grows, one connection, in turns")
    found = history.measure_history(rounds=plan.history_rounds)
    print(history.lines(found))
    return [asdict(one) | {"flat": one.flat} for one in found]


def _imports(plan: Plan) -> dict[str, Any]:
    _title("Imports beside the bare SDK making the same calls, and a live change beside an import")
    speeds = imports.measure_imports(rows=plan.import_rows)
    live = imports.measure_live_change(changes=plan.live_changes, rows=2 * plan.import_rows)
    print(imports.lines(speeds, live))
    return {
        "speeds": [asdict(one) | {"part_of_sdk": one.part_of_sdk} for one in speeds],
        "live": asdict(live) | {"times_calm": live.times_calm},
    }


_PARTS: Final[Mapping[str, Callable[[Plan], Any]]] = {
    "requests": _requests,
    "history": _history,
    "deliveries": _deliveries,
    "imports": _imports,
    "cold": _cold,
    "host": _host,
}


def _title(text: str) -> None:
    print(f"\n{text}", flush=True)


def _saying(line: Callable[[Any], str]) -> Callable[[Any], None]:
    return lambda one: print(line(one), flush=True)


def main() -> int:
    """Measure, print, and keep the figures when asked to."""
    parser = argparse.ArgumentParser(prog="python -m local.bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there as well")
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), metavar="PART", help=f"of {', '.join(_PARTS)}")
    arguments = parser.parse_args()
    try:
        found = run(QUICK if os.environ.get("BENCH") == "quick" else FULL, arguments.only)
    except (BenchError, StackError) as error:
        print(f"The bench stopped. {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    over = [one["operation"] for one in found.get("requests", {}).get("calls", ()) if one["calls"] > one["budget"]]
    if over:
        print(f"\nOver its budget of storage calls: {'; '.join(over)}.", file=sys.stderr)
    grows = [f"{one['look']} at {one['entries']}" for one in found.get("history", ()) if not one["flat"]]
    if grows:
        print(f"\nGrows with history: {'; '.join(grows)}.", file=sys.stderr)
    return 1 if over or grows else 0


if __name__ == "__main__":
    sys.exit(main())
