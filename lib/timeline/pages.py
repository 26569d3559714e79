"""Pages of a timeline: one range read each, newest first, whatever its length."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lib.errors import MalformedRequestError
from lib.paging import BadCursorError, Cursors, Page
from lib.storage.ports import Row, RowPage, Table
from lib.timeline.entries import TIMELINE_PREFIX, timeline_from

_AFTER_ALL: Final = TIMELINE_PREFIX[:-1] + chr(ord(TIMELINE_PREFIX[-1]) + 1)
_MOMENT: Final = timedelta(milliseconds=1)
# A cursor says after which entry a page goes on or, when storage read long without finding one, where it stopped.
_AFTER_KEY: Final = "k"
_RESUME: Final = "r"


class BadPeriodError(MalformedRequestError):
    """The period ends before it begins."""

    kind = "bad-period"
    title = "The period cannot be"

    def __init__(self) -> None:
        super().__init__("The parameter from has to be earlier than the parameter to.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFilter:
    """Which entries: those that happened from a moment on (inclusive) to another (exclusive), of this and that."""

    type: str | None = None
    channel: str | None = None
    kind: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None

    @property
    def where(self) -> Mapping[str, str]:
        """What rows have to hold."""
        asked = {"type": self.type, "channel": self.channel, "kind": self.kind}
        return {name: value for name, value in asked.items() if value is not None}

    def keys(self) -> tuple[str, str]:
        """Return the range of row keys of the period.

        Raises:
            BadPeriodError: it ends before it begins.
        """
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise BadPeriodError
        return (
            timeline_from(self.to_at - _MOMENT) if self.to_at is not None else TIMELINE_PREFIX,
            timeline_from(self.from_at - _MOMENT) if self.from_at is not None else _AFTER_ALL,
        )


@dataclass(frozen=True, slots=True)
class TimelinePages:
    """Reads the timelines in customers' partitions."""

    table: Table
    cursors: Cursors

    async def read(self, owner: str, asked: TimelineFilter, *, limit: int, cursor: str | None, name: str) -> Page[Row]:
        """Return a page of rows and the cursor of the next, in one storage call.

        What arrives while somebody pages takes its place: below the cursor it is still met, above it is not, and no
        entry is met twice or passed over for it.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
            BadPeriodError: the period ends before it begins.
        """
        from_key, below_key = asked.keys()
        listing = f"{name}:{owner}:{sorted(asked.where.items())}:{from_key}:{below_key}"
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
            owner, from_key=from_key, below_key=below_key, limit=limit, resume=resume, where=asked.where
        )
        following = _position(found, from_key)
        return Page(found.rows, self.cursors.give(following, listing=listing) if following else None)


def _position(found: RowPage, from_key: str) -> str | None:
    if found.resume is None:
        return None
    if found.rows:
        # Not where storage would go on: between there and this entry another may arrive.
        return f"{_AFTER_KEY}:{found.rows[-1].key}"
    return f"{_RESUME}:{found.resume}:{from_key}"
