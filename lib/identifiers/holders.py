"""What the rooms above tell the index: whose identifiers they are, and what is true of them.

A room whose entities lie in their customer's partition does it in three steps:

1. a pure function from an entity's document to its identifiers, the most telling first:
   `def identifiers_of(order: Mapping[str, Any]) -> Iterable[Identifier]`, made with `lib.identifiers.rules.normalised`;
2. `holders = OwnedHolders(id_prefix=..., entities=..., entity_index=..., index=..., identify=identifiers_of)`;
3. `holders.source` among the sources of `lib.wiring`, and `holders` among its holders.

Then the relay keeps the index, a lookup verifies each hit against the entity, and the rebuild walks the entities.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lib.changes.owned import OwnedEntities, kept_entity
from lib.changes.owned_source import OwnedSource
from lib.changes.subjects import Snapshot, SubjectSource
from lib.identifiers.index import Book, Holder, IdentifierIndex
from lib.identifiers.models import Identifier
from lib.identifiers.rules import chosen
from lib.storage.ports import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is committed of one holder: its version, and the identifiers that the index should find it by."""

    holder: Holder
    version: int
    identifiers: Sequence[Identifier]
    book: Book | None = None


class Holders(Protocol):
    """All of one subject who hold identifiers, as the room that keeps them knows them."""

    async def truth(self, source_id: str, customer_id: str) -> Truth | None:
        """Return what is committed of a holder, in one storage call; None when there is nothing."""
        ...

    async def after(self, source_id: str, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to `limit` ids behind this one, each with its customer; fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedHolders:
    """The entities of one subject that lie in their customers' partitions."""

    id_prefix: str
    entities: OwnedEntities
    entity_index: Table
    index: IdentifierIndex
    identify: Callable[[Mapping[str, Any]], Iterable[Identifier]]

    @property
    def source(self) -> OwnedSource:
        """The door for the relay, which keeps the index too."""
        return OwnedSource(self.id_prefix, self.entities, self.entity_index, also=self.refresh)

    async def refresh(self, snapshot: Snapshot) -> None:
        """Bring the index up to at least this snapshot.

        Raises:
            IndexContendedError: it was written at every try; the host shall run the message again.
        """
        truth = self._truth(snapshot)
        if truth is not None:
            await self.index.refresh(truth.holder, version=truth.version, identifiers=truth.identifiers)

    async def truth(self, source_id: str, customer_id: str) -> Truth | None:
        """Return what is committed of an entity, in one storage call; None when there is nothing."""
        return self._truth(await self.source.snapshot(source_id, customer_id))

    async def after(self, source_id: str, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return up to `limit` ids behind this one, each with its customer; fewer only at the end."""
        return await ids_after(self.source, source_id, limit=limit)

    def _truth(self, snapshot: Snapshot) -> Truth | None:
        kept = kept_entity(snapshot.row)
        if kept is None:
            return None
        holder = Holder(self.entities.subject, snapshot.id, snapshot.partition)
        return Truth(holder=holder, version=kept.version, identifiers=chosen(self.identify(json.loads(kept.document))))


async def ids_after(source: SubjectSource, source_id: str, *, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` ids behind this one, each with its partition; fewer only at the end."""
    found: list[tuple[str, str]] = []
    resume: str | None = None
    while len(found) < limit:
        # Nothing sorts between an id and the same id with `!` behind it, the first character that keys may have.
        page = await source.index_page(from_id=f"{source_id}!", below_id="~", limit=limit - len(found), resume=resume)
        found += [(entry.id, entry.partition) for entry in page.entries]
        resume = page.resume
        if resume is None:
            break
    return found
