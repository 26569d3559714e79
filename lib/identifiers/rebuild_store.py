"""How rebuilds are kept: all of them in one partition, so that which one runs is decided in one transaction.

What each found is in a partition of its own, slice by slice.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lib.identifiers.rebuilds import ENDED, Difference, Rebuild
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert, Write

IDENTIFIER_REBUILDS_TABLE: Final = "identifierrebuilds"
_RUNS: Final = "runs"
_ACTIVE: Final = "active"
_LIST: Final = "list~"
_CEILING: Final = 10**14
_MOST_WRITES: Final = 90
_MOST_ROWS: Final = 1000


class RebuildChangedError(Exception):
    """Another step came first, or no answer came back; look at it again."""


@dataclass(frozen=True, slots=True)
class KeptRebuild:
    """A rebuild with the row it was read from."""

    run: Rebuild
    row: Row


@dataclass(frozen=True, slots=True)
class RebuildStore:
    """Keeps rebuilds and what they found."""

    table: Table

    async def get(self, rebuild_id: str) -> KeptRebuild | None:
        """Return a rebuild, in one storage call."""
        row = await self.table.get(_RUNS, _key(rebuild_id))
        return KeptRebuild(Rebuild.model_validate_json(str(row.values["document"])), row) if row else None

    async def active(self) -> str | None:
        """Return the id of the one that has not ended, if there is one."""
        row = await self.table.get(_RUNS, _ACTIVE)
        return str(row.values["rebuildId"]) if row else None

    async def insert(self, run: Rebuild) -> None:
        """Keep a new one and make it the active one.

        Raises:
            RebuildChangedError: another is active, or no answer came back.
        """
        newest_first = _CEILING - int(run.created_at.timestamp() * 1000)
        pointer = {"rebuildId": run.id}
        await self._write(
            Insert(_ACTIVE, pointer),
            Insert(_key(run.id), _values(run)),
            Insert(f"{_LIST}{newest_first:015d}~{run.id}", pointer),
        )

    async def step(self, kept: KeptRebuild, after: Rebuild) -> Rebuild:
        """Write over the one that was read; one that has ended makes room for the next.

        Raises:
            RebuildChangedError: another step came first, or no answer came back.
        """
        writes: list[Write] = [Replace(kept.row.key, _values(after), kept.row.etag)]
        if after.state in ENDED:
            active = await self.table.get(_RUNS, _ACTIVE)
            if active is not None and active.values["rebuildId"] == after.id:
                writes.append(Delete(_ACTIVE, active.etag))
        await self._write(*writes)
        return after

    async def listed(self, *, limit: int, resume: str | None) -> tuple[list[str], str | None]:
        """Return ids, newest first."""
        page = await self.table.page(_RUNS, from_key=_LIST, below_key=f"{_LIST}~", limit=limit, resume=resume)
        return [str(row.values["rebuildId"]) for row in page.rows], page.resume

    async def keep(self, run: Rebuild, differences: Iterable[Difference]) -> None:
        """Keep what the slice that is due found. The same again is one row."""
        rows = {
            _difference_key(run.slice_number, one): {"document": one.model_dump_json(by_alias=True)}
            for one in differences
        }
        keys = list(rows)
        for start in range(0, len(keys), _MOST_WRITES):
            await self.table.write(run.id, *(Upsert(key, rows[key]) for key in keys[start : start + _MOST_WRITES]))

    async def of_slice(self, run: Rebuild) -> list[Difference]:
        """Return what an attempt at the slice that is due kept before: one that died may have mended it already."""
        found: list[Difference] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                run.id,
                from_key=_slice_key(run.slice_number),
                below_key=_slice_key(run.slice_number + 1),
                limit=_MOST_ROWS,
                resume=resume,
            )
            found += map(_difference, page.rows)
            resume = page.resume
            if resume is None:
                return found

    async def difference_page(
        self, rebuild_id: str, *, limit: int, resume: str | None
    ) -> tuple[Sequence[Difference], str | None]:
        """Return up to `limit` of what was found, in the order in which it was."""
        found: list[Difference] = []
        while len(found) < limit:
            page = await self.table.page(rebuild_id, limit=min(_MOST_ROWS, limit - len(found)), resume=resume)
            found += map(_difference, page.rows)
            resume = page.resume
            if resume is None:
                break
        return found, resume

    async def _write(self, *writes: Write) -> None:
        try:
            await self.table.write(_RUNS, *writes)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            raise RebuildChangedError from None


def _key(rebuild_id: str) -> str:
    return f"run~{rebuild_id}"


def _values(run: Rebuild) -> dict[str, str]:
    return {"document": run.model_dump_json(by_alias=True)}


def _slice_key(slice_number: int) -> str:
    return f"difference~{slice_number:09d}~"


def place_of(difference: Difference) -> str:
    """Return what is the same for a difference however often it is found in one slice."""
    parts = (difference.fault, difference.subject, difference.id, difference.mark)
    return hashlib.sha256("~".join(parts).encode()).hexdigest()[:32]


def _difference_key(slice_number: int, difference: Difference) -> str:
    return f"{_slice_key(slice_number)}{place_of(difference)}"


def _difference(row: Row) -> Difference:
    return Difference.model_validate_json(str(row.values["document"]))
