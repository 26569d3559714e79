"""The index: one row for each identifier of each holder, which follows what is committed through crashes and races.

Beside the rows there is a book for each holder: at which version the index is, which keys it has rows under, and which
rows are still to be deleted. A refresh

1. reads the book, and leaves it alone when it is at this version or a newer one;
2. writes the rows that the book does not have, whatever was there, so that their etags change;
3. reads the etags of the rows that must go;
4. swaps the book by its etag: the new version and keys, and what is leaving;
5. deletes what leaves by the etags of step 3, and strikes it off the book.

So a row that the book has is there. Who deletes it read its etag before a swap that let it go; who wants it back read
the book after that swap, or loses its own swap and begins again; either way it wrote the row since, and the delete
fails. A crash leaves more rows than needed, never fewer, and what was left to delete stands in the book. Lookups verify
every row against what is committed, so a row too many shows nobody; the rebuild tidies it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lib.identifiers.keys import index_key
from lib.identifiers.models import Identifier
from lib.ids import Seal
from lib.messaging.catalogue import Subject
from lib.storage.documents import joined, split
from lib.storage.errors import RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert, Value

IDENTIFIER_INDEX_TABLE: Final = "identifierindex"
_BOOK: Final = "book"
_BOOKS: Final = "book~"
_TRIES: Final = 8
_VERSION: Final = "version"


class IndexContendedError(Exception):
    """The book was written at every try to refresh it; the host runs the message again."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an identifier: a customer, by its own profile or by something of its (an order)."""

    subject: Subject
    source_id: str
    customer_id: str

    @property
    def row_key(self) -> str:
        """The key of this holder's rows; those of one customer lie together."""
        return self.customer_id if self.source_id == self.customer_id else f"{self.customer_id}~{self.source_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The row that keeps a holder's book: one of the index, or one that another room keeps anyway, with its values."""

    table: Table
    partition: str
    key: str
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Entry:
    """What a book says."""

    version: int = 0
    keys: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    opened: bool = False

    @classmethod
    def read(cls, row: Row | None) -> "Entry":
        """Return what a row says; one from before there was an index has a version, but no book."""
        if row is None:
            return cls()
        version = int(str(row.values[_VERSION]))
        if _BOOK not in row.values:
            return cls(version)
        kept = json.loads(joined(_BOOK, row.values))
        return cls(version, frozenset(kept["keys"]), frozenset(kept["leaving"]), opened=True)

    def values(self) -> dict[str, Value]:
        """Return the book as values of a row."""
        kept = {"keys": sorted(self.keys), "leaving": sorted(self.leaving)}
        return {_VERSION: self.version, **split(_BOOK, json.dumps(kept, ensure_ascii=False))}


