"""A mainframe in memory: holds the newest version of each key, keeps a journal, and misbehaves as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from lib.mainframe.errors import MainframeUnreachableError, NoAnswerError
from lib.mainframe.protocol import Reply, ReturnCode


class Behaviour(Enum):
    """How one call goes."""

    ANSWER = auto()
    UNREACHABLE = auto()
    NO_ANSWER_BEFORE = auto()
    NO_ANSWER_AFTER = auto()
    BUSY = auto()
    ABEND = auto()
    REJECT = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that reached the mainframe."""

    subject: str
    key: str
    version: int
    applied: bool


@dataclass
class MemoryMainframe:
    """A link with the mainframe at its end. `behave` is asked at each update, with its key and version."""

    behave: Callable[[str, int], Behaviour] = lambda _key, _version: Behaviour.ANSWER
    latency_seconds: float = 0.0
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    calls: int = 0
    overlaps: int = 0
    _busy_keys: set[str] = field(default_factory=set)

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:  # noqa: ARG002 - the link's shape
        """Answer an update as told."""
        behaviour = self.behave(key, version)
        if behaviour is Behaviour.UNREACHABLE:
            raise MainframeUnreachableError
        self.calls += 1
        self.overlaps += key in self._busy_keys
        self._busy_keys.add(key)
        try:
            await asyncio.sleep(self.latency_seconds)
        finally:
            self._busy_keys.discard(key)
        match behaviour:
            case Behaviour.NO_ANSWER_BEFORE:
                raise NoAnswerError
            case Behaviour.BUSY:
                return Reply(code=ReturnCode.BUSY)
            case Behaviour.ABEND:
                return Reply(code=ReturnCode.ABENDED)
            case Behaviour.REJECT:
                return Reply(code=ReturnCode.REJECTED, reason_code="E042", reason_text="not taken here")
            case _:
                reply = self._apply(subject, key, version, body)
        if behaviour is Behaviour.NO_ANSWER_AFTER:
            raise NoAnswerError
        return reply

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version that is held."""
        return self.held.get((subject, key))

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return keys and versions after a key."""
        found = sorted((key, version) for (kind, key), version in self.held.items() if kind == subject and key > after)
        return found[:limit]

    def applied(self, key: str) -> list[int]:
        """Return the versions of a key that had an effect, in order."""
        return [entry.version for entry in self.journal if entry.key == key and entry.applied]

    def _apply(self, subject: str, key: str, version: int, body: bytes) -> Reply:
        before = self.held.get((subject, key), 0)
        applied = version > before
        if applied:
            self.held[(subject, key)] = version
            self.bodies[key] = body
        self.journal.append(Entry(subject, key, version, applied))
        code = ReturnCode.APPLIED if applied else ReturnCode.ALREADY_HELD
        return Reply(code=code, held_version=max(before, version))
