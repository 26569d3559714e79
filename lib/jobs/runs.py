"""How runs of a job are kept: one row each and its place in the list, all of a job in one partition.

So whether a run may begin is decided in one transaction, where a job runs one at a time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from lib.paging import Cursors, Page
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Write

STANDS_STILL: Final = timedelta(minutes=15)
"""A run that did not move for so long is woken: longer than a host that died keeps its message hidden (10 minutes)."""

_ACTIVE: Final = "active"
_LIST: Final = "list~"
_CEILING: Final = 10**14


class Run(BaseModel):
    """What a run of any job says of itself; it is over once `ended_at` is set.

    `slice_number` is the slice that is due: messages of others are late or early.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    id: str
    slice_number: int = 1
    note: str = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    ended_at: AwareDatetime | None = None

    def with_(self, **fields: Any) -> Self:
        """Return the run with some fields changed."""
        return self.model_copy(update=fields)


AnyRun = TypeVar("AnyRun", bound=Run)


class RunChangedError(Exception):
    """Another step came first, or no answer came back; look at the run again."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[AnyRun]):
    """A run with the row it was read from."""

    run: AnyRun
    row: Row


@dataclass(frozen=True, slots=True)
class Job(Generic[AnyRun]):
    """How the runs of one job are kept: what they are, and under which names; with `alone`, one at a time."""

    model: type[AnyRun]
    partition: str
    key: str
    pointer: str
    alone: bool


@dataclass(frozen=True, slots=True)
class RunStore(Generic[AnyRun]):
    """Keeps the runs of one job."""

    job: Job[AnyRun]
    table: Table

    async def get(self, run_id: str) -> Kept[AnyRun] | None:
        """Return a run, in one storage call."""
        row = await self.table.get(self.job.partition, self._key(run_id))
        return Kept(self.job.model.model_validate_json(str(row.values["document"])), row) if row else None

    async def active(self) -> str | None:
        """Return the id of the run that has not ended, if there is one; only of a job that runs one at a time."""
        row = await self.table.get(self.job.partition, _ACTIVE)
        return str(row.values[self.job.pointer]) if row else None

    async def insert(self, run: AnyRun) -> None:
        """Keep a new run, and make it the active one of a job that runs one at a time.

        Raises:
            RunChangedError: it is there already, another is active, or no answer came back.
        """
        newest_first = _CEILING - int(run.created_at.timestamp() * 1000)
        pointer = {self.job.pointer: run.id}
        writes = [
            Insert(self._key(run.id), _values(run)),
            Insert(f"{_LIST}{newest_first:015d}~{run.id}", pointer),
        ]
        await self._write(*([Insert(_ACTIVE, pointer)] if self.job.alone else []), *writes)

    async def step(self, kept: Kept[AnyRun], after: AnyRun) -> Kept[AnyRun]:
        """Write over the run that was read; one that has ended makes room for the next.

        Raises:
            RunChangedError: another step came first, or no answer came back.
        """
        writes: list[Write] = [Replace(kept.row.key, _values(after), kept.row.etag)]
        if self.job.alone and after.ended_at is not None:
            active = await self.table.get(self.job.partition, _ACTIVE)
            if active is not None and active.values[self.job.pointer] == after.id:
                writes.append(Delete(_ACTIVE, active.etag))
        etags = await self._write(*writes)
        return Kept(after, Row(self.job.partition, kept.row.key, _values(after), etags[0]))

    async def page(self, cursors: Cursors, *, listing: str, limit: int, cursor: str | None) -> Page[AnyRun]:
        """Return a page of runs, newest first.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        resume = cursors.take(cursor, listing=listing) if cursor else None
        listed = await self.table.page(
            self.job.partition, from_key=_LIST, below_key=f"{_LIST}~", limit=limit, resume=resume
        )
        kept = await asyncio.gather(*(self.get(str(row.values[self.job.pointer])) for row in listed.rows))
        following = cursors.give(listed.resume, listing=listing) if listed.resume else None
        return Page([one.run for one in kept if one is not None], following)

    def _key(self, run_id: str) -> str:
        return f"{self.job.key}~{run_id}"

    async def _write(self, *writes: Write) -> Sequence[str]:
        try:
            return await self.table.write(self.job.partition, *writes)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            raise RunChangedError from None


def _values(run: Run) -> dict[str, str]:
    return {"document": run.model_dump_json(by_alias=True)}
