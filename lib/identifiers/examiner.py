"""What is wrong with holders and rows of the index, and how it is put right while the relay goes on working."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.identifiers.holders import Holders, Truth
from lib.identifiers.index import Hit, Holder, IdentifierIndex
from lib.identifiers.models import IdentifierType
from lib.identifiers.rebuilds import Difference, Fault
from lib.messaging.catalogue import Subject

_AT_ONCE: Final = 16
_MARK: Final = 16
_TYPES: Final = {kind.value: kind for kind in IdentifierType}


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, and what it takes to put it right: what is committed of the holder, and the row if one is stale."""

    difference: Difference
    truth: Truth | None
    hit: Hit | None = None


@dataclass(frozen=True, slots=True)
class Examiner:
    """Holds the index against what is committed."""

    index: IdentifierIndex
    holders: Mapping[Subject, Holders]
    clock: Clock

    async def look_at_holders(self, subject: Subject, places: Iterable[tuple[str, str]]) -> list[Finding]:
        """Return what is missing or wrong with holders of a subject, each given by its id and its customer."""
        return await _some_at_once([self._holder(subject, *place) for place in places])

    async def look_at_rows(self, hits: Iterable[Hit]) -> list[Finding]:
        """Return which rows show nobody."""
        return await _some_at_once([self._row(hit) for hit in hits])

    async def mend(self, finding: Finding) -> None:
        """Put a difference right. What changed meanwhile is the relay's, and stays as it made it.

        Raises:
            IndexContendedError, StorageError: doing it again is harmless.
        """
        truth, hit = finding.truth, finding.hit
        if hit is not None:
            book = (truth.book or self.index.book_of(truth.holder)) if truth else None
            if await self.index.sweep(hit, book=book):
                return
        if truth is not None:
            await self.index.refresh(
                truth.holder, version=truth.version, identifiers=truth.identifiers, book=truth.book, thorough=True
            )

    async def _holder(self, subject: Subject, source_id: str, customer_id: str) -> list[Finding]:
        truth = await self.holders[subject].truth(source_id, customer_id)
        if truth is None:
            return []
        wanted = frozenset(self.index.key(identifier) for identifier in truth.identifiers)
        entry = await self.index.entry(truth.holder, book=truth.book)
        if entry.version > truth.version:
            return []
        found = [
            self._finding(Fault.MISSING, truth.holder, key, truth)
            for key in await self.index.missing(truth.holder, wanted)
        ]
        # An older book is only late: its wake-up is on its way, or the reconciliation sends it again.
        if entry.opened and entry.version == truth.version and (entry.keys != wanted or entry.leaving):
            found.append(self._finding(Fault.WRONG, truth.holder, "", truth))
        return found

    async def _row(self, hit: Hit) -> list[Finding]:
        # The truth is read after the row: a row that is written since has another etag, and is not deleted.
        holders = self.holders.get(hit.holder.subject)
        if holders is None:
            return []
        truth = await holders.truth(hit.holder.source_id, hit.holder.customer_id)
        key = hit.row.partition
        if truth is not None and any(self.index.key(identifier) == key for identifier in truth.identifiers):
            return []
        return [self._finding(Fault.STALE, hit.holder, key, truth, hit)]

    def _finding(self, fault: Fault, holder: Holder, key: str, truth: Truth | None, hit: Hit | None = None) -> Finding:
        difference = Difference(
            fault=fault,
            subject=holder.subject,
            id=holder.source_id,
            customer_id=holder.customer_id,
            identifier_type=_TYPES.get(key.partition(":")[0]),
            mark=self.index.seal.digest("difference", key).hex()[:_MARK],
            found_at=self.clock.now(),
            mended=False,
        )
        return Finding(difference, truth, hit)


async def _some_at_once(looks: Sequence[Awaitable[list[Finding]]]) -> list[Finding]:
    found: list[Finding] = []
    for start in range(0, len(looks), _AT_ONCE):
        for some in await asyncio.gather(*looks[start : start + _AT_ONCE]):
            found += some
    return found
