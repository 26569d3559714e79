"""The virtual environment and the locked packages in it: by uv, which is fast, or by pip when uv is not to be had."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.setup.errors import DiskFullError, SetupError, ToolError, UnreachableError, explained
from local.setup.plan import SETS, Plan

# Measured on Linux, with a margin: packages, Node.js, Azurite and the installer.
NEEDED_MB = {"local": 700, "dev": 1000}
_MB = 1_000_000
_REGISTRY = "The Python package registry"


def require_space(plan: Plan, free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free) -> None:
    """Raise DiskFullError before anything is half installed, when the disk surely is too full."""
    needed, free = NEEDED_MB[plan.wanted], free_bytes(plan.root) // _MB
    if free < needed:
        raise DiskFullError(
            f"The disk holding {plan.root} is too full: setting up needs about {needed} MB, {free} MB are free."
        )


def make_environment(plan: Plan) -> None:
    """Make `.venv` with the Python that runs this; one that is there already and works is kept."""
    require_modules("venv", "ensurepip")
    works = _fits(plan.python)
    if not (works and _runs([str(plan.python), "-m", "pip", "--version"])):
        version = ".".join(map(str, sys.version_info[:3]))
        with step(f"Making .venv with Python {version}"):
            # A half-made or broken one is thrown away; a good one that only lacks pip is completed.
            clear = [] if works else ["--clear"]
            run([sys.executable, "-m", "venv", *clear, str(plan.venv)], "making .venv", _REGISTRY)
        plan.stamp.notes.clear()
    plan.stamp.note(venv=str(plan.venv))


def install_packages(plan: Plan) -> None:
    """Install the locked packages of the wanted set, every one checked against its hash."""
    lock = str(plan.lock_file(plan.wanted))
    doing = "installing the Python packages"
    installed = False
    if _uv_ready(plan):
        uv = [str(plan.venv / "bin" / "uv"), "pip", "install", "--python", str(plan.python)]
        try:
            with step("Installing Python packages"):
                run([*uv, "--quiet", "--require-hashes", "-r", lock], doing, _REGISTRY)
            installed = True
        except (ToolError, UnreachableError):
            # pip knows configured indexes, proxies and certificates that uv does not read.
            print("  uv could not do it; trying pip.")
    if not installed:
        with step("Installing Python packages with pip, which takes longer"):
            run([*_pip_install(plan), "--require-hashes", "-r", lock], doing, _REGISTRY)
    plan.stamp.note(**{name: plan.lock_digest(name) for name in SETS[plan.wanted]})


def run(command: Sequence[str], doing: str, registry: str, folder: Path | None = None) -> None:
    """Run a tool quietly. Raises the SetupError that its output stands for when it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise explained(doing, registry, done.stdout)


@contextmanager
def step(title: str) -> Generator[None]:
    """Say what is being done, and how long it took."""
    print(f"{title} ...", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def _uv_ready(plan: Plan) -> bool:
    if plan.stamp.says("uv", plan.uv_digest) and (plan.venv / "bin" / "uv").exists():
        return True
    try:
        with step("Installing uv, which installs the rest"):
            run(
                [*_pip_install(plan), "--require-hashes", "-r", str(plan.setup_file("uv.txt"))],
                "installing uv",
                _REGISTRY,
            )
    except ToolError:
        return False  # no wheel for this machine, or not in this registry: pip will do
    plan.stamp.note(uv=plan.uv_digest)
    return True


def _pip_install(plan: Plan) -> list[str]:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    return [str(plan.python), "-m", "pip", "install", *options]


def _fits(python: Path) -> bool:
    return python.exists() and _runs([str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"])


def _runs(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def require_modules(*names: str) -> None:
    """Raise SetupError when this Python comes without a module that making an environment needs."""
    from importlib.util import find_spec

    missing = [name for name in names if find_spec(name) is None]
    if missing:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"Python {version} at {sys.executable} comes without {' and '.join(missing)}: install it "
            f"(Debian and Ubuntu: apt install python{version}-venv), "
            f"or name another Python: make run PYTHON=/path/to/python"
        )
