"""How long to wait before the next attempt: exponential, capped, with full jitter.

Full jitter draws evenly between zero and the bound, which spreads a crowd of retries best (Marc Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog, 2015).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

_LEAST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """Back-off between the attempts of one delivery."""

    base_seconds: float
    cap_seconds: float
    draw: Callable[[], float] = random.random

    def seconds(self, attempts: int) -> float:
        """Return how long to wait after this many attempts without success (at least 1)."""
        bound = min(self.cap_seconds, self.base_seconds * 2 ** min(attempts - 1, 30))
        return max(_LEAST_SECONDS, bound * self.draw())

    def spread(self, seconds: float) -> float:
        """Return a wait a little longer than asked, so that those who wait for the same thing do not come at once."""
        return seconds + self.draw() * max(_LEAST_SECONDS, seconds / 2)
