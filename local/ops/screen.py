"""What the person at the terminal sees: tables, facts and sentences; JSON alone for scripts.

Nothing that came from the API is read as markup, and nothing in it reaches the terminal as a control sequence.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 160
_STYLES = {
    "ok": "green",
    "closed": "green",
    "inSync": "green",
    "completed": "green",
    "resolved": "green",
    "degraded": "yellow",
    "paused": "yellow",
    "halfOpen": "yellow",
    "pending": "yellow",
    "retrying": "yellow",
    "parked": "yellow",
    "replaying": "yellow",
    "down": "red",
    "open": "red",
    "rejected": "red",
    "stopped": "red",
    "cancelled": "red",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command writes. With `as_json` it writes documents only, and errors as documents too."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def show(self, document: Any, draw: Callable[[], None]) -> None:
        """Write the document for a script, or draw it for a person."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        else:
            draw()

    def say(self, text: str, style: str = "") -> None:
        """Write a line."""
        self.out.print(Text(printable(text), style=style))

    def note(self, text: str, style: str = "") -> None:
        """Write a line beside the result; it never gets into what a script reads."""
        self.err.print(Text(printable(text), style=style))

    def fail(self, sentence: str, problem: Mapping[str, Any] | None) -> None:
        """Write why a command could not be carried out."""
        if self.as_json:
            sys.stderr.write(json.dumps(dict(problem) if problem else {"detail": sentence}, ensure_ascii=False) + "\n")
        else:
            self.note(sentence, "red")

    def facts(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Write names and what they stand for; what is not known is left out."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(overflow="fold")
        for name, value in rows:
            if value is not None and value != "":
                grid.add_row(name, styled(value))
        self._draw(grid)

    def table(self, names: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[str] = ()) -> None:
        """Write a table; nothing is ever cut off, since ids are there to be copied."""
        drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name in names:
            drawn.add_column(name, overflow="fold", justify="right" if name in numbers else "left")
        for row in rows:
            drawn.add_row(*(styled(value) for value in row))
        self._draw(drawn)

    def _draw(self, table: Table) -> None:
        """Write a table without the spaces that fill its lines up: it is copied into tickets."""
        with self.out.capture() as drawn:
            self.out.print(table)
        self.out.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))


def styled(value: Any) -> Text:
    """Return a value as it is shown, states in their colour."""
    if isinstance(value, Text):
        return value
    text = "" if value is None else str(value)
    return Text(printable(text), style=_STYLES.get(text, ""))


def printable(text: str) -> str:
    """Return a text of which nothing is taken for a command by the terminal."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def moment(text: Any) -> str:
    """Return a time of the API to the second."""
    return f"{str(text)[:19].replace('T', ' ')}Z" if text else ""


def seconds(value: Any) -> str:
    """Return a duration as one would say it."""
    if not isinstance(value, int | float):
        return ""
    whole = int(value)
    if whole < 120:  # noqa: PLR2004 - up to two minutes people count in seconds
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    return f"{minutes} min" if minutes < 120 else f"{hours} h {minutes % 60} min"  # noqa: PLR2004 - as above


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # A file or pipe has no width that lines could be folded to.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _WIDTH_WITHOUT_TERMINAL
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
