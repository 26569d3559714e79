"""Makes `.venv` and the storage emulator from the lock files, and does nothing when that was done before.

`bootstrap.py` calls this with a Python that fits; `local` brings what running needs, `dev` what testing needs as well.
"""

import errno
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.setup.errors import DiskFullError, SetupError
from local.setup.plan import SETS, Plan

_ROOT = Path(__file__).resolve().parents[2]
_INTERRUPTED = 130


def main(arguments: list[str], root: Path = _ROOT) -> int:
    """Bring one set of packages, and Azurite, up to date. Returns 1 after saying why that cannot be done."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        print(f"usage: bootstrap.py {'|'.join(SETS)}", file=sys.stderr)
        return 2
    try:
        plan = Plan(root, arguments[0])
        if not plan.done:
            _set_up(plan)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(DiskFullError(f"The disk holding {root} is full: make room and run this again."), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next run goes on from here.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _set_up(plan: Plan) -> None:
    # Imported only when there is something to do: this runs before every `make run` and `make test`.
    from local.setup.emulator import install_azurite
    from local.setup.packages import install_packages, make_environment, require_space

    with _alone(plan.local / "setup.lock"):
        plan = Plan(plan.root, plan.wanted)  # somebody else may have done it while this one waited
        if plan.done:
            return
        require_space(plan)
        if not plan.environment_done:
            make_environment(plan)
        if not plan.packages_done:
            install_packages(plan)
        if not plan.azurite_done:
            install_azurite(plan)


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Let one setup work at a time: `make run` and `make test` may be started side by side."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another setup is under way here; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
