"""How imports are kept: one row each and its place in the list, in one partition, so that both are one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.imports.models import Import
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table, Write

IMPORTS_TABLE: Final = "imports"
_PARTITION: Final = "imports"
_LIST: Final = "list~"
_CEILING: Final = 10**14


class ImportChangedError(Exception):
    """Another step came first, or no answer came back; look at it again."""


@dataclass(frozen=True, slots=True)
class KeptImport:
    """An import with the row it was read from."""

    run: Import
    row: Row


@dataclass(frozen=True, slots=True)
class ImportStore:
    """Keeps imports."""

    table: Table

    async def get(self, import_id: str) -> KeptImport | None:
        """Return an import, in one storage call."""
        row = await self.table.get(_PARTITION, _key(import_id))
        return KeptImport(Import.model_validate_json(str(row.values["document"])), row) if row else None

    async def insert(self, run: Import) -> None:
        """Keep a new one and list it.

        Raises:
            ImportChangedError: it is there already, or no answer came back.
        """
        newest_first = _CEILING - int(run.created_at.timestamp() * 1000)
        listed = Insert(f"{_LIST}{newest_first:015d}~{run.id}", {"importId": run.id})
        await self._write(Insert(_key(run.id), _values(run)), listed)

    async def step(self, kept: KeptImport, after: Import) -> KeptImport:
        """Write over the one that was read.

        Raises:
            ImportChangedError: another step came first, or no answer came back.
        """
        etags = await self._write(Replace(kept.row.key, _values(after), kept.row.etag))
        return KeptImport(after, Row(_PARTITION, kept.row.key, _values(after), etags[0]))

    async def listed(self, *, limit: int, resume: str | None) -> tuple[list[str], str | None]:
        """Return ids, newest first."""
        page = await self.table.page(_PARTITION, from_key=_LIST, below_key=f"{_LIST}~", limit=limit, resume=resume)
        return [str(row.values["importId"]) for row in page.rows], page.resume

    async def _write(self, *writes: Write) -> Sequence[str]:
        try:
            return await self.table.write(_PARTITION, *writes)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            raise ImportChangedError from None


def _key(import_id: str) -> str:
    return f"import~{import_id}"


def _values(run: Import) -> dict[str, str]:
    return {"document": run.model_dump_json(by_alias=True)}
