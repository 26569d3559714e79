"""What the relay and the deliveries ask of a room whose entities are carried to consumers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lib.storage.ports import Row


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The latest kept row of one entity. `version` is 0 when nothing was committed yet."""

    id: str
    version: int
    partition: str
    row: Row | None

    @property
    def owner(self) -> str:
        """The customer in whose partition it is kept; empty for what has a partition of its own."""
        return owner_of(self.id, self.partition)


def owner_of(entity_id: str, partition: str) -> str:
    """Return who owns an entity that is kept in this partition; empty for what has a partition of its own."""
    return "" if partition == entity_id else partition


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An entity as the index knows it: where it is kept, and at which version it was last seen."""

    id: str
    partition: str
    version: int


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Some entities in storage's order. Only `resume` tells the end."""

    entries: Sequence[IndexEntry]
    resume: str | None


class FenceLostError(Exception):
    """The entity was written while it was being fenced: look again."""


class SubjectSource(Protocol):
    """A room's door for the relay, for deliveries and for reconciliation."""

    @property
    def id_prefix(self) -> str:
        """What the ids of its entities begin with, before the underscore."""
        ...

    async def snapshot(self, entity_id: str, partition: str) -> Snapshot:
        """Return the latest committed state of an entity that is kept in this partition, in one storage call."""
        ...

    async def partition_of(self, entity_id: str) -> str | None:
        """Return where an entity is kept, as the index knows it, or None when the index does not."""
        ...

    def state(self, snapshot: Snapshot) -> Mapping[str, Any]:
        """Return a committed snapshot in full, as JSON values by their wire names, sensitive values included."""
        ...

    async def fence(self, snapshot: Snapshot) -> None:
        """Rewrite the entity unchanged (or leave a tombstone where there is none) so that a late commit fails.

        Raises:
            FenceLostError: it was written since the snapshot.
        """
        ...

    async def index_page(self, *, from_id: str, below_id: str, limit: int, resume: str | None) -> IndexPage:
        """Return up to `limit` entities of a range of ids, in one storage call. The index may be seconds late."""
        ...

    async def refresh_indexes(self, snapshot: Snapshot) -> None:
        """Bring the index rows of this entity up to at least this snapshot; older state never overwrites newer."""
        ...
