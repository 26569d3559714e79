"""What the rooms may ask of storage: tables of rows, queues of messages and containers of blobs, whoever keeps them.

Two keepers implement these ports and pass the same contract tests: Azure Storage (`lib.storage.azure`) and the
in-memory twin (`lib.storage.memory`). Wrappers that fail or delay on purpose implement them too, outside `lib`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool | bytes | datetime
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Row:
    """One kept row. `etag` changes with every write, also with one that changes nothing."""

    partition: str
    key: str
    values: Values
    etag: str


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of a range in key order. `resume` is None at the end of the range, else where to go on.

    A page may be short, even empty, with more to come: only `resume` tells the end.
    """

    rows: Sequence[Row]
    resume: str | None


@dataclass(frozen=True, slots=True)
class Insert:
    """Write a row that must not be there yet."""

    key: str
    values: Values


@dataclass(frozen=True, slots=True)
class Replace:
    """Write a row over the one that was read with this etag."""

    key: str
    values: Values
    etag: str


@dataclass(frozen=True, slots=True)
class Upsert:
    """Write a row, whatever was there."""

    key: str
    values: Values


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the row that was read with this etag."""

    key: str
    etag: str


Write: TypeAlias = Insert | Replace | Upsert | Delete


class Table(Protocol):
    """Rows under (partition, key). Any method may raise StorageUnavailableError; writes may raise OutcomeUnknownError.

    Keys (`lib.storage.limits.is_legal_key`) are 1 to 512 UTF-16 units, compared exactly: the composed and the
    decomposed form of a letter are two keys. What has the wrong form raises ValueError before the wire. A missing table
    raises StorageSetupError.
    """

    async def get(self, partition: str, key: str) -> Row | None:
        """Return the row, or None when there is none."""
        ...

    async def page(
        self,
        partition: str,
        *,
        from_key: str = "",
        below_key: str | None = None,
        limit: int = 200,
        resume: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> RowPage:
        """Return up to `limit` rows (1 to 1000) with from_key <= key < below_key, in key order, in one round trip.

        `resume` goes on where a page of the same range ended. `where` keeps only rows whose values of these names are
        these texts; storage reads past the others, and may return a short page for that.
        """
        ...

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        """Return up to `limit` rows (1 to 1000) of all partitions, partition after partition, in one round trip.

        For jobs that go through a whole table, however long that takes; no request may ever need it.
        """
        ...

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        """Do all the writes of one partition, or none (one entity group transaction when there are several).

        Returns the new etags in the order of the writes ("" for a Delete), so that who goes on writing need not read.

        Raises:
            RowExistsError: an Insert met a row; of several conflicts, the first in order is told.
            RowChangedError: a Replace or Delete met another etag, or no row.
            RowTooLargeError: beyond 64 KiB a value, 1 MiB or 252 values a row, 4 MiB or 100 rows a transaction.
            OutcomeUnknownError: no answer came back.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue holds, visible or not; storage calls this number approximate."""

    messages: int


@dataclass(frozen=True, slots=True)
class Message:
    """A received message, hidden from others until `leased_until`. `receipt` is the right to delete it."""

    message_id: str
    body: str
    receipt: str
    dequeue_count: int
    inserted_at: datetime
    leased_until: datetime


class Queue(Protocol):
    """A queue of text messages, each at least once and in no promised order.

    Every method may raise StorageUnavailableError; all but `peek` and `depth` may raise OutcomeUnknownError. A missing
    queue raises StorageSetupError.
    """

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Keep a message, without expiry, that handlers see after the delay (up to 7 days).

        Raises:
            StorageUnavailableError: the message was not kept.
            OutcomeUnknownError: no answer came back; it may have been kept.
            MessageTooLargeError: the body is over 64 KiB as XML text in ASCII; it was not kept.
        """
        ...

    async def peek(self, limit: int = 32) -> Sequence[str]:
        """Return the bodies of up to `limit` (1 to 32) messages that are visible now, and leave them as they are."""
        ...

    async def receive(self, limit: int, *, lease_seconds: float) -> Sequence[Message]:
        """Take up to `limit` (1 to 32) visible messages; those not deleted within the lease are seen again.

        A lost reply (OutcomeUnknownError) hides messages that nobody holds: they come back when the lease ends.
        """
        ...

    async def delete(self, message: Message) -> bool:
        """Remove a received message. False: the receipt is no longer good, as somebody received the message since."""
        ...

    async def depth(self) -> QueueDepth:
        """Return how many messages wait."""
        ...


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """How large a blob is, and its etag, which changes with every write."""

    size: int
    etag: str


class Blobs(Protocol):
    """Blobs of one container, by name (1 to 1024 characters, parts between slashes).

    Every method may raise StorageUnavailableError. A missing container raises StorageSetupError.
    """

    async def put(self, name: str, body: bytes | AsyncIterator[bytes]) -> BlobInfo:
        """Keep a blob, whole or not at all, whatever was there. Doing it again is harmless."""
        ...

    async def info(self, name: str) -> BlobInfo | None:
        """Return what a blob is, without its content; None when there is none."""
        ...

    async def read(self, name: str, *, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`: fewer at the end, none behind it.

        Raises:
            BlobMissingError: there is no such blob.
        """
        ...

    async def append(self, name: str, body: bytes, *, at: int) -> int:
        """Add up to 1 MiB to a log that is `at` bytes long (0: begun with this), and return its new length.

        So of two writers that know the same end only one gets in. A log is never `put`.

        Raises:
            BlobChangedError: it has another length; nothing was added.
            OutcomeUnknownError: no answer came back; its length tells.
        """
        ...

    async def delete(self, name: str) -> None:
        """Remove a blob; one that is not there is removed already."""
        ...


class Storage(Protocol):
    """The keeper: gives tables, queues and containers by name."""

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        ...

    def queue(self, name: str) -> Queue:
        """Return the queue of this name."""
        ...

    def blobs(self, container: str) -> Blobs:
        """Return the container of this name."""
        ...

    async def create_missing(
        self, *, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str] = ()
    ) -> None:
        """Create what is not there yet (one machine and tests; Azure's are made by Bicep)."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
