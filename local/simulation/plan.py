"""The plan of one run: drawn from its seed, it says how big the run is and what will go wrong in it, and how often.

Each seed enables only some of the faults, at its own rates, and most seeds aim one of them at one named point: runs
that differ that much reach corners that an even mixture of everything hides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final, Self


class Fault(StrEnum):
    """What can go wrong, by the name under which it is counted."""

    REFUSED = "storage refused"
    LOST_REQUEST = "request lost"
    LOST_REPLY = "reply lost after it was done"
    LATE_ARRIVAL = "done after the caller gave up"
    OWN_CONFLICT = "conflict with itself"
    PAUSE_BEFORE = "paused before"
    PAUSE_AFTER = "paused after"
    KILL_BEFORE = "handler killed before"
    KILL_AFTER = "handler killed after"
    CRASH_BEFORE = "instance killed before"
    CRASH_AFTER = "instance killed after"
    DUPLICATE = "message duplicated"
    DELAY = "message delayed"
    CLOCK_JUMP = "clock jumped"
    OUTAGE = "storage outage"
    UNREACHABLE = "mainframe unreachable"
    SILENT_BEFORE = "mainframe silent, not applied"
    SILENT_AFTER = "mainframe silent, applied"
    SILENT_LATE = "mainframe silent, applied later"
    BUSY = "mainframe busy"
    ABEND = "mainframe abended"
    REJECT = "mainframe rejected"


class Sort(StrEnum):
    """Sorts of calls, which differ in what can happen to them."""

    READ = "read"
    WRITE = "write"
    SEND = "send"
    CALL = "call"


_PROCESS: Final = (
    Fault.PAUSE_BEFORE,
    Fault.PAUSE_AFTER,
    Fault.KILL_BEFORE,
    Fault.KILL_AFTER,
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
)
_UNKNOWN: Final = (Fault.LOST_REQUEST, Fault.LOST_REPLY, Fault.LATE_ARRIVAL)
APPLICABLE: Final[Mapping[Sort, tuple[Fault, ...]]] = {
    Sort.READ: (Fault.REFUSED, *_PROCESS),
    Sort.WRITE: (Fault.REFUSED, *_UNKNOWN, Fault.OWN_CONFLICT, *_PROCESS),
    Sort.SEND: (Fault.REFUSED, *_UNKNOWN, Fault.DUPLICATE, *_PROCESS),
    Sort.CALL: _PROCESS,
}
MOODS: Final = (
    Fault.UNREACHABLE,
    Fault.SILENT_BEFORE,
    Fault.SILENT_AFTER,
    Fault.SILENT_LATE,
    Fault.BUSY,
    Fault.ABEND,
)
POINTS: Final[Mapping[str, Sort]] = {
    "changes.send": Sort.SEND,
    "customers.get": Sort.READ,
    "customers.commit": Sort.WRITE,
    "customers.fence": Sort.WRITE,
    "customerindex.write": Sort.WRITE,
    "identifierindex.write": Sort.WRITE,
    "identifierindex.get": Sort.READ,
    "identifiers.write": Sort.WRITE,
    "identifiers.get": Sort.READ,
    "outbox.write": Sort.WRITE,
    "mainframe-updates.send": Sort.SEND,
    "mainframe-updates-poison.send": Sort.SEND,
    "delivery.note": Sort.WRITE,
    "delivery.settle": Sort.WRITE,
    "undelivered.write": Sort.WRITE,
    "undelivered.get": Sort.READ,
    "mainframe.write": Sort.WRITE,
    "failures.write": Sort.WRITE,
    "failure-outcomes.send": Sort.SEND,
    "replays.write": Sort.WRITE,
    "replay-requests.send": Sort.SEND,
    "flights.write": Sort.WRITE,
    "flights.get": Sort.READ,
    "flight-events.send": Sort.SEND,
    "mainframe.update": Sort.CALL,
}
# A clock may jump at a tick of the timers, of which a run has a dozen, where it has hundreds of calls.
_TICKS_ARE_FEW: Final = 10
# Where the protocol stands or falls: half of the aims are one of these.
_DANGERS: Final = (
    ("customers.commit", Fault.PAUSE_BEFORE),
    ("customers.commit", Fault.LOST_REPLY),
    ("customers.commit", Fault.LATE_ARRIVAL),
    ("changes.send", Fault.LOST_REQUEST),
    ("identifiers.write", Fault.PAUSE_AFTER),
    ("identifierindex.write", Fault.PAUSE_BEFORE),
    ("identifierindex.get", Fault.PAUSE_AFTER),
    ("delivery.note", Fault.CRASH_AFTER),
    ("mainframe.update", Fault.PAUSE_AFTER),
    ("delivery.settle", Fault.KILL_AFTER),
    ("undelivered.get", Fault.PAUSE_AFTER),
    ("mainframe-updates-poison.send", Fault.KILL_BEFORE),
    ("failures.write", Fault.CRASH_AFTER),
    ("replays.write", Fault.LOST_REPLY),
    ("flights.write", Fault.PAUSE_BEFORE),
    ("flights.write", Fault.LOST_REPLY),
    ("flights.get", Fault.PAUSE_AFTER),
)


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which one thing goes wrong always. `where` begins the names of the points that it touches."""

    begins_at: float
    ends_at: float
    fault: Fault
    where: str = ""

    def holds(self, now: float, point: str) -> bool:
        """Tell whether it touches this point now."""
        return self.begins_at <= now < self.ends_at and point.startswith(self.where)


