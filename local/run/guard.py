"""Ends the children when their parent is gone without having done it, even after kill -9.

The guard is a small process of its own, in its own session. It holds a pipe from the parent: when that closes, however
the parent went, it ends the children that are still listed, in order and gently, so that running work is finished and
Azurite writes what it holds. Until then it also holds the lock on the data, so that no second copy starts too early.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.05


@dataclass
class Guard:
    """The parent's end: list a child when it starts, strike it off when it has ended."""

    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, *, holding: int) -> "Guard":
        """Start a guard that holds the file descriptor of the lock as well."""
        return cls(
            subprocess.Popen(
                # Isolated and without site packages: it starts in some 15 ms and holds little memory.
                [sys.executable, "-I", "-S", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                bufsize=1,
                pass_fds=(holding,),
                start_new_session=True,
            )
        )

    def watch(self, pid: int, *, rank: int, grace_seconds: float) -> None:
        """List a child. Lower ranks are ended first."""
        self._say(f"watch {pid} {rank} {grace_seconds}")

    def forget(self, pid: int) -> None:
        """Strike off a child that has ended."""
        self._say(f"forget {pid}")

    def close(self) -> None:
        """Let the guard end what is still listed, and go."""
        stdin = self.process.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                stdin.close()
        self.process.wait()

    def _say(self, line: str) -> None:
        stdin = self.process.stdin
        if stdin is not None:
            # Somebody killed the guard: the children are still ended by their parent.
            with contextlib.suppress(BrokenPipeError):
                print(line, file=stdin, flush=True)


def keep(lines: Iterable[str]) -> None:
    """Follow the parent's words until they end, then end what is listed."""
    watched: dict[int, tuple[int, float]] = {}
    for line in lines:
        word, pid, *rest = line.split()
        if word == "watch":
            watched[int(pid)] = int(rest[0]), float(rest[1])
        else:
            watched.pop(int(pid), None)
    for pid, (_, grace_seconds) in sorted(watched.items(), key=lambda item: item[1]):
        end(pid, grace_seconds)


def end(pid: int, grace_seconds: float) -> None:
    """Ask a process to end, and make it when the grace is over."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)  # one that is paused could not hear it
        deadline = time.monotonic() + grace_seconds
        while is_alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(_POLL_SECONDS)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and that nobody asked about yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
        return state not in {"Z", "X"}
    return True


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it goes when the parent goes, not before
    keep(sys.stdin)
