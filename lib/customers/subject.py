"""The customers' doors: for the relay, for deliveries and for reconciliation, and for those who find by identifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.changes.subjects import IndexEntry, IndexPage, Snapshot
from lib.customers.rules import indexed_of
from lib.customers.store import CUSTOMER_PREFIX, CustomerStore, KeptCustomer, holder_of, kept_from
from lib.identifiers.holders import Truth, ids_after


@dataclass(frozen=True, slots=True)
class CustomerSource:
    """Shows customers as a subject whose changes are carried to consumers."""

    store: CustomerStore

    @property
    def id_prefix(self) -> str:
        """What the ids of customers begin with."""
        return CUSTOMER_PREFIX

    async def snapshot(self, entity_id: str, partition: str) -> Snapshot:
        """Return the latest committed state, in one storage call. A customer's partition is its own."""
        if partition != entity_id:
            raise ValueError("a customer is kept in its own partition")
        kept = await self.store.read(entity_id)
        version = kept.version if kept else 0
        return Snapshot(id=entity_id, version=version, partition=entity_id, row=kept.row if kept else None)

    async def partition_of(self, entity_id: str) -> str | None:
        """Return where a customer is kept: under its own id."""
        return entity_id

    def state(self, snapshot: Snapshot) -> Mapping[str, Any]:
        """Return a committed snapshot in full, as JSON values by their wire names, sensitive values included."""
        return _kept(snapshot).customer().model_dump(mode="json", by_alias=True, exclude_none=True)

    async def fence(self, snapshot: Snapshot) -> None:
        """Rewrite the profile unchanged, or leave a tombstone where there is none.

        Raises:
            FenceLostError: it was written since the snapshot.
        """
        await self.store.fence(snapshot.id, snapshot.row)

    async def index_page(self, *, from_id: str, below_id: str, limit: int, resume: str | None) -> IndexPage:
        """Return up to `limit` customers of a range of ids, in one storage call. The index may be seconds late."""
        rows = await self.store.list_page(limit=limit, resume=resume, from_id=from_id, below_id=below_id)
        return IndexPage(
            [IndexEntry(row.key, row.key, int(str(row.values["version"]))) for row in rows.rows], rows.resume
        )

    async def refresh_indexes(self, snapshot: Snapshot) -> None:
        """Bring the list of customers up to at least this snapshot; older state never overwrites newer."""
        await self.store.refresh_index(_kept(snapshot), snapshot.id)


@dataclass(frozen=True, slots=True)
class CustomerHolders:
    """Tells which identifiers customers hold by their own profiles."""

    store: CustomerStore

    async def truth(self, source_id: str, customer_id: str) -> Truth | None:
        """Return what is committed of a customer, in one storage call; None when there is none."""
        kept = await self.store.read(source_id) if source_id == customer_id else None
        if kept is None or kept.version == 0:
            return None
        return Truth(
            holder=holder_of(customer_id),
            version=kept.version,
            identifiers=indexed_of(kept.customer()),
            book=self.store.book(kept, customer_id),
        )

    async def after(self, source_id: str, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to `limit` customers behind this id; fewer only at the end."""
        return await ids_after(CustomerSource(self.store), source_id, limit=limit)


def _kept(snapshot: Snapshot) -> KeptCustomer:
    if snapshot.row is None:
        raise ValueError("nothing was committed yet")
    return kept_from(snapshot.row)
