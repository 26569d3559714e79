"""Run many seeds: `python -m local.simulation --seeds 10000 --from 0`. A failing one prints its trace."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from local.simulation.clients import Outcome
from local.simulation.plan import Fault
from local.simulation.run import Verdict, run_seed

_CHUNK = 25
_SHOWN_FAILURES = 3


@dataclass
class Tally:
    """What many runs showed together."""

    runs: int = 0
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    fired: Counter[Fault] = field(default_factory=Counter[Fault])
    points: dict[Fault, set[str]] = field(default_factory=dict[Fault, set[str]])
    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])

    def add(self, verdict: Verdict) -> None:
        """Count one run."""
        self.runs += 1
        self.outcomes.update(verdict.outcomes)
        for (fault, point), count in verdict.fired.items():
            self.fired[fault] += count
            self.points.setdefault(fault, set()).add(point)
        if verdict.broken:
            self.failed[verdict.seed] = verdict.broken

    def join(self, other: "Tally") -> None:
        """Count what another tally counted."""
        self.runs += other.runs
        self.outcomes.update(other.outcomes)
        self.fired.update(other.fired)
        self.failed |= other.failed
        for fault, points in other.points.items():
            self.points.setdefault(fault, set()).update(points)


def tally(seeds: range) -> Tally:
    """Run some seeds in this process."""
    counted = Tally()
    for seed in seeds:
        counted.add(run_seed(seed))
    return counted


def tallies(first: int, count: int, *, seconds: float, jobs: int) -> Iterator[Tally]:
    """Run seeds in several processes, until all are done or the time is over."""
    if jobs == 1:
        seeds, deadline = iter(range(first, first + count)), time.monotonic() + seconds
        while time.monotonic() < deadline and (seed := next(seeds, None)) is not None:
            yield tally(range(seed, seed + 1))
        return
    deadline = time.monotonic() + seconds
    chunks = (range(start, min(start + _CHUNK, first + count)) for start in range(first, first + count, _CHUNK))
    with ProcessPoolExecutor(jobs) as pool:
        while time.monotonic() < deadline and (batch := list(islice(chunks, jobs * 4))):
            yield from pool.map(tally, batch)


def show_trace(verdict: Verdict) -> None:
    """Print a run event by event."""
    print(f"seed {verdict.seed}, digest {verdict.digest}: {verdict.plan}")
    for event in verdict.events:
        print(f"{event.at:10.3f}  {event.who:<44} {event.what}")


def _report(counted: Tally, seconds: float) -> None:
    print(f"{counted.runs} seeds in {seconds:.1f} s: {counted.runs / seconds:.1f} seeds/s")
    print("client attempts: " + ", ".join(f"{counted.outcomes[outcome]} {outcome}" for outcome in Outcome))
    for fault in Fault:
        points = counted.points.get(fault, set())
        print(f"  {counted.fired[fault]:>8}  {fault}" + (f" ({len(points)} points)" if len(points) > 1 else ""))
    for seed in sorted(counted.failed)[:_SHOWN_FAILURES]:
        print(f"\nreplay: python -m local.simulation --seed {seed}")
        show_trace(run_seed(seed))
    never = [fault for fault in Fault if not counted.fired[fault]]
    if never:
        print(f"never happened (run more seeds): {', '.join(never)}")
    print("verdict: " + (f"{len(counted.failed)} seeds FAILED" if counted.failed else "nothing broken"))


def main() -> int:
    """Run what was asked for, and return 1 when something was broken."""
    parser = argparse.ArgumentParser(prog="python -m local.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--until-broken", action="store_true", help="stop at the first seed that fails")
    parser.add_argument("--seed", type=int, help="run this one, and print its trace")
    asked = parser.parse_args()
    if asked.seed is not None:
        verdict = run_seed(asked.seed)
        show_trace(verdict)
        print("\n".join(verdict.broken) or "nothing broken")
        return 1 if verdict.broken else 0
    started, counted = time.monotonic(), Tally()
    for part in tallies(asked.first, asked.seeds, seconds=asked.seconds, jobs=asked.jobs):
        counted.join(part)
        for seed, broken in part.failed.items():
            print(f"FAILED seed {seed}: {broken[0]}", flush=True)
        if counted.failed and asked.until_broken:
            break
    _report(counted, time.monotonic() - started)
    return 1 if counted.failed else 0


if __name__ == "__main__":
    sys.exit(main())
