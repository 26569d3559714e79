"""What we tell of a customer's timeline: everything that happened, newest first, page by page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lib.paging import Page
from lib.timeline.entries import TimelineEntry, read_entry
from lib.timeline.filters import TimelineFilter
from lib.timeline.ranges import RangePages

_LISTING: Final = "timeline"


@dataclass(frozen=True, slots=True)
class TimelineService:
    """The timeline of each customer.

    `check` refuses what cannot be a customer's id, and `require` finds whether there is such a customer: the rooms of
    customers are above this one.
    """

    pages: RangePages
    check: Callable[[str], None]
    require: Callable[[str], Awaitable[str]]

    async def page(
        self, *, customer_id: str, asked: TimelineFilter, limit: int, cursor: str | None
    ) -> Page[TimelineEntry]:
        """Return a page of what happened to a customer, newest first, in one storage call.

        An entry that is told late takes its place among what happened around it.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
            BadPeriodError: the period ends before it begins.
        """
        self.check(customer_id)
        found = await self.pages.read(customer_id, asked.range(), limit=limit, cursor=cursor, name=_LISTING)
        if not found.items and found.cursor is None and cursor is None:
            await self.require(customer_id)
        return Page([read_entry(row) for row in found.items], found.cursor)
