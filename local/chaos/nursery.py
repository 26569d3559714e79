"""Starts hosts in a tenth of a second: each is forked from a process that has imported everything and done nothing.

A run kills hosts hundreds of times, and four fifths of a start are imports. What is forked is a process of its own with
an event loop, connections and state of its own; only the code is there already.

`python -m local.chaos.nursery` reads one JSON line per host to start, and tells on its output who started and ended.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.run.environment import ROOT
from local.run.errors import ChildError

_CODE = ("functions.assembly", "lib.storage.azure", "local.faults.taps", "local.host.__main__")
_REAP_SECONDS = 0.02
_START_SECONDS = 30.0
_TAIL_BYTES = 8_000


class Nursery:
    """The driver's end: a warm process, and what it told of its children."""

    def __init__(self) -> None:
        """Start the warm process; it is ready when the first host is asked of it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.chaos.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._told = threading.Condition()
        self._asked = threading.Lock()
        self._started: list[int] = []
        self._ended: dict[int, int] = {}
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The warm process's own id."""
        return self._process.pid

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Fork a host and return its process id. Raises ChildError when the nursery does not answer."""
        wanted = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        with self._asked, self._told:
            before = len(self._started)
            try:
                print(json.dumps(wanted), file=self._process.stdin, flush=True)
            except OSError as error:
                raise ChildError("The nursery of hosts has ended.") from error
            if not self._told.wait_for(lambda: len(self._started) > before, timeout=_START_SECONDS):
                raise ChildError("The nursery of hosts does not answer.")
            return self._started[-1]

    def exit_code(self, pid: int) -> int | None:
        """Return how a host ended; None while it runs."""
        with self._told:
            return self._ended.get(pid)

    def close(self) -> None:
        """Let the warm process go. Its children stay as they are."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._listener.join()

    def _listen(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                told: dict[str, Any] = json.loads(line)
                with self._told:
                    if "started" in told:
                        self._started.append(told["started"])
                    else:
                        self._ended[told["ended"]] = told["code"]
                    self._told.notify_all()


@dataclass
class HostProcess:
    """One host's process over all its starts."""

    name: str
    nursery: Nursery
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    grace_seconds: float
    _pid: int | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """Its process id. Raises ChildError when it was never started."""
        if self._pid is None:
            raise ChildError(f"{self.name} was not started.")
        return self._pid

    @property
    def running(self) -> bool:
        """Whether it is there, stopped or not."""
        return self._pid is not None and self.nursery.exit_code(self._pid) is None

    def start(self) -> None:
        """Start it. Raises ChildError when it runs already."""
        if self.running:
            raise ChildError(f"{self.name} runs already.")
        self._pid = self.nursery.start(self.arguments, self.environment, self.log)

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.running:
            os.kill(self.pid, number)

    def stop(self) -> None:
        """Ask it to end and wait; kill it when the grace is over."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # one that is stopped could not hear it
        deadline = time.monotonic() + self.grace_seconds
        while self.running:
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
            time.sleep(_REAP_SECONDS)

    def said(self) -> str:
        """Return the last of what it printed."""
        return self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""


def serve() -> None:
    """Fork a host for every line that comes, until no more can come."""
    for name in _CODE:
        importlib.import_module(name)
    pending = b""
    while True:
        ready, _, _ = select.select([0], [], [], _REAP_SECONDS)
        if ready:
            read = os.read(0, 65_536)
            if not read:
                return
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                _tell({"started": _fork(json.loads(line))})
        _reap()


def _fork(wanted: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    # From here on this is the host. It never returns into the nursery's loop.
    code = 1
    try:
        os.setsid()
        log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(here, there)
        os.environ.update(wanted["environment"])
        from local.host.__main__ import main

        code = main(wanted["arguments"])
        sys.stdout.flush()
    finally:
        os._exit(code)
    return 0


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(what: dict[str, int]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    serve()
