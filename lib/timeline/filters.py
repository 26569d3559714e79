"""Which entries of a timeline are asked for: by period, type, channel and kind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lib.errors import MalformedRequestError
from lib.timeline.entries import TIMELINE_PREFIX, timeline_from
from lib.timeline.ranges import KeyRange

_MOMENT: Final = timedelta(milliseconds=1)


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

    def range(self) -> KeyRange:
        """Return the rows that hold these entries.

        Raises:
            BadPeriodError: the period ends before it begins.
        """
        if self.from_at is not None and self.to_at is not None and self.from_at >= self.to_at:
            raise BadPeriodError
        asked = {"type": self.type, "channel": self.channel, "kind": self.kind}
        whole = KeyRange.of_prefix(TIMELINE_PREFIX)
        return KeyRange(
            from_key=timeline_from(self.to_at - _MOMENT) if self.to_at is not None else whole.from_key,
            below_key=timeline_from(self.from_at - _MOMENT) if self.from_at is not None else whole.below_key,
            where={name: value for name, value in asked.items() if value is not None},
        )
