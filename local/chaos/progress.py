"""What was seen of a replay while it ran: that its counts add up at every look, and how fast it went when it could.

The rate is that of the stretches between interruptions, taken together: from the first look in a stretch that shows
more sent than the one before, to the last such look, because a replay sends in slices. An interruption lasts from the
blow (or the pause) to the first look that shows more sent than the first look after it: the host's start, the time for
which storage hides the message of a slice that died, and the time for which the replay waits for its dead holder. What
the first slice afterwards makes up for counts for no stretch, but for the most that was sent in any ten seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Self

_ENDED: Final = frozenset({"completed", "stopped", "cancelled"})
_OUTCOMES: Final = ("replayed", "superseded", "rejectedAgain", "waiting")
WINDOW_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The replay at one moment."""

    at: float
    state: str
    sent: int
    counts: Mapping[str, int]

    @classmethod
    def of(cls, at: float, shown: Mapping[str, Any]) -> Self:
        """Return what a look showed."""
        return cls(at=at, state=shown["state"], sent=shown["sent"], counts=shown["counts"])

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in _ENDED

    @property
    def running(self) -> bool:
        """Whether it sends at its rate."""
        return self.state == "running"

    @property
    def adds_up(self) -> bool:
        """Whether everything selected is accounted for."""
        return self.counts["selected"] == sum(self.counts[name] for name in _OUTCOMES)


@dataclass(slots=True)
class Interruption:
    """A stretch in which the replay stood still. `base` is what was sent when it could go on."""

    why: str
    began: float
    over: float | None = None
    base: int | None = None
    ended: float | None = None

    def __str__(self) -> str:
        over, ended = self.over or self.began, self.ended or self.began
        return f"{self.why}: could go on after {over - self.began:.1f} s, did after {ended - self.began:.1f} s"


@dataclass(slots=True)
class Progress:
    """All looks at one replay, and what interrupted it."""

    looks: list[Look] = field(default_factory=list[Look])
    against: list[str] = field(default_factory=list[str])
    interruptions: list[Interruption] = field(default_factory=list[Interruption])

    def add(self, look: Look) -> bool:
        """Take up a look, and tell whether anything had moved since the last one."""
        last = self.looks[-1] if self.looks else None
        if not look.adds_up:
            self.against.append(f"the counts do not add up: {dict(look.counts)}")
        if last is not None and (look.sent < last.sent or _settled(look) < _settled(last)):
            self.against.append(f"went backwards: {last}, then {look}")
        self.looks.append(look)
        self._end_interruption(look)
        return last is None or (look.sent, look.counts, look.state) != (last.sent, last.counts, last.state)

    def interrupted(self, why: str, at: float) -> None:
        """Be told of a blow."""
        self.interruptions.append(Interruption(why, at))

    def may_go_on(self, at: float) -> None:
        """Be told that the replay could go on from now."""
        self.interruptions[-1].over = at

    @property
    def running_seconds(self) -> float:
        """For how long the rate was measured."""
        return sum(last.at - first.at for first, last in self._stretches())

    @property
    def per_second(self) -> float:
        """The rate between interruptions."""
        seconds = self.running_seconds
        return sum(last.sent - first.sent for first, last in self._stretches()) / seconds if seconds else 0.0

    @property
    def most_in_window(self) -> int:
        """The most that was sent in any ten seconds, interruptions and what was made up for included."""
        running = [look for look in self.looks if look.counts["selected"]]
        most = 0
        start = 0
        for look in running:
            while look.at - running[start].at > WINDOW_SECONDS:
                start += 1
            most = max(most, look.sent - running[start].sent)
        return most

    def __str__(self) -> str:
        blows = "; ".join(map(str, self.interruptions))
        return f"{len(self.looks)} looks, {self.running_seconds:.1f} s between interruptions ({blows})"

    def _stretches(self) -> Iterator[tuple[Look, Look]]:
        running = [look for look in self.looks if look.running]
        if not running:
            return
        starts = [running[0].at, *(one.ended for one in self.interruptions if one.ended is not None)]
        ends = [*(one.began for one in self.interruptions), self.looks[-1].at]
        for start, end in zip(starts, ends, strict=False):
            moved = [look for look in _moves(self.looks) if start <= look.at <= end]
            if len(moved) > 1:
                yield moved[0], moved[-1]

    def _end_interruption(self, look: Look) -> None:
        one = self.interruptions[-1] if self.interruptions else None
        if one is None or one.over is None or one.ended is not None:
            return
        if one.base is None:
            one.base = look.sent
        elif look.sent > one.base or look.ended:
            one.ended = look.at


def _moves(looks: Sequence[Look]) -> list[Look]:
    return [look for before, look in pairwise(looks) if look.sent > before.sent]


def _settled(look: Look) -> int:
    return look.counts["selected"] - look.counts["waiting"]
