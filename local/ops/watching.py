"""Watches work that goes on elsewhere until it has ended: a bar on a terminal, a line now and then without one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from local.ops.api import UnreachableError
from local.ops.exits import Exit, OpsError
from local.ops.screen import Screen

_PATIENCE_SECONDS = 120.0  # a restart of the app interrupts nothing, and should not end the watching
_LINE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where the work stands."""

    state: str
    done: int
    total: int | None
    words: str
    ended: bool


@dataclass(slots=True)
class Watch:
    """Asks where the work stands until it has ended."""

    screen: Screen
    read: Callable[[], dict[str, Any]]
    look: Callable[[dict[str, Any]], Look]
    every_seconds: float = 0.5
    timeout_seconds: float | None = None

    def run(self) -> dict[str, Any]:
        """Return the work as it ended.

        Raises:
            OpsError: it did not end in time, or nobody has answered for a while.
        """
        if self.screen.err.is_terminal and not self.screen.as_json:
            return self._with_bar()
        return self._with_lines()

    def _with_bar(self) -> dict[str, Any]:
        columns = TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[words]}")
        with Progress(*columns, TimeElapsedColumn(), console=self.screen.err) as progress:
            task: TaskID = progress.add_task("", total=None, words="")

            def draw(now: Look) -> None:
                progress.update(task, description=now.state, completed=now.done, total=now.total, words=now.words)

            return self._until_ended(draw)

    def _with_lines(self) -> dict[str, Any]:
        said, said_at = "", 0.0

        def draw(now: Look) -> None:
            nonlocal said, said_at
            line = f"{now.state}: {now.words}"
            changed = now.state != said.partition(":")[0] or time.monotonic() - said_at >= _LINE_SECONDS
            if line != said and (changed or now.ended) and not self.screen.as_json:
                self.screen.note(line)
                said, said_at = line, time.monotonic()

        return self._until_ended(draw)

    def _until_ended(self, draw: Callable[[Look], None]) -> dict[str, Any]:
        began = heard = time.monotonic()
        while True:
            try:
                found = self.read()
            except UnreachableError:
                if time.monotonic() - heard > _PATIENCE_SECONDS:
                    raise
            else:
                heard = time.monotonic()
                now = self.look(found)
                draw(now)
                if now.ended:
                    return found
            if self.timeout_seconds is not None and time.monotonic() - began > self.timeout_seconds:
                raise OpsError(f"It has not ended within {self.timeout_seconds:g} s; it goes on.", Exit.ATTENTION)
            time.sleep(self.every_seconds)
