"""What a run found: in a partition of its own, in the order of the keys that its job gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from lib.storage.ports import Row, Table, Upsert

_MOST_WRITES: Final = 90
_MOST_ROWS: Final = 1000

Finding = TypeVar("Finding", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Findings(Generic[Finding]):
    """Keeps what the runs of one job found."""

    model: type[Finding]
    table: Table

    async def keep(self, run_id: str, found: Mapping[str, Finding]) -> None:
        """Keep what was found, each under its key. The same key again is one row."""
        keys = list(found)
        for start in range(0, len(keys), _MOST_WRITES):
            chosen = keys[start : start + _MOST_WRITES]
            rows = ((key, {"document": found[key].model_dump_json(by_alias=True)}) for key in chosen)
            await self.table.write(run_id, *(Upsert(key, values) for key, values in rows))

    async def between(self, run_id: str, *, from_key: str, below_key: str) -> list[Finding]:
        """Return all that is kept under these keys: what an attempt left that did not live to count it."""
        found: list[Finding] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                run_id, from_key=from_key, below_key=below_key, limit=_MOST_ROWS, resume=resume
            )
            found += map(self._read, page.rows)
            resume = page.resume
            if resume is None:
                return found

    async def page(self, run_id: str, *, limit: int, resume: str | None) -> tuple[list[Finding], str | None]:
        """Return up to `limit` of what was found, in the order of the keys, and where to go on."""
        found: list[Finding] = []
        while len(found) < limit:
            page = await self.table.page(run_id, limit=min(_MOST_ROWS, limit - len(found)), resume=resume)
            found += map(self._read, page.rows)
            resume = page.resume
            if resume is None:
                break
        return found, resume

    def _read(self, row: Row) -> Finding:
        return self.model.model_validate_json(str(row.values["document"]))
