"""A pause of deliveries for a planned maintenance window: who asked for it, why, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from lib.clock import parse_rfc3339, rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Deliveries are held back from `at` until somebody resumes them, or until `until` if that is given."""

    at: datetime
    by: str
    reason: str
    ticket: str
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether it has not ended by itself."""
        return self.until is None or now < self.until

    def asks_the_same(self, other: "Pause") -> bool:
        """Tell whether another pause asks for nothing else, whoever asked and when."""
        return (self.reason, self.ticket, self.until) == (other.reason, other.ticket, other.until)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self | None:
        """Return the pause that the breaker's row keeps, if any; it may have ended."""
        if "pausedAt" not in values:
            return None
        until = values.get("pausedUntil")
        return cls(
            at=parse_rfc3339(str(values["pausedAt"])),
            by=str(values["pausedBy"]),
            reason=str(values["pauseReason"]),
            ticket=str(values["pauseTicket"]),
            until=parse_rfc3339(str(until)) if until else None,
        )

    def values(self) -> dict[str, str]:
        """Return what the breaker's row keeps."""
        kept = {
            "pausedAt": rfc3339(self.at),
            "pausedBy": self.by,
            "pauseReason": self.reason,
            "pauseTicket": self.ticket,
        }
        return kept | ({"pausedUntil": rfc3339(self.until)} if self.until else {})
