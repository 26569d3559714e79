"""How long an idle queue trigger waits: longer each time, by chance a little more or less, up to a limit."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

_STEP_SECONDS = 0.1
_LEAST_JITTER, _MOST_JITTER = 0.8, 1.2


def _jitter() -> float:
    return random.uniform(_LEAST_JITTER, _MOST_JITTER)  # noqa: S311 - spreads load, hides nothing


@dataclass
class Backoff:
    """Randomized exponential back-off: 100 ms at least, doubling by 100 ms steps, at most `most_seconds`."""

    most_seconds: float
    jitter: Callable[[], float] = _jitter
    _current: float = field(default=_STEP_SECONDS, init=False)
    _exponent: int = field(default=0, init=False)

    def next_delay(self, *, found_since_last: bool) -> float:
        """Return the next wait in seconds. Once the limit is reached it stays there until a message was found."""
        if found_since_last:
            self._current, self._exponent = _STEP_SECONDS, 1
        elif self._current != self.most_seconds:
            self._grow()
        return self._current

    def _grow(self) -> None:
        wait = _STEP_SECONDS
        if self._exponent > 0:
            wait += self.jitter() * 2 ** (self._exponent - 1) * _STEP_SECONDS
        if wait < self.most_seconds:
            self._current = wait
            self._exponent += 1
        else:
            self._current = self.most_seconds
