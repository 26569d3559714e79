"""What a customer has: whether what one entity names is there, in the customer's partition, whichever room keeps it."""

import asyncio
from collections.abc import Mapping

from lib.storage.ports import Row, Table


async def absent(table: Table, owner: str, keys: Mapping[str, str]) -> list[str]:
    """Return the names of those row keys, by name, under which nothing is kept: one storage call each, side by side."""
    rows = await asyncio.gather(*(table.get(owner, key) for key in keys.values()))
    return [name for name, row in zip(keys, rows, strict=True) if not _there(row)]


def _there(row: Row | None) -> bool:
    """Tell whether a row stands for something that was committed, and is no tombstone that a fence left."""
    return row is not None and row.values.get("version") != 0
