"""What the person at the terminal sees: every child's lines, told apart, and where to find everything."""

import sys
import threading
from dataclasses import dataclass, field
from typing import TextIO

_COLOURS = {"app": "\x1b[36m", "mainframe": "\x1b[35m", "azurite": "\x1b[34m"}
_BOLD, _RED, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"
_WIDTH = max(map(len, _COLOURS))


@dataclass
class Terminal:
    """Writes whole lines, one at a time whoever asks; colour only when somebody is looking."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    colour: bool = field(default=False, init=False)
    closed: bool = field(default=False, init=False)  # whether it was a window that somebody has closed since
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.colour = self.out.isatty()

    def line(self, name: str, text: str) -> None:
        """Write a child's line behind its name."""
        mark = f"{name:<{_WIDTH}} |"
        self._write(f"{_COLOURS.get(name, '')}{mark}{_PLAIN} {text}" if self.colour else f"{mark} {text}")

    def say(self, text: str) -> None:
        """Write our own line."""
        self._write(f"{_BOLD}{text}{_PLAIN}" if self.colour and text else text)

    def fail(self, text: str) -> None:
        """Write why it cannot go on."""
        self._write(f"{_RED}{text}{_PLAIN}" if self.colour else text)

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Write names and what they stand for in two columns."""
        width = max(len(name) for name, _ in rows)
        for name, text in rows:
            self._write(f"  {name:<{width}}  {text}")

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                self.out.write(f"{text}\n")
                self.out.flush()
            except (OSError, ValueError):
                # The reader is gone (`make run | head`, a closed window); the children must still be ended in order.
                self.closed = self.colour