@dataclass(frozen=True, slots=True)
class Focus:
    """One fault, aimed at one point."""

    point: str
    fault: Fault
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one seed does. Times in seconds since the beginning of the run; after `calm_at` nothing goes wrong."""

    rates: Mapping[Fault, float]
    focus: Focus | None
    windows: tuple[Window, ...]
    reject_one_in: int
    instances: int
    skews_seconds: tuple[float, ...]
    writers: int
    calm_at: float
    pause_seconds: float
    lease_seconds: float
    commit_window_seconds: float
    max_attempts: int

    @property
    def calm(self) -> bool:
        """Whether nothing goes wrong in this run at all."""
        return not self.rates and self.focus is None and not self.windows

    @property
    def only_the_mainframe_fails(self) -> bool:
        """Whether storage, messages and processes behave in this run."""
        faults = {*self.rates, *(window.fault for window in self.windows)}
        return self.focus is None and faults <= set(MOODS) and not any(self.skews_seconds)

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Return the plan of a seed."""
        calm = _chance(random, 0.05)
        storage = not calm and _chance(random, 0.9)
        window = random.choice((6.0, 12.0, 24.0))
        calm_at = random.choice((20.0, 40.0, 80.0))
        instances = random.randint(1, 3)
        rates: dict[Fault, float] = {}
        windows: list[Window] = []
        if not calm:
            rates |= {mood: random.choice((0.02, 0.1, 0.3)) for mood in MOODS if _chance(random, 0.35)}
            windows += _outages(random, calm_at)
        if storage:
            faults = [fault for faults in APPLICABLE.values() for fault in faults]
            for fault in dict.fromkeys((*faults, Fault.DELAY, Fault.CLOCK_JUMP)):
                if _chance(random, 0.3):
                    rates[fault] = random.choice((0.003, 0.01, 0.03))
            if Fault.CLOCK_JUMP in rates:
                rates[Fault.CLOCK_JUMP] *= _TICKS_ARE_FEW
            windows += _refusals(random, calm_at)
        return cls(
            rates=rates,
            focus=_aim(random) if storage and _chance(random, 0.7) else None,
            windows=tuple(windows),
            reject_one_in=random.choice((0, 0, 4, 10)),
            instances=instances,
            skews_seconds=_skews(random, instances) if storage else (0.0,) * instances,
            writers=random.randint(2, 7),
            calm_at=calm_at,
            pause_seconds=random.choice((0.3, 1.5, 1.5)) * window,
            lease_seconds=random.choice((12.0, 30.0, 120.0)),
            commit_window_seconds=window,
            max_attempts=random.choice((3, 50, 50)),
        )


def _chance(random: Random, share: float) -> bool:
    return random.random() < share


def _skews(random: Random, instances: int) -> tuple[float, ...]:
    widest = random.choice((0.0, 0.0, 0.0, 0.5, 8.0, 120.0))
    return tuple(random.uniform(-widest, widest) for _ in range(instances))


def _aim(random: Random) -> Focus:
    rate = random.choice((0.05, 0.2, 0.5))
    if _chance(random, 0.5):
        return Focus(*random.choice(_DANGERS), rate)
    point = random.choice(tuple(POINTS))
    return Focus(point, random.choice(APPLICABLE[POINTS[point]]), rate)


def _outages(random: Random, calm_at: float) -> list[Window]:
    fault = random.choice((Fault.UNREACHABLE, Fault.SILENT_BEFORE, Fault.BUSY))
    flaps = random.choice((0, 0, 1, 1, 4))
    return [_window(random, calm_at, fault, "mainframe.update", longest=0.8 / flaps) for _ in range(flaps)]


def _refusals(random: Random, calm_at: float) -> list[Window]:
    where = random.choice(
        (
            "",
            "changes.send",
            "customers",
            "mainframe-updates",
            "identifiers",
            "outbox",
            "delivery",
            "failures",
            "replay",
        )
    )
    count = random.choice((0, 0, 0, 1, 2))
    return [_window(random, calm_at, Fault.OUTAGE, where, longest=0.4) for _ in range(count)]


def _window(random: Random, calm_at: float, fault: Fault, where: str, *, longest: float) -> Window:
    begins_at = random.uniform(0, calm_at)
    return Window(begins_at, min(calm_at, begins_at + random.uniform(0, longest * calm_at)), fault, where)
