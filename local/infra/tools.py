"""The tools that check with their own rules, in an environment of their own, locked by requirements-infra.txt."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from local.infra.findings import InfraError

ROOT = Path(__file__).resolve().parents[2]
_LOCK = "requirements-infra.txt"
_HOME = ROOT / ".local" / "infra-venv"


def tool(name: str) -> Path:
    """Return where a tool's command is, after installing the locked set when it is not there yet."""
    install()
    return _HOME / "bin" / name


def install() -> None:
    """Install the locked set, unless that was done already. Two at a time wait for each other."""
    lock = ROOT / _LOCK
    stamp = _HOME / "made-from"
    wanted = sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _HOME.parent.mkdir(parents=True, exist_ok=True)
    with (_HOME.parent / "infra-venv.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        print(f"installing {_LOCK} into {_HOME.relative_to(ROOT)}", flush=True)
        shutil.rmtree(_HOME, ignore_errors=True)
        _install(_HOME, lock)
        stamp.write_text(wanted)


def run(command: Sequence[str | Path], *, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end and return what it said."""
    return subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False)


def _install(home: Path, lock: Path) -> None:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    python = home / "bin" / "python"
    if uv:
        steps: list[list[str | Path]] = [
            [uv, "venv", "--quiet", "--python", sys.executable, home],
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", home],
            [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock],
        ]
    for step in steps:
        done = run(step)
        if done.returncode:
            shutil.rmtree(home, ignore_errors=True)
            raise InfraError(f"{_LOCK} cannot be installed: {done.stderr.strip()}")
