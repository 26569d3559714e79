"""The door of entities in customers' partitions, for the relay, for deliveries and for reconciliation."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.changes.owned import OwnedEntities, kept_entity
from lib.changes.subjects import FenceLostError, IndexEntry, IndexPage, Snapshot
from lib.storage.errors import RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table

ENTITY_INDEX_TABLE: Final = "entityindex"
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class OwnedSource:
    """Shows the entities of one subject to those who carry their changes.

    `also` is called with every committed snapshot after its index row is up to date, for indexes of other rooms.
    """

    id_prefix: str
    entities: OwnedEntities
    index: Table
    also: Callable[[Snapshot], Awaitable[None]] | None = None

    async def snapshot(self, entity_id: str, partition: str) -> Snapshot:
        """Return the latest committed state, in one storage call."""
        row = await self.entities.table.get(partition, self.entities.key(entity_id))
        version = int(str(row.values["version"])) if row else 0
        return Snapshot(id=entity_id, version=version, partition=partition, row=row)

    async def partition_of(self, entity_id: str) -> str | None:
        """Return the customer in whose partition an entity is kept, or None when the index does not know it."""
        row = await self.index.get(self.entities.subject, entity_id)
        return str(row.values["owner"]) if row else None

    def state(self, snapshot: Snapshot) -> Mapping[str, Any]:
        """Return a committed snapshot in full, as JSON values by their wire names."""
        kept = kept_entity(snapshot.row)
        if kept is None:
            raise ValueError("nothing was committed yet")
        document: dict[str, Any] = json.loads(kept.document)
        return document

    async def fence(self, snapshot: Snapshot) -> None:
        """Rewrite the entity unchanged, or leave a tombstone where there is none.

        Raises:
            FenceLostError: it was written since the snapshot.
        """
        await self.entities.fence(snapshot.partition, snapshot.id, snapshot.row)

    async def index_page(self, *, from_id: str, below_id: str, limit: int, resume: str | None) -> IndexPage:
        """Return up to `limit` entities of a range of ids, in one storage call. The index may be seconds late."""
        page = await self.index.page(
            self.entities.subject, from_key=from_id, below_key=below_id, limit=limit, resume=resume
        )
        return IndexPage([_entry(row) for row in page.rows], page.resume)

    async def refresh_indexes(self, snapshot: Snapshot) -> None:
        """Bring the index rows of this entity up to at least this snapshot; older state never overwrites newer."""
        values = {"version": snapshot.version, "owner": snapshot.partition}
        for _ in range(_TRIES):
            row = await self.index.get(self.entities.subject, snapshot.id)
            if row is not None and int(str(row.values["version"])) >= snapshot.version:
                break
            write = Insert(snapshot.id, values) if row is None else Replace(snapshot.id, values, row.etag)
            try:
                await self.index.write(self.entities.subject, write)
            except (RowExistsError, RowChangedError):
                continue
            break
        else:
            raise FenceLostError
        if self.also is not None:
            await self.also(snapshot)


def _entry(row: Row) -> IndexEntry:
    return IndexEntry(row.key, str(row.values["owner"]), int(str(row.values["version"])))
