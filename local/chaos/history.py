"""What was asked and what came of it: every write is ok, failed or unknown, and carries a mark of its own."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What the caller may believe. UNKNOWN: it was done, or not, or will be done."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What was asked."""

    CREATE = "create"
    AMEND = "amend"
    ORDER = "order"
    ORDER_CHANGE = "order change"
    CONSENT = "consent"
    CASE = "case"
    CASE_CHANGE = "case change"
    CASE_COMMENT = "case comment"


@dataclass(slots=True, kw_only=True)
class Write:
    """One write. `mark` is kept in a field of the entity, so that every version tells which write made it.

    `owner` is the customer to whom the entity belongs, when it is not a customer itself.
    """

    mark: str
    kind: Kind
    outcome: Outcome = Outcome.UNKNOWN
    entity_id: str | None = None
    owner: str | None = None
    expected: int | None = None
    version: int | None = None
    key: str | None = None
    race: int | None = None
    statuses: list[str] = field(default_factory=list[str])
    answer: str = ""


@dataclass(slots=True)
class History:
    """All writes of a run, and what else was counted on the way."""

    writes: list[Write] = field(default_factory=list[Write])
    counts: Counter[str] = field(default_factory=Counter[str])
    breaches: list[str] = field(default_factory=list[str])
    samples: int = 0

    def add(self, write: Write) -> Write:
        """Remember a write that is about to be asked."""
        self.writes.append(write)
        return write

    def of(self, *outcomes: Outcome) -> list[Write]:
        """Return the writes with one of these outcomes."""
        return [write for write in self.writes if write.outcome in outcomes]

    def by_mark(self) -> dict[str, Write]:
        """Return the writes by their mark."""
        return {write.mark: write for write in self.writes}

    def summary(self) -> dict[str, int]:
        """Return how many writes ended how."""
        ended = Counter(f"{write.kind} {write.outcome}" for write in self.writes)
        return dict(sorted(ended.items())) | {"writes": len(self.writes)}
