"""Time arrives through here, so that tests and simulations can set it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the machine's clock


@dataclass
class FixedClock:
    """A clock that stands still until it is moved: for tests and simulations."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        self.at += timedelta(seconds=seconds)


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with milliseconds, the form of every time on the wire and in rows."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Return the aware moment that `rfc3339` wrote. Raises ValueError for anything that names no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time needs an offset"
        raise ValueError(message)
    return moment.astimezone(UTC)


def in_milliseconds(moment: datetime) -> datetime:
    """Return a moment as it comes back from what `rfc3339` wrote: without what is finer than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
