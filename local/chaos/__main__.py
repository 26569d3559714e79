"""`python -m local.chaos [part]`; without a word, the storm and the burst. `CHAOS=nightly` makes the storm big."""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import replace
from random import Random
from typing import Final

from local.chaos.burst import burst
from local.chaos.fleet import Fleet
from local.chaos.invariants import INVARIANTS
from local.chaos.outage import OutageTrial
from local.chaos.recovery import PATIENT_CALLS, recover
from local.chaos.rejected import TrialError
from local.chaos.rejections import RejectionTrial
from local.chaos.replays import ReplayTrial
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
    except (StackError, TrialError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0 if good else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        choices=("usual", "all", "storm", "outage", "burst", "replays", "rejections"),
        default="usual",
    )
    parser.add_argument("--seed", type=int, default=None, help="repeats the plan of an earlier run")
    parser.add_argument("--size", choices=sorted(BY_NAME), default=os.environ.get("CHAOS") or "default")
    parser.add_argument("--minutes", type=float, default=None, help="end the storm after this long, done or not")
    parser.add_argument("--failures", type=int, default=None, help="how many failures are made and replayed")
    parser.add_argument("--rate", type=float, default=20, help="how many of them a second are replayed")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> bool:
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    verdicts: list[bool] = []
    if options.part in {"usual", "all", "storm"}:
        size = BY_NAME[options.size]
        if options.minutes is not None:
            size = replace(size, limit_seconds=options.minutes * 60, cut_short=True)
        verdicts.append(await storm(size, seed))
    if options.part in {"usual", "all", "burst"}:
        async with Fleet(hosts_wanted=1, proxied=False, environment=_AS_DEPLOYED) as fleet:
            counted = await burst(fleet)
        print(f"\n{counted}", flush=True)
        verdicts.append(counted.good)
    if options.part in {"all", "outage"}:
        async with Fleet(hosts_wanted=1, proxied=False) as fleet:
            measured = await OutageTrial(fleet).run()
        print(f"\n{measured}", flush=True)
        async with Fleet(hosts_wanted=1, proxied=False, environment=PATIENT_CALLS) as fleet:
            recovered = await recover(fleet)
        print(f"\n{recovered}", flush=True)
        verdicts += [measured.good, recovered.good]
    if options.part in {"all", "rejections"}:
        async with Fleet(hosts_wanted=1, proxied=False) as fleet:
            isolated = await RejectionTrial(fleet).run()
        print(f"\n{isolated}", flush=True)
        verdicts.append(isolated.good)
    if options.part in {"all", "replays"}:
        failures = options.failures or BY_NAME[options.size].replayed_failures
        verdicts.append(await replays(failures, seed, per_second=options.rate))
    return all(verdicts)


async def replays(failures: int, seed: int, *, per_second: float) -> bool:
    """Replay failures through crashes and print what it came to."""
    async with Fleet(hosts_wanted=1, proxied=False) as fleet:
        random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        replayed = await ReplayTrial(fleet, failures, per_second, random, say=_say).run()
    print(f"\n{replayed} (seed {seed})", flush=True)
    return replayed.good


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
