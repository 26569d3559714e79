"""Two walks in the same order: ours and the mainframe's, so that they can be laid beside each other.

The mainframe's order is EBCDIC, letters before digits; storage's is the other way round. So ours is walked range by
range, a range being all ids with the same beginning: small ones are read and sorted, larger ones parted by the next
character, in the mainframe's order.

The index tells which entities there are, but only the entities themselves tell their versions: a change whose wake-up
was lost has reached neither the index nor the mainframe.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from lib.changes.subjects import IndexEntry, SubjectSource
from lib.ids import ID_ALPHABET
from lib.mainframe.link import Link
from lib.mainframe.protocol import MAX_BROWSE_KEYS, collation_key

Entry: TypeAlias = tuple[str, int]
_SORTED_AT_ONCE: Final = 200
_READ_AT_ONCE: Final = 16
_ALPHABET: Final = sorted(ID_ALPHABET, key=collation_key)


@dataclass(slots=True)
class Budget:
    """What may be asked of the mainframe before the next pause."""

    questions: int
    asked: int = 0

    def ask(self) -> None:
        """Count a question that is about to be asked, or a wake-up that will become one."""
        self.asked += 1

    @property
    def spent(self) -> bool:
        """Whether it is time to pause."""
        return self.asked >= self.questions


class Walk(Protocol):
    """Keys with their versions in the mainframe's order, some at a time."""

    async def more(self) -> list[Entry]:
        """Return the next ones; none at the end."""
        ...


@dataclass(slots=True)
class OurWalk:
    """Ours, after a key. `depth` tells how many characters the beginning of the last small range had.

    With the depth that an earlier walk ended with, ranges known to be large are not read again to find that out.
    """

    source: SubjectSource
    after: str
    depth: int = 0
    _to_do: list[str] | None = None

    async def more(self) -> list[Entry]:
        """Return the next range that holds something."""
        if self._to_do is None:
            self._to_do = [f"{self.source.id_prefix}_"]
        while self._to_do:
            beginning = self._to_do.pop()
            if collation_key(beginning) < collation_key(self.after)[: len(beginning)]:
                continue
            entries = None if self._known_as_large(beginning) else await self._all(beginning)
            if entries is None:
                self._to_do += [beginning + character for character in reversed(_ALPHABET)]
                continue
            self.depth = len(beginning)
            ahead = [entry for entry in entries if collation_key(entry.id) > collation_key(self.after)]
            if ahead:
                return await self._as_committed(sorted(ahead, key=lambda entry: collation_key(entry.id)))
        return []

    async def _as_committed(self, entries: list[IndexEntry]) -> list[Entry]:
        found: list[Entry] = []
        for start in range(0, len(entries), _READ_AT_ONCE):
            some = entries[start : start + _READ_AT_ONCE]
            snapshots = await asyncio.gather(*(self.source.snapshot(one.id, one.partition) for one in some))
            found += [(snapshot.id, snapshot.version) for snapshot in snapshots]
        return found

    def _known_as_large(self, beginning: str) -> bool:
        return len(beginning) < self.depth and self.after.startswith(beginning)

    async def _all(self, beginning: str) -> list[IndexEntry] | None:
        """Return everything that begins so, or None when that is too much to be sorted at once."""
        found: list[IndexEntry] = []
        resume: str | None = None
        while len(found) <= _SORTED_AT_ONCE:
            page = await self.source.index_page(
                from_id=beginning, below_id=f"{beginning}~", limit=_SORTED_AT_ONCE + 1 - len(found), resume=resume
            )
            found += page.entries
            resume = page.resume
            if resume is None:
                return found
        return None


@dataclass(slots=True)
class TheirWalk:
    """The mainframe's, after a key."""

    link: Link
    subject: str
    after: str
    budget: Budget

    async def more(self) -> list[Entry]:
        """Return the next ones; none at the end.

        Raises:
            MainframeError: it does not answer.
        """
        self.budget.ask()
        entries = await self.link.browse(subject=self.subject, after=self.after, limit=MAX_BROWSE_KEYS)
        if entries:
            self.after = entries[-1][0]
        return entries


@dataclass(frozen=True, slots=True)
class Pair:
    """One key with the version that either side showed, None where it showed none."""

    key: str
    ours: int | None
    theirs: int | None


@dataclass(slots=True)
class _Side:
    walk: Walk
    waiting: deque[Entry] = field(default_factory=deque[Entry])
    ended: bool = False

    async def first(self) -> Entry | None:
        if not self.waiting and not self.ended:
            self.waiting.extend(await self.walk.more())
            self.ended = not self.waiting
        return self.waiting[0] if self.waiting else None


class SideBySide:
    """Two walks in the mainframe's order, laid beside each other."""

    def __init__(self, ours: Walk, theirs: Walk) -> None:
        """Begin where the walks do."""
        self._ours, self._theirs = _Side(ours), _Side(theirs)

    async def next(self) -> Pair | None:
        """Return the next key of either side, or None at the end of both.

        Raises:
            MainframeError: it does not answer.
        """
        their, our = await self._theirs.first(), await self._ours.first()
        firsts = [entry for entry in (our, their) if entry is not None]
        if not firsts:
            return None
        key = min(firsts, key=_place)[0]
        return Pair(
            key,
            self._ours.waiting.popleft()[1] if our is not None and our[0] == key else None,
            self._theirs.waiting.popleft()[1] if their is not None and their[0] == key else None,
        )


def _place(entry: Entry) -> bytes:
    return collation_key(entry[0])
