"""Rows that are customers: as the body of a create, each with the external ids under which its source knows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.clock import Clock
from lib.customers.models import CustomerDetails
from lib.customers.rules import check_new, identifiers_of
from lib.customers.service import CustomerService
from lib.errors import InvalidError, PlatformError, UnavailableError
from lib.imports.loaders import RawRow, Work, validated
from lib.imports.models import Outcome, RowProblem, RowResult


@dataclass(frozen=True, slots=True)
class CustomerLoader:
    """Takes customers."""

    customers: CustomerService
    clock: Clock

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return the identifiers that belong to one customer each."""
        try:
            return sorted(identifiers_of(validated(CustomerDetails, row.value)))
        except InvalidError:
            return ()

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Create customers."""
        return [await self._taken(row, work) for row in rows]

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell which would be created."""
        del work
        return [self._previewed(row) for row in rows]

    async def _taken(self, row: RawRow, work: Work) -> RowResult:
        try:
            details = validated(CustomerDetails, row.value)
            answer = await self.customers.create(details=details, operation=work.operation(row))
        except UnavailableError:
            raise
        except PlatformError as error:
            return RowResult(line=row.line, outcome=Outcome.REFUSED, problem=RowProblem.of(error))
        return RowResult(line=row.line, outcome=Outcome.CREATED, id=answer.entity_id)

    def _previewed(self, row: RawRow) -> RowResult:
        try:
            check_new(validated(CustomerDetails, row.value), today=self.clock.now().date())
        except PlatformError as error:
            return RowResult(line=row.line, outcome=Outcome.REFUSED, problem=RowProblem.of(error))
        return RowResult(line=row.line, outcome=Outcome.CREATED)
