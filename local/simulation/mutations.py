"""The mutation check: `python -m local.simulation.mutations` takes the rules away one by one; every suite must notice.

Each mutant lives in a copy of the source in a temporary folder; the working tree is only read. For each, the unit tests
of the rooms and the simulator run, and the table says which test and which law of the audit caught it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.simulation.mutants import MUTANTS, Mutant

_ROOT: Final = Path(__file__).resolve().parents[2]
_COPIED: Final = ("lib", "functions", "local", "tests", "pyproject.toml", "host.json", "function_app.py")
_SUITES: Final = ("tests/delivery", "tests/customers")
_SUITES_OF_OPERATIONS: Final = ("tests/failures", "tests/replays")
_SUITES_OF_ORDERS: Final = ("tests/orders",)
_SUITES_OF_IDENTIFIERS: Final = ("tests/identifiers/test_index.py",)
_ROOMS: Final[Mapping[str, tuple[str, ...]]] = {
    "lib/failures/": _SUITES_OF_OPERATIONS,
    "lib/replays/": _SUITES_OF_OPERATIONS,
    "lib/orders/": _SUITES_OF_ORDERS,
    "lib/identifiers/": _SUITES_OF_IDENTIFIERS,
}
_FAILED_TEST: Final = re.compile(r"^(?:FAILED|ERROR) \S*?(\w+::\w+|\w+)(?:\[.*?\])?(?: - .*)?$", re.MULTILINE)
_FAILED_SEED: Final = re.compile(r"^FAILED seed (\d+): ([^:]+):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Caught:
    """What became of a mutant: the test that failed, and the seed and law that did; None where it went unnoticed."""

    mutant: Mutant
    test: str | None
    seed: str | None

    @property
    def killed(self) -> bool:
        """Whether anything noticed."""
        return self.test is not None or self.seed is not None


def check(mutant: Mutant, *, seeds: int, seconds: float) -> Caught:
    """Run the unit tests and the simulator over a mutant."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        mutant.apply(tree)
        tests = _run(tree, "pytest", "-x", "-q", "-p", "no:cacheprovider", *_suites(mutant))
        options = ("--seeds", str(seeds), "--seconds", str(seconds), "--jobs", "1", "--until-broken")
        simulation = _run(tree, "local.simulation", *options)
    return Caught(mutant, _test_of(tests), _seed_of(simulation))


def _suites(mutant: Mutant) -> tuple[str, ...]:
    if not mutant.edits:
        return (*_SUITES, *_SUITES_OF_OPERATIONS, *_SUITES_OF_ORDERS, *_SUITES_OF_IDENTIFIERS)
    for room, suites in _ROOMS.items():
        if any(edit.file.startswith(room) for edit in mutant.edits):
            return suites
    return _SUITES


def copy_tree(tree: Path) -> None:
    """Copy what the suites need."""
    for name in _COPIED:
        source = _ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)


def _run(tree: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _test_of(run: subprocess.CompletedProcess[str]) -> str | None:
    if run.returncode == 0:
        return None
    found = _FAILED_TEST.search(run.stdout)
    return found[1].split("::")[-1] if found else f"exit code {run.returncode}"


def _seed_of(run: subprocess.CompletedProcess[str]) -> str | None:
    if run.returncode == 0:
        return None
    found = _FAILED_SEED.search(run.stdout)
    return f"{found[2]} (seed {found[1]})" if found else f"exit code {run.returncode}"


def main() -> int:
    """Check the mutants that were asked for, print the table, and return 1 when one survived."""
    parser = argparse.ArgumentParser(prog="python -m local.simulation.mutations", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--seeds", type=int, default=1500, help="how many seeds each must survive")
    parser.add_argument("--seconds", type=float, default=60, help="and for how long at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    asked = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if asked.only in mutant.name]
    survived = 0

    def checked(mutant: Mutant) -> Caught:
        return check(mutant, seeds=asked.seeds, seconds=asked.seconds)

    sound = checked(Mutant("nothing taken away", ()))
    if sound.killed:
        print(f"the suites fail on the source as it is: {sound.test or ''} {sound.seed or ''}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(asked.jobs) as pool:
        for caught in pool.map(checked, chosen):
            survived += not caught.killed
            print(f"{'killed  ' if caught.killed else 'SURVIVED'}  {caught.mutant.name}", flush=True)
            print(f"            test: {caught.test or '-'}\n            simulator: {caught.seed or '-'}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants killed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
