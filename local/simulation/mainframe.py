"""The mainframe in memory with moods: it holds and journals as the other does, and misbehaves as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from lib.mainframe.errors import MainframeUnreachableError, NoAnswerError
from lib.mainframe.protocol import Reply, ReturnCode
from local.mainframe.memory import MemoryMainframe


class Behaviour(Enum):
    """How one update goes."""

    ANSWER = auto()
    UNREACHABLE = auto()
    NO_ANSWER_BEFORE = auto()
    NO_ANSWER_AFTER = auto()
    BUSY = auto()
    ABEND = auto()
    REJECT = auto()


_REPLIES = {
    Behaviour.BUSY: Reply(code=ReturnCode.BUSY),
    Behaviour.ABEND: Reply(code=ReturnCode.ABENDED),
    Behaviour.REJECT: Reply(code=ReturnCode.REJECTED, reason_code="E042", reason_text="not taken here"),
}


def _answer(_key: str, _version: int) -> Behaviour:
    return Behaviour.ANSWER


@dataclass
class MoodyMainframe:
    """A link to a mainframe in memory. `behave` is asked at each update, with its key and version."""

    behave: Callable[[str, int], Behaviour] = _answer
    latency_seconds: float = 0.0
    inner: MemoryMainframe = field(default_factory=MemoryMainframe)
    calls: int = 0
    overlaps: int = 0
    _at_work: set[str] = field(default_factory=set[str])

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Answer an update as told."""
        behaviour = self.behave(key, version)
        if behaviour is Behaviour.UNREACHABLE:
            raise MainframeUnreachableError
        self.calls += 1
        self.overlaps += key in self._at_work
        self._at_work.add(key)
        try:
            await asyncio.sleep(self.latency_seconds)
        finally:
            self._at_work.discard(key)
        if behaviour is Behaviour.NO_ANSWER_BEFORE:
            raise NoAnswerError
        if behaviour in _REPLIES:
            return _REPLIES[behaviour]
        reply = await self.inner.update(subject=subject, key=key, version=version, trace=trace, body=body)
        if behaviour is Behaviour.NO_ANSWER_AFTER:
            raise NoAnswerError
        return reply

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version that is held."""
        return await self.inner.inquire(subject=subject, key=key)

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return keys and versions after a key."""
        return await self.inner.browse(subject=subject, after=after, limit=limit)

    def applied(self, key: str) -> list[int]:
        """Return the versions of a key that had an effect, in order."""
        return [entry.version for entry in self.inner.journal if entry.key == key and entry.applied]
