"""How orders are kept: a row each in their customer's partition, and beside it the rows of the customer's lists."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from lib.changes.owned import OwnedEntities
from lib.orders.listing import When, is_shown, key_range, list_rows
from lib.orders.models import Order
from lib.storage.ports import Delete, RowPage, Upsert


@dataclass(frozen=True, slots=True)
class OrderStore:
    """Reads orders and their lists."""

    entities: OwnedEntities

    async def list_writes(self, before: Order | None, after: Order) -> tuple[Upsert | Delete, ...]:
        """Return the writes that bring the lists from one version of an order to the next.

        Rows whose times no longer hold go away. Their etags are read, which costs a call only when a time changed: list
        rows are written with their order alone, so they stand as long as the order does.
        """
        rows = list_rows(after)
        gone = sorted(set(list_rows(before)) - set(rows)) if before else []
        found = await asyncio.gather(*(self.entities.table.get(after.customer_id, key) for key in gone))
        return (
            *(Upsert(key, values) for key, values in rows.items()),
            *(Delete(row.key, row.etag) for row in found if row is not None),
        )

    async def list_page(
        self, customer_id: str, *, when: When | None, state: str | None, now: datetime, limit: int, resume: str | None
    ) -> RowPage:
        """Return a page of a customer's list as it was at a moment, in one storage call; it may be short."""
        from_key, below_key = key_range(when, now)
        where = {"state": state} if state is not None else None
        page = await self.entities.table.page(
            customer_id, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=where
        )
        return RowPage([row for row in page.rows if is_shown(row, when, now)], page.resume)
