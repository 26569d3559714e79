"""What the stand-in has seen since it started."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Counts of calls, connections and overlaps."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    garbled_requests: int = 0
    connections_opened: int = 0
    connections_open: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    overlaps: int = 0
    overlaps_with_abandoned: int = 0
    last_applied_at: str | None = None

    def answered(self, transaction: str, outcome: str) -> None:
        """Count a call by its return code, or by what it got instead of one."""
        self.calls[transaction, outcome] += 1

    def calls_by_transaction(self) -> dict[str, dict[str, int]]:
        """Return the counts as they are shown."""
        shown: dict[str, dict[str, int]] = {}
        for (transaction, outcome), count in sorted(self.calls.items()):
            shown.setdefault(transaction, {})[outcome] = count
        return shown
