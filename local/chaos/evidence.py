"""What can be seen afterwards: everything the API, the mainframe and the poison queues tell about every entity."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.chaos.drain import Backlog
from local.chaos.history import History
from local.chaos.listed import Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Where the delivery of an entity stands by our word, and what the mainframe holds of it."""

    delivery: Mapping[str, Any]
    version: int
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityEvidence:
    """One entity as the API shows it. `marks` says which write made each version, `listed_version` what its list shows.

    `held` is None for what is not carried to the mainframe.
    """

    id: str
    version: int
    mark: str
    marks: Mapping[int, str]
    listed_version: int | None
    held: Held | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupEvidence:
    """Who has an identifier by all profiles, and who is found by it."""

    identifier: str
    holders: frozenset[str]
    found: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a verdict rests on. `expected` says how often each fault has to have `fired` at least."""

    history: History
    entities: Mapping[str, EntityEvidence]
    journal: Sequence[Mapping[str, Any]]
    mainframe: Mapping[str, Any]
    lookups: Sequence[LookupEvidence] = ()
    listed: Listed = field(default_factory=Listed)
    backlog: Backlog = field(default_factory=lambda: Backlog(messages=0, outbox=0, undelivered=0))
    drain_seconds: float = 0.0
    drain_limit_seconds: float = 0.0
    fired: Mapping[str, int] = field(default_factory=dict[str, int])
    expected: Mapping[str, int] = field(default_factory=dict[str, int])
    hosts_stopped: bool = False


def totals(counters: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return several counts as one."""
    added: Counter[str] = Counter()
    for counter in counters:
        added.update(counter)
    return dict(sorted(added.items()))
