"""How long the host needs to learn of every function in a fresh process: the part of a cold start that is ours."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_INDEX: Final = """
import json, time
started = time.perf_counter()
import function_app
functions = function_app.app.get_functions()
print(json.dumps([time.perf_counter() - started, time.process_time(), len(functions)]))
"""
_LIBRARIES: Final = """
import json, time
started = time.perf_counter()
import azure.functions, fastapi
print(json.dumps([time.perf_counter() - started, time.process_time(), 0]))
"""


@dataclass(frozen=True, kw_only=True)
class Cold:
    """One way to start: the medians of several fresh processes. `cpu_ms` counts the interpreter's own start too."""

    what: str
    wall_ms: float
    cpu_ms: float
    functions: int


def index_cold(*, times: int) -> list[Cold]:
    """Import the app and list its functions in fresh processes, with compiled files at hand and without any."""
    with tempfile.TemporaryDirectory() as compiled, tempfile.TemporaryDirectory() as empty:
        kept = {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        none = {"PYTHONPYCACHEPREFIX": empty, "PYTHONDONTWRITEBYTECODE": "1"}
        _fresh(_INDEX, kept)  # writes the compiled files
        return [
            _measured("the app, with .pyc", _INDEX, kept, times),
            _measured("the app, without .pyc", _INDEX, none, max(1, times // 2)),
            _measured("only azure.functions and fastapi, with .pyc", _LIBRARIES, kept, times),
        ]


def _measured(what: str, script: str, environment: dict[str, str], times: int) -> Cold:
    found = [_fresh(script, environment) for _ in range(times)]
    return Cold(
        what=what,
        wall_ms=1000 * median(wall for wall, _, _ in found),
        cpu_ms=1000 * median(cpu for _, cpu, _ in found),
        functions=found[0][2],
    )


def _fresh(script: str, environment: dict[str, str]) -> tuple[float, float, int]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=_ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall, cpu, functions = json.loads(done.stdout)
    return wall, cpu, functions
