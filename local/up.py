"""`make run`: the app, Azurite and the mock mainframe in one terminal, until Ctrl-C."""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from local.run.environment import RunSettings
from local.run.errors import StackError, StartStoppedError
from local.run.terminal import Terminal
from local.stack import LocalStack

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.1
_WARNING_SECONDS = 10.0


def main() -> int:
    """Serve until a signal, or until a part ends by itself. Returns 0 when it was asked to stop, else 1."""
    terminal = Terminal()
    try:
        settings = RunSettings.read()
    except StackError as error:
        terminal.fail(str(error))
        return 1
    stack = LocalStack(
        data=settings.data,
        ports=settings.ports,
        function_key=settings.function_key,
        environment={"FORCE_COLOR": "1"} if terminal.colour else {},
        sink=terminal.line,
    )
    return _Run(stack, settings, terminal).serve()


@dataclass
class _Run:
    stack: LocalStack
    settings: RunSettings
    terminal: Terminal
    signals: int = 0
    # Under make we end when make does: kill -9 of make would leave us serving to nobody.
    make_pid: int | None = field(default_factory=lambda: os.getppid() if "MAKELEVEL" in os.environ else None)

    def serve(self) -> int:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        started = time.monotonic()
        try:
            self.stack.start(stop_asked=self._stop_asked)
        except StartStoppedError:
            self.terminal.say("Stopped before everything ran; nothing is left running.")
            return 0
        except StackError as error:
            self.terminal.fail(str(error))
            return 1
        self._say_where(time.monotonic() - started)
        trouble = self._until_over()
        if trouble:
            self.terminal.fail(f"{trouble} Everything else is being stopped.")
        else:
            self.terminal.say("Stopping: running work is finished first. Ctrl-C again ends it at once.")
        self.stack.stop()
        self.terminal.say("Everything has stopped." if trouble else "Everything has stopped; the data is kept.")
        return 1 if trouble else 0

    def _until_over(self) -> str | None:
        look_at = 0.0
        while not self._stop_asked():
            if trouble := self.stack.ended():
                return trouble
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _WARNING_SECONDS
                if warning := self.stack.warning():
                    self.terminal.fail(warning)
            # No Event: setting one in a signal handler can wait for a lock that the interrupted code holds.
            time.sleep(_POLL_SECONDS)
        return None

    def _stop_asked(self) -> bool:
        return self.signals > 0 or self.terminal.closed or (self.make_pid is not None and os.getppid() != self.make_pid)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1
        if self.signals > 1:
            self.stack.hurry()

    def _say_where(self, seconds: float) -> None:
        ports, key = self.settings.ports, self.settings.function_key
        address = self.stack.base_url
        say = self.terminal.say
        say("")
        say(f"Serving in {seconds:.1f} s")
        self.terminal.table(
            [
                ("API", f"{address}/api/v1/customers"),
                ("Documentation", f"{address}/api/docs and {address}/api/private/docs"),
                ("Function key", f"{key} (header x-functions-key, for /api/private)"),
                ("Mainframe", f"127.0.0.1:{ports.mainframe}, control {self.stack.control_url}"),
                ("Storage", f"Azurite on 127.0.0.1:{ports.blob}-{ports.queue}-{ports.table} (blob, queue, table)"),
                ("Data", _short(self.settings.data)),
            ]
        )
        say("`make demo` in another terminal shows what it does. Ctrl-C stops it.")
        say("")


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())
