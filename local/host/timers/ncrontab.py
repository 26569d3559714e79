"""NCRONTAB: `{second} {minute} {hour} {day} {month} {weekday}`, where the first may be left out.

Unlike crontab on Unix, day and weekday must both match, and Sunday is 0 and never 7.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIVE, _SIX = 5, 6
# February 29 on a given weekday comes within 28 years, or 40 across a century without a leap year.
_HORIZON_YEARS = 41


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        return frozenset().union(*(self._part(part) for part in text.split(",")))

    def _part(self, text: str) -> frozenset[int]:
        span, slash, step_text = text.partition("/")
        step = 1
        if slash:
            if not step_text.isdecimal() or int(step_text) == 0:
                raise ValueError(f"'{text}' is not a valid {self.name}: the step must be a whole number from 1.")
            step = int(step_text)
        if span == "*":
            return frozenset(range(self.least, self.most + 1, step))
        first_text, dash, last_text = span.partition("-")
        first = self._value(first_text)
        last = self._value(last_text) if dash else self.most if slash else first
        # NCRONTAB reads a range that is written backwards as the same range.
        return frozenset(range(min(first, last), max(first, last) + 1, step))

    def _value(self, text: str) -> int:
        if text.isdecimal():
            value = int(text)
        else:
            found = [at for at, name in enumerate(self.names) if text and name.startswith(text.lower())]
            value = found[0] + self.least if found else self.most + 1
        if not self.least <= value <= self.most:
            raise ValueError(f"'{text}' is not a valid {self.name}: it goes from {self.least} to {self.most}.")
        return value


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True)
class Ncrontab:
    """A parsed expression: `next_after(moment)` is the first occurrence later than the moment, in its time zone."""

    expression: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """Return the next occurrence. Raises ValueError when there is none, as for the 31st of February."""
        at = (moment + timedelta(seconds=1)).replace(microsecond=0)
        last_year = at.year + _HORIZON_YEARS
        while at.year <= last_year:
            if at.month not in self.months:
                at = _next_month(at)
            elif not self._is_day(at):
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in self.seconds:
                at += timedelta(seconds=1)
            else:
                return at
        raise ValueError(f"'{self.expression}' never occurs.")

    def _is_day(self, at: datetime) -> bool:
        return at.day in self.days and at.isoweekday() % 7 in self.weekdays


def parse_ncrontab(expression: str) -> Ncrontab:
    """Read an expression of five or six fields. Raises ValueError with the field that is wrong."""
    parts = expression.split()
    if len(parts) == _FIVE:
        parts = ["0", *parts]
    if len(parts) != _SIX:
        raise ValueError(f"'{expression}' has {len(parts)} fields; NCRONTAB has five or six.")
    seconds, minutes, hours, days, months, weekdays = (
        one.parse(part) for one, part in zip(_FIELDS, parts, strict=True)
    )
    return Ncrontab(expression, seconds, minutes, hours, days, months, weekdays)


def _next_month(at: datetime) -> datetime:
    first = at.replace(day=1, hour=0, minute=0, second=0)
    return first.replace(year=at.year + 1, month=1) if at.month == 12 else first.replace(month=at.month + 1)  # noqa: PLR2004
