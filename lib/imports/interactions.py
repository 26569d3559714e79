"""Rows that are interactions: each the body of a recording with `customer` beside; one customer's are kept at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from lib.changes.records import Keeping, RecordConflictError
from lib.errors import InvalidError, PlatformError, UnavailableError
from lib.imports.loaders import RawRow, Work, invalid, refused
from lib.imports.models import Outcome, RowResult
from lib.imports.owners import Owners, owner_keys, parted
from lib.interactions.models import DRAFTS
from lib.interactions.service import EntryOutcome, InteractionEntry, InteractionService

_OUTCOMES: Final = {Keeping.CREATED: Outcome.CREATED, Keeping.REPEATED: Outcome.UNCHANGED}


@dataclass(frozen=True, slots=True)
class InteractionLoader:
    """Takes interactions."""

    interactions: InteractionService
    owners: Owners

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return whose it is."""
        return owner_keys(row.value)

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Keep the interactions of one customer, up to fifty in one storage call."""
        return await self._each(rows, work, dry_run=False)

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell which would be kept, and which were told before."""
        return await self._each(rows, work, dry_run=True)

    async def _each(self, rows: Sequence[RawRow], work: Work, *, dry_run: bool) -> Sequence[RowResult]:
        results: list[RowResult] = []
        good: list[RawRow] = []
        entries: list[InteractionEntry] = []
        for row in rows:
            try:
                entries.append(_entry(row, work))
                good.append(row)
            except InvalidError as error:
                results.append(refused(row, error))
        if not good:
            return results
        operation = work.operation(good[0])
        try:
            customer_id = await self.owners.of(parted(good[0].value)[0])
            if dry_run:
                told = await self.interactions.preview_many(customer_id=customer_id, entries=entries)
            else:
                told = await self.interactions.record_many(
                    customer_id=customer_id, entries=entries, operation=operation
                )
        except UnavailableError:
            raise
        except PlatformError as error:
            return [*results, *(refused(row, error) for row in good)]
        return [*results, *(_result(row, outcome) for row, outcome in zip(good, told, strict=True))]


def _entry(row: RawRow, work: Work) -> InteractionEntry:
    _, body = parted(row.value)
    try:
        return InteractionEntry(draft=DRAFTS.validate_python(body), key=work.key(row))
    except ValidationError as error:
        raise invalid(error) from None


def _result(row: RawRow, told: EntryOutcome) -> RowResult:
    if told.refusal is not None:
        return refused(row, told.refusal)
    if told.keeping is None or told.keeping is Keeping.CONFLICT:
        return refused(row, RecordConflictError())
    return RowResult(line=row.line, outcome=_OUTCOMES[told.keeping], id=told.interaction_id)
