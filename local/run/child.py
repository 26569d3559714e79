"""One child process: started, listened to, asked and made to end."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from local.run.errors import ChildError

# Takes the name of a child and one line that it printed.
LineSink: TypeAlias = Callable[[str, str], None]

_LAST_LINES = 20
_TAIL_BYTES = 8_000


@dataclass
class Child:
    """A process of ours. Its lines go to the sink, or without one to the file `log`, which restarts append to."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    sink: LineSink | None = None
    grace_seconds: float = 10.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)
    _pump: threading.Thread | None = field(default=None, init=False, repr=False)
    _last: deque[str] = field(default_factory=lambda: deque[str](maxlen=_LAST_LINES), init=False, repr=False)

    @property
    def running(self) -> bool:
        """Whether it is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id. Raises ChildError when it was not started."""
        if self._process is None:
            raise ChildError(f"{self.name} was not started.")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended: its code, or the negative number of the signal that killed it; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it. Raises ChildError when it runs already or cannot be started."""
        if self.running:
            raise ChildError(f"{self.name} runs already.")
        self._last.clear()
        try:
            if self.sink is None:
                with self.log.open("ab") as log:
                    self._process = self._open(log.fileno())
            else:
                self._process = self._open(subprocess.PIPE)
                self._pump = threading.Thread(target=self._forward, name=f"{self.name}-lines", daemon=True)
                self._pump.start()
        except OSError as error:
            raise ChildError(f"{self.name} cannot be started: {error.strerror}.") from error

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> bool:
        """Ask it to end and wait. Returns False when it had to be killed after the grace."""
        if not self.running:
            self.wait()
            return True
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # one that is paused could not hear it
        try:
            self.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def wait(self, timeout_seconds: float | None = None) -> None:
        """Wait until it has ended and all its lines are out. Raises subprocess.TimeoutExpired."""
        if self._process is not None:
            self._process.wait(timeout_seconds)
        if self._pump is not None:
            self._pump.join(1.0)  # a grandchild may hold the pipe open; its words are not waited for

    def said(self) -> str:
        """Return its last lines."""
        if self.sink is not None:
            return "\n".join(self._last)
        try:
            return self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    def _open(self, output: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=dict(os.environ) | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Its own session: Ctrl-C in the terminal is for the parent, which ends the children in order.
            start_new_session=True,
        )

    def _forward(self) -> None:
        if self._process is None or self._process.stdout is None or self.sink is None:
            return
        with self._process.stdout as stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self._last.append(line)
                self.sink(self.name, line)
