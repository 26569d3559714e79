"""What a customer has: whether what one entity names is there, in the customer's partition, whichever room keeps it."""

import asyncio
from collections.abc import Mapping
from typing import Final

from lib.storage.ports import Row, Table

BELONGINGS: Final[Mapping[str, str]] = {
    "interaction_id": "interaction",
    "feedback_id": "feedback",
    "order_id": "order",
    "case_id": "case",
}
"""By which names other rooms speak of what a customer has, and what the keys of its rows begin with."""


async def absent(table: Table, owner: str, named: Mapping[str, str]) -> list[str]:
    """Return which of the things that are `named` (a name of `BELONGINGS`, an id) the customer does not have.

    It takes one storage call each, side by side.
    """
    rows = await asyncio.gather(*(table.get(owner, f"{BELONGINGS[name]}~{value}") for name, value in named.items()))
    return [name for name, row in zip(named, rows, strict=True) if not _there(row)]


def _there(row: Row | None) -> bool:
    """Tell whether a row stands for something that was committed, and is no tombstone that a fence left."""
    return row is not None and row.values.get("version") != 0
