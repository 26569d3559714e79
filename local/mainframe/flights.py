"""Which calls are under way for which key: two at once for one customer are worth knowing."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from local.mainframe.stats import Stats


class Caller(Protocol):
    """Whoever waits for an answer."""

    def gone(self) -> bool:
        """Tell whether nobody waits any more."""
        ...


@dataclass(slots=True)
class Flights:
    """Counts calls under way, and tells live overlaps from those with a call whose caller gave up."""

    stats: Stats
    _by_key: defaultdict[tuple[str, str], list[Caller]] = field(
        default_factory=lambda: defaultdict[tuple[str, str], list[Caller]](list)
    )

    @contextmanager
    def one(self, subject: str, key: str, caller: Caller) -> Generator[int]:
        """Register an update for as long as it runs. Yields how many others with a live caller run for its key."""
        others = self._by_key[subject, key]
        live = sum(not other.gone() for other in others)
        self.stats.overlaps += live > 0
        self.stats.overlaps_with_abandoned += len(others) > live
        others.append(caller)
        try:
            yield live
        finally:
            others.remove(caller)
            if not others:
                del self._by_key[subject, key]