@dataclass(slots=True)
class _State:
    """What one refresh makes true, and the rows that it wrote already, in rounds that it lost too."""

    version: int
    keys: frozenset[str]
    values: Mapping[str, Value]
    entered: frozenset[str] = frozenset()

    def follow(self, row: Row, entry: Entry) -> None:
        """Make true what a newer version made, and so take back what was written for an older one."""
        self.version, self.keys = entry.version, entry.keys
        self.values = {
            name: value for name, value in row.values.items() if not name.startswith(_BOOK) and name != _VERSION
        }

    def leaving(self, entry: Entry) -> frozenset[str]:
        """Return the keys under which rows may be that must go."""
        return (entry.keys | entry.leaving | self.entered) - self.keys


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of the index: somebody who had the identifier when the row was written."""

    holder: Holder
    row: Row


@dataclass(frozen=True, slots=True)
class IdentifierIndex:
    """Finds holders by identifiers."""

    table: Table
    seal: Seal

    async def refresh(
        self,
        holder: Holder,
        *,
        version: int,
        identifiers: Iterable[Identifier],
        book: Book | None = None,
        thorough: bool = False,
    ) -> None:
        """Bring the index up to at least this committed version of a holder.

        With nothing to change it is two storage calls, both of them on the book. `thorough` trusts no book: it looks
        whether the rows are there.

        Raises:
            IndexContendedError: the book was written at every try; the host shall run the message again.
            StorageError: the same.
        """
        book = book or self.book_of(holder)
        state = _State(version, frozenset(self.key(identifier) for identifier in identifiers), book.values)
        for _ in range(_TRIES):
            row = await book.table.get(book.partition, book.key)
            entry = Entry.read(row)
            if row is not None and entry.version > state.version:
                if not entry.opened:
                    # The release before wrote a newer version here, without a book; its own wake-up brings that.
                    return
                state.follow(row, entry)
            if entry.opened and entry.version >= state.version and not thorough and not state.leaving(entry):
                return
            if await self._step(book, row, entry, holder, state, thorough=thorough):
                return
        raise IndexContendedError

    async def sweep(self, hit: Hit, *, book: Book | None) -> bool:
        """Delete a row that shows nobody, and return whether it was in no book; None: there is no such holder at all.

        The row was read before what is committed was. The book is swapped unchanged before the deletion, for the same
        reason as in a refresh: whoever is about to enter the row must begin again, and write it anew.
        """
        if book is not None:
            row = await book.table.get(book.partition, book.key)
            borrowed = row is None and book.table is not self.table
            if borrowed or hit.row.partition in Entry.read(row).keys:
                return False
            touch = Insert(book.key, Entry().values()) if row is None else Replace(book.key, row.values, row.etag)
            try:
                await book.table.write(book.partition, touch)
            except (RowChangedError, RowExistsError):
                return False
        await self._delete(hit.row)
        return True

    async def entry(self, holder: Holder, *, book: Book | None = None) -> Entry:
        """Return what the book of a holder says."""
        book = book or self.book_of(holder)
        return Entry.read(await book.table.get(book.partition, book.key))

    async def missing(self, holder: Holder, keys: Iterable[str]) -> list[str]:
        """Return the keys under which a holder has no row."""
        asked = sorted(keys)
        rows = await asyncio.gather(*(self.table.get(key, holder.row_key) for key in asked))
        return [key for key, row in zip(asked, rows, strict=True) if row is None]

    async def hits(self, identifier: Identifier, *, after_customer: str, limit: int) -> Sequence[Hit]:
        """Return up to `limit` rows of an identifier behind a customer; fewer only at the end."""
        found: list[Hit] = []
        resume: str | None = None
        from_key = f"{after_customer}~~" if after_customer else ""
        while len(found) < limit:
            page = await self.table.page(
                self.key(identifier), from_key=from_key, limit=limit - len(found), resume=resume
            )
            found += map(hit_of, page.rows)
            resume = page.resume
            if resume is None:
                break
        return found

    def key(self, identifier: Identifier) -> str:
        """Return under which partition an identifier's rows are."""
        return index_key(identifier, self.seal)

    def book_of(self, holder: Holder) -> Book:
        """Return the book of a holder for which no other room keeps one."""
        return Book(table=self.table, partition=f"{_BOOKS}{holder.source_id}", key=_BOOK)

    async def _step(
        self, book: Book, row: Row | None, entry: Entry, holder: Holder, state: "_State", *, thorough: bool
    ) -> bool:
        adding = state.keys - entry.keys
        if thorough:
            adding |= frozenset(await self.missing(holder, state.keys))
        state.entered |= adding
        shown = {"subject": holder.subject.value, "sourceId": holder.source_id, "customerId": holder.customer_id}
        await asyncio.gather(*(self.table.write(key, Upsert(holder.row_key, shown)) for key in sorted(adding)))
        leaving = state.leaving(entry)
        gone = await self._rows(holder, leaving)
        after = {**state.values, **Entry(state.version, state.keys, leaving).values()}
        write = Insert(book.key, after) if row is None else Replace(book.key, after, row.etag)
        try:
            [etag] = await book.table.write(book.partition, write)
        except (RowExistsError, RowChangedError):
            return False
        if leaving:
            await asyncio.gather(*(self._delete(one) for one in gone))
            struck = {**state.values, **Entry(state.version, state.keys).values()}
            await _try(book.table, book.partition, Replace(book.key, struck, etag))
        return True

    async def _rows(self, holder: Holder, keys: Iterable[str]) -> list[Row]:
        rows = await asyncio.gather(*(self.table.get(key, holder.row_key) for key in sorted(keys)))
        return [row for row in rows if row is not None]

    async def _delete(self, row: Row) -> None:
        await _try(self.table, row.partition, Delete(row.key, row.etag))


def is_book(row: Row) -> bool:
    """Tell whether a row of the index's table is a book."""
    return row.partition.startswith(_BOOKS)


def hit_of(row: Row) -> Hit:
    """Return what a row of the index says."""
    values = row.values
    return Hit(Holder(Subject(str(values["subject"])), str(values["sourceId"]), str(values["customerId"])), row)


async def _try(table: Table, partition: str, write: Replace | Delete) -> None:
    try:
        await table.write(partition, write)
    except RowChangedError:
        # Somebody came since, and what they wrote is newer than what this was about to do.
        return
