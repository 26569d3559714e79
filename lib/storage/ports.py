"""What the rooms may ask of storage: tables of rows and queues of messages, whoever keeps them.

Two keepers implement these ports and pass the same contract tests: Azure Storage (`lib.storage.azure`) and the
in-memory twin (`lib.storage.memory`).
"""

from collections.abc import Mapping, Sequence
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
    """Rows under (partition, key). Every method may raise StorageUnavailableError; writes may raise OutcomeUnknownError."""

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
    ) -> RowPage:
        """Return up to `limit` rows with from_key <= key < below_key, in key order; `resume` goes on where a page ended."""
        ...

    async def write(self, partition: str, *writes: Write) -> None:
        """Do all the writes of one partition, or none (one entity group transaction when there are several).

        Raises:
            RowExistsError: an Insert met a row.
            RowChangedError: a Replace or Delete met another etag, or no row.
            RowTooLargeError: storage's limits on size were passed.
            OutcomeUnknownError: no answer came back.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue holds, visible or not; storage calls this number approximate."""

    messages: int


class Queue(Protocol):
    """A queue of text messages, each at least once and in no promised order."""

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Keep a message, without expiry, that handlers see after the delay (up to 7 days).

        Raises:
            StorageUnavailableError: the message was not kept.
            OutcomeUnknownError: no answer came back; it may have been kept.
        """
        ...

    async def depth(self) -> QueueDepth:
        """Return how many messages wait."""
        ...


class Storage(Protocol):
    """The keeper: gives tables and queues by name."""

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        ...

    def queue(self, name: str) -> Queue:
        """Return the queue of this name."""
        ...

    async def create_missing(self, *, tables: Sequence[str], queues: Sequence[str]) -> None:
        """Create the tables and queues that are not there yet (one machine and tests; Azure's are made by Bicep)."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
