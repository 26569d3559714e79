"""`python -m local.chaos [storm|outage|burst]`; without a word, all of it. `CHAOS=nightly` makes the storm big."""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import replace
from typing import Final

from local.chaos.burst import burst
from local.chaos.fleet import Fleet
from local.chaos.invariants import INVARIANTS
from local.chaos.outage import OutageTrial
from local.chaos.report import closing, opening
from local.chaos.sizes import BY_NAME, Size
from local.chaos.storm import Storm
from local.run.errors import StackError

# How long changes are gathered decides how many calls a burst makes, so that is not scaled.
_AS_DEPLOYED: Final = {"WAKE_UP_DELAY_SECONDS": "2", "COMMIT_WINDOW_SECONDS": "75"}


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when everything was as promised, 1 when it was not, 2 when it could not be tried."""
    options = _options(arguments)
    try:
        good = asyncio.run(_run(options))
    except StackError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0 if good else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("all", "storm", "outage", "burst"), default="all")
    parser.add_argument("--seed", type=int, default=None, help="repeats the plan of an earlier run")
    parser.add_argument("--size", choices=sorted(BY_NAME), default=os.environ.get("CHAOS") or "default")
    parser.add_argument("--minutes", type=float, default=None, help="end the storm after this long, done or not")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> bool:
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    verdicts: list[bool] = []
    if options.part in {"all", "storm"}:
        size = BY_NAME[options.size]
        if options.minutes is not None:
            size = replace(size, limit_seconds=options.minutes * 60, cut_short=True)
        verdicts.append(await storm(size, seed))
    if options.part in {"all", "burst"}:
        async with Fleet(hosts_wanted=1, proxied=False, environment=_AS_DEPLOYED) as fleet:
            counted = await burst(fleet)
        print(f"\n{counted}", flush=True)
        verdicts.append(counted.good)
    if options.part in {"all", "outage"}:
        async with Fleet(hosts_wanted=1, proxied=False) as fleet:
            measured = await OutageTrial(fleet).run()
        print(f"\n{measured}", flush=True)
        verdicts.append(measured.good)
    return all(verdicts)


async def storm(size: Size, seed: int) -> bool:
    """Run one storm and print its report."""
    async with Fleet(seed=seed) as fleet:
        print(opening(fleet, size, seed=seed), flush=True)
        evidence = await Storm(fleet, size, seed, say=_say).run()
        text, good = closing(evidence, INVARIANTS, seed=seed)
    print(f"\n{text}", flush=True)
    return good


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
