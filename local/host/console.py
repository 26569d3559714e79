"""What the person at the terminal reads: one line per request and per message, and the app's own log."""

import asyncio
import contextlib
import contextvars
import io
import logging
import os
import sys
import threading
import time
import traceback
from typing import TextIO

# Which function is running here: set around every invocation, shown beside what the app logs.
current_function: contextvars.ContextVar[str] = contextvars.ContextVar("current_function", default="")

_FLUSH_SECONDS = 0.05
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_RED, _YELLOW, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Console:
    """Writes lines cheaply: they gather for a twentieth of a second and go out in one write."""

    def __init__(self, out: TextIO | None = None, *, level: str = "info") -> None:
        self._out = out or sys.stdout
        self._lines: list[str] = []
        self._lock = threading.Lock()  # functions in the thread pool log as well
        self._flush_planned = False
        self._second = -1
        self._clock_text = ""
        # Under `make run` our lines go through its terminal; it says so when somebody looks.
        self._colour = self._out.isatty() or os.environ.get("FORCE_COLOR") == "1"
        self.level = logging.INFO
        self.set_level(level)

    def set_level(self, level: str) -> None:
        """Show lines from this level on: debug, info, warning or error."""
        self.level = _LEVELS.get(level.lower(), logging.INFO)

    @property
    def debug_wanted(self) -> bool:
        """Whether LOG=debug asked for more."""
        return self.level <= logging.DEBUG

    def request(
        self, *, trace: str, method: str, path: str, status: int, elapsed_seconds: float, function: str
    ) -> None:
        """Write the line of one HTTP request; `path` comes without its query, which may hold keys and names."""
        if self.level > logging.INFO and status < _SERVER_ERROR:
            return
        line = f"{self._clock()} {trace} {method} {path} {status} {elapsed_seconds * 1000:.1f}ms {function}"
        if self._colour and status >= _CLIENT_ERROR:
            line = f"{_RED if status >= _SERVER_ERROR else _YELLOW}{line}{_PLAIN}"
        self._write(line)

    def message(
        self, *, queue: str, function: str, message_id: str, dequeue_count: int, outcome: str, elapsed_seconds: float
    ) -> None:
        """Write the line of one queue message; never its body."""
        line = (
            f"{self._clock()} queue={queue} {function} {message_id} dequeue={dequeue_count} "
            f"{outcome} {elapsed_seconds * 1000:.1f}ms"
        )
        self._levelled(logging.INFO if outcome == "done" else logging.WARNING, line)

    def always(self, text: str) -> None:
        """Write one line whatever LOG says, and at once: what people and tools wait for."""
        self._write(f"{self._clock()} {text}")
        self.flush()

    def info(self, text: str) -> None:
        """Write one line of ordinary news."""
        self._levelled(logging.INFO, f"{self._clock()} {text}")

    def warning(self, text: str) -> None:
        """Write one line about something that somebody may have to look at."""
        self._levelled(logging.WARNING, f"{self._clock()} WARNING {text}")

    def error(self, text: str, failure: BaseException | None = None) -> None:
        """Write what failed, with the stack when there is one, and at once."""
        line = f"{self._clock()} ERROR {text}"
        if failure is not None:
            line += "\n" + "".join(traceback.format_exception(failure)).rstrip()
        self._levelled(logging.ERROR, line)
        self.flush()

    def debug(self, text: str) -> None:
        """Write what only LOG=debug shows."""
        self._levelled(logging.DEBUG, f"{self._clock()} debug {text}")

    def flush(self) -> None:
        """Write what has gathered."""
        with self._lock:
            self._flush_planned = False
            text = "\n".join(self._lines)
            self._lines.clear()
        if text:
            # Who read our output may be gone (`| head`); that must not end the host.
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._out.write(text + "\n")
                self._out.flush()

    def capture_logging(self) -> None:
        """Show what the app and its libraries log, each line with the function that was running."""
        handler = _AppLog(self)
        root = logging.getLogger()
        for old in list(root.handlers):
            root.removeHandler(old)
        root.addHandler(handler)
        root.setLevel(self.level)
        # These say a line or more per storage call or connection; ours says what matters.
        for noisy in ("azure", "uvicorn", "asyncio", "aiohttp.access"):
            logging.getLogger(noisy).setLevel(max(self.level, logging.WARNING))

    def app_line(self, level: int, text: str) -> None:
        """Write one line that the app logged."""
        self._levelled(level, f"{self._clock()} {text}")

    def _levelled(self, level: int, line: str) -> None:
        if level < self.level:
            return
        if self._colour:
            colour = _RED if level >= logging.ERROR else _YELLOW if level >= logging.WARNING else ""
            colour = _DIM if level <= logging.DEBUG else colour
            line = f"{colour}{line}{_PLAIN}" if colour else line
        self._write(line)

    def _clock(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._clock_text = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = second
        return f"{self._clock_text}.{int((now - second) * 1000):03d}"

    def _write(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)
            planned, self._flush_planned = self._flush_planned, True
        if planned:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()  # no loop in this thread, so nobody would come back for it
        else:
            loop.call_later(_FLUSH_SECONDS, self.flush)


class _AppLog(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if record.module == "_http_asgi":
            return  # the library's debug lines print whole response bodies
        try:
            text = record.getMessage()
            if record.exc_info:
                stack = io.StringIO()
                traceback.print_exception(*record.exc_info, file=stack)
                text = f"{text}\n{stack.getvalue().rstrip()}"
            function = current_function.get()
            where = f"[{function}] {record.name}" if function else record.name
            self._console.app_line(record.levelno, f"{record.levelname.lower()} {where}: {text}")
        except Exception:  # noqa: BLE001 - logging must never break what it reports on; this prints the trouble instead
            self.handleError(record)
