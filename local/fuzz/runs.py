"""The runs: which document, as whom, and how long."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from local.run.environment import ROOT
from local.stack import LocalStack

_CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
_PRIVATE: Final = "docs/openapi/private.json"
# Without a key the host refuses everything with an empty 401; what a good request would be answered is not asked.
_REFUSED: Final = (
    *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
    *("--warnings", "off"),
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried, at most for so long. A repeatable effort sends the same requests every time."""

    phases: str
    max_examples: int
    seconds: int
    repeatable: bool = False

    def arguments(self) -> list[str]:
        """Return what to tell Schemathesis."""
        told = ["--phases", self.phases, "--max-examples", str(self.max_examples)]
        told += ["--max-time", str(self.seconds)]
        return [*told, "--generation-deterministic"] if self.repeatable else told


SHORT: Final = Effort("examples,coverage", 1, 15, repeatable=True)
NORMAL: Final = Effort("examples,coverage,fuzzing,stateful", 100, 60)
NIGHTLY: Final = Effort("examples,coverage,fuzzing,stateful", 2000, 900)


@dataclass(frozen=True, slots=True)
class Run:
    """One document, asked as one kind of caller."""

    name: str
    document: str
    with_key: bool
    checks: Sequence[str] = ()
    part: float = 1.0


RUNS: Final = (
    Run("public API", "docs/openapi/public.json", with_key=False),
    Run("private API, with a key", _PRIVATE, with_key=True),
    Run("private API, without a key", _PRIVATE, with_key=False, checks=_REFUSED, part=0.25),
)


def command(run: Run, effort: Effort, stack: LocalStack) -> list[str]:
    """Return the command line of a run."""
    effort = replace(effort, seconds=max(1, round(effort.seconds * run.part)))
    key = ("--header", f"x-functions-key: {stack.function_key}") if run.with_key else ()
    return [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIGURATION)),
        *("run", str(ROOT / run.document), "--url", stack.base_url, "--continue-on-failure", "--no-color"),
        *("--output-truncate", "true"),
        *run.checks,
        *key,
        *effort.arguments(),
    ]


def perform(run: Run, effort: Effort, stack: LocalStack, *, quiet: bool = False) -> tuple[int, str]:
    """Do a run. Returns its exit status, 0 when every answer was as declared, and what it said when it is quiet."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command(run, effort, stack),
            cwd=folder,  # what Schemathesis leaves behind goes with it
            env=os.environ | {"SCHEMATHESIS_HOOKS": "local.fuzz.hooks", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
    return done.returncode, done.stdout or ""
