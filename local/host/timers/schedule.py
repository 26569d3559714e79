"""When a timer is due: an NCRONTAB expression or a fixed interval."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from local.host.timers.ncrontab import parse_ncrontab
from local.host.timespan import parse_timespan

_MONITOR_SECONDS = 60
_LOOKED_AT = 5


class Schedule(Protocol):
    """Tells occurrences."""

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence later than the moment."""
        ...


@dataclass(frozen=True)
class Interval:
    """A run every so often, counted from the last."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        """Return the moment plus the interval."""
        return moment + timedelta(seconds=self.seconds)


def parse_schedule(text: str) -> Schedule:
    """Read NCRONTAB, or else a TimeSpan. Raises ValueError when it is neither."""
    if " " in text.strip():
        return parse_ncrontab(text)
    seconds = parse_timespan(text)
    if seconds <= 0:
        raise ValueError(f"'{text}' is no interval.")
    return Interval(seconds)


def is_too_frequent_to_monitor(schedule: Schedule, now: datetime) -> bool:
    """Whether some of the next runs are less than a minute apart: then what was missed is not made up for."""
    moments = [schedule.next_after(now)]
    for _ in range(_LOOKED_AT):
        moments.append(schedule.next_after(moments[-1]))
    return any((later - earlier).total_seconds() < _MONITOR_SECONDS for earlier, later in pairwise(moments))
