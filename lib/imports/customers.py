"""Rows that are customers: as the body of a create, stated by the first of their external ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.customers.models import CustomerDetails
from lib.customers.preview import CustomerPreviews
from lib.customers.rules import identifiers_of
from lib.customers.service import CustomerService
from lib.customers.upsert import Condition, CustomerUpserts
from lib.errors import InvalidError, PlatformError, UnavailableError
from lib.imports.loaders import RawRow, Work, refused, validated
from lib.imports.models import Outcome, RowResult

_ANY: Final = Condition()


@dataclass(frozen=True, slots=True)
class CustomerLoader:
    """Takes customers."""

    customers: CustomerService
    upserts: CustomerUpserts
    previews: CustomerPreviews

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return the identifiers that belong to one customer each."""
        try:
            return sorted(identifiers_of(validated(CustomerDetails, row.value)))
        except InvalidError:
            return ()

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Create or replace customers."""
        return [await self._taken(row, work) for row in rows]

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Hold each row against what is kept now; not against the rows before it."""
        del work
        return [await self._previewed(row) for row in rows]

    async def _taken(self, row: RawRow, work: Work) -> RowResult:
        operation = work.operation(row)
        try:
            details = validated(CustomerDetails, row.value)
            if not details.external_ids:
                made = await self.customers.create(details=details, operation=operation)
                return RowResult(line=row.line, outcome=Outcome.CREATED, id=made.entity_id)
            put = await self.upserts.put(
                external_id=details.external_ids[0], details=details, condition=_ANY, operation=operation
            )
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        outcome = Outcome.UPDATED if put.answer.changed else Outcome.UNCHANGED
        return RowResult(line=row.line, outcome=Outcome.CREATED if put.created else outcome, id=put.answer.entity_id)

    async def _previewed(self, row: RawRow) -> RowResult:
        try:
            details = validated(CustomerDetails, row.value)
            first = details.external_ids[0] if details.external_ids else None
            seen = await self.previews.put(external_id=first, details=details)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        if seen.customer_id is None:
            return RowResult(line=row.line, outcome=Outcome.CREATED, candidates=seen.candidates)
        outcome = Outcome.UPDATED if seen.fields else Outcome.UNCHANGED
        return RowResult(line=row.line, outcome=outcome, id=seen.customer_id, fields=seen.fields)
