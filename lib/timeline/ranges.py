"""Pages of a range of rows in a customer's partition: one storage call each, and a cursor that holds its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lib.paging import BadCursorError, Cursors, Page
from lib.storage.ports import Row, RowPage, Table

# A cursor says after which row a page goes on or, when storage read long without finding one, where it stopped.
_AFTER_KEY: Final = "k"
_RESUME: Final = "r"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRange:
    """Rows from a key on and below another whose values are these."""

    from_key: str
    below_key: str
    where: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of_prefix(cls, prefix: str, *, where: Mapping[str, str] | None = None) -> "KeyRange":
        """Return the range of all keys that begin so."""
        return cls(from_key=prefix, below_key=prefix[:-1] + chr(ord(prefix[-1]) + 1), where=where or {})


@dataclass(frozen=True, slots=True)
class RangePages:
    """Reads ranges page by page."""

    table: Table
    cursors: Cursors

    async def read(self, owner: str, asked: KeyRange, *, limit: int, cursor: str | None, name: str) -> Page[Row]:
        """Return a page of rows in key order and the cursor of the next, in one storage call.

        What arrives while somebody pages takes its place: below the cursor it is still met, above it is not, and no
        row is met twice or passed over for it.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"{name}:{owner}:{sorted(asked.where.items())}:{asked.from_key}:{asked.below_key}"
        from_key: str = asked.from_key
        resume: str | None = None
        if cursor is not None:
            position, _, place = self.cursors.take(cursor, listing=listing).partition(":")
            if position == _AFTER_KEY:
                from_key = f"{place}!"
            elif position == _RESUME:
                resume, _, from_key = place.partition(":")
            else:
                raise BadCursorError("The cursor is not one that this list gave out.")
        found = await self.table.page(
            owner, from_key=from_key, below_key=asked.below_key, limit=limit, resume=resume, where=asked.where
        )
        following = _position(found, from_key)
        return Page(found.rows, self.cursors.give(following, listing=listing) if following else None)


def _position(found: RowPage, from_key: str) -> str | None:
    if found.resume is None:
        return None
    if found.rows:
        # Not where storage would go on: between there and this row another may arrive.
        return f"{_AFTER_KEY}:{found.rows[-1].key}"
    return f"{_RESUME}:{found.resume}:{from_key}"
