"""Time that is never waited for: an event loop whose clock jumps to the next thing that is due.

Nothing in a simulation waits for the outside, so the order in which its tasks go on is decided by the waits they ask
for and by nothing else: the same waits give the same order, and `asyncio.sleep` in `lib` costs nothing.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from selectors import SelectorKey, SelectSelector

_START = datetime(2026, 1, 1, tzinfo=UTC)


class NothingLeftToDoError(Exception):
    """Every task waits for another: the simulation would stand still for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which seconds pass only when every task waits."""

    def __init__(self) -> None:
        """Begin at second 0."""
        self._seconds = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._seconds

    def jump(self, seconds: float) -> None:
        """Let time pass, and a microsecond more: rounding must not leave it just short of what is due."""
        self._seconds += seconds + 1e-6


class _Jumping(SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise NothingLeftToDoError
        if timeout > 0:
            self._loop.jump(timeout)
        return []


@dataclass(slots=True)
class InstanceClock:
    """The clock of one instance: the loop's time, and how far this instance is wrong about it."""

    loop: asyncio.AbstractEventLoop
    skew_seconds: float = 0.0

    def now(self) -> datetime:
        """Return what this instance believes the time to be."""
        return _START + timedelta(seconds=self.loop.time() + self.skew_seconds)
