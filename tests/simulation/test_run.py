"""The platform under faults from a seed: a bounded share here, as many as wanted with `python -m local.simulation`."""

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter

from local.simulation.plan import Fault
from local.simulation.run import Verdict, run_seed

_FIXED_SEEDS = range(100)
_RANDOM_SEEDS_FOR_SECONDS = 8.0


def failure_of(verdict: Verdict) -> str:
    return f"python -m local.simulation --seed {verdict.seed}: {', '.join(verdict.broken)}"


class TestRunSeed:
    def test_same_seed_is_the_same_run(self) -> None:
        first, again, other = run_seed(7), run_seed(7), run_seed(8)

        assert first.digest == again.digest
        assert first.digest != other.digest

    def test_is_the_same_run_in_another_process_with_other_hashes(self) -> None:
        here = run_seed(11)

        there = subprocess.run(
            [sys.executable, "-m", "local.simulation", "--seed", "11"],
            env={"PYTHONHASHSEED": "42", "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=True,
        )

        found = re.search(r"digest (\w+)", there.stdout)
        assert found is not None
        assert found[1] == here.digest

    def test_breaks_no_law_and_meets_every_fault(self) -> None:
        fired: Counter[Fault] = Counter()

        for seed in _FIXED_SEEDS:
            verdict = run_seed(seed)
            assert not verdict.broken, failure_of(verdict)
            for (fault, _), count in verdict.fired.items():
                fired[fault] += count

        assert [fault for fault in Fault if not fired[fault]] == []

    def test_breaks_no_law_under_seeds_that_nobody_chose(self) -> None:
        first = random.SystemRandom().randrange(10**6, 10**9)
        until = time.monotonic() + _RANDOM_SEEDS_FOR_SECONDS

        while time.monotonic() < until:
            verdict = run_seed(first)
            assert not verdict.broken, failure_of(verdict)
            first += 1
