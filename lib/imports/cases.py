"""Rows that are cases: each the body of an opening, with `customer` and the source's own `reference` beside.

A row may say how far the case has come (`state`, `resolution`, `settledAt`), who opened it (`openedBy`), and name the
order that it is about by the source's reference of it (`order`).
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from lib.cases.models import Author, Case, CaseAbout, CaseReference, RecordedCaseDraft, Resolution
from lib.cases.rules import CaseInvalidError, Elsewhere, Opening
from lib.cases.service import CaseExistsError, CaseNotFoundError, CaseService
from lib.cases.states import CaseState
from lib.changes.operation import Answer, Operation
from lib.clock import in_milliseconds
from lib.errors import FieldProblem, InvalidError
from lib.fields import Moment
from lib.imports.loaders import RULES, validated
from lib.imports.references import Reference
from lib.orders.service import OrderService


class CaseRow(RecordedCaseDraft):
    """A case as a file tells it."""

    reference: CaseReference
    order: Reference | None = None
    opened_by: Author = Author.CUSTOMER
    state: CaseState = CaseState.NEW
    resolution: Resolution | None = None
    settled_at: Annotated[
        Moment | None,
        AfterValidator(lambda moment: moment and in_milliseconds(moment)),
        Field(description="When it was resolved or closed; now when left out"),
    ] = None


@dataclass(frozen=True, slots=True)
class ToldCase:
    """A case of a row."""

    id: str
    cases: CaseService
    opening: Opening
    by_reference: bool

    async def make(self, operation: Operation) -> Answer:
        """Open it."""
        try:
            return await self.cases.open(self.opening, operation=operation)
        except CaseInvalidError as error:
            raise self._in_the_row(error) from None

    async def read(self) -> Answer:
        """Read it."""
        return await self.cases.read(customer_id=self.opening.customer_id, case_id=self.id)

    async def check(self) -> Case:
        """Refuse what would not be opened."""
        try:
            return await self.cases.opened(self.opening, case_id=self.id, actor="")
        except CaseInvalidError as error:
            raise self._in_the_row(error) from None

    def _in_the_row(self, error: CaseInvalidError) -> CaseInvalidError:
        """Return a refusal whose pointers are into the row, which may name the order in a way of its own."""
        if not self.by_reference:
            return error
        told = [
            FieldProblem("/order", problem.detail) if problem.pointer == "/about/orderId" else problem
            for problem in error.problems
        ]
        return CaseInvalidError(str(error), told)


@dataclass(frozen=True, slots=True)
class CaseRows:
    """Opens cases."""

    cases: CaseService
    orders: OrderService
    exists = CaseExistsError
    missing = CaseNotFoundError

    def referenced(self, customer_id: str, body: Any) -> ToldCase:
        """Return the case that a row tells of.

        Raises:
            InvalidError: the row breaks a rule.
        """
        row = validated(CaseRow, body)
        told: dict[str, Any] = {name: getattr(row, name) for name in RecordedCaseDraft.model_fields}
        told["about"] = self._about(customer_id, row)
        draft = RecordedCaseDraft.model_construct(_fields_set=set(told), **told)
        elsewhere = Elsewhere(
            reference=row.reference, state=row.state, resolution=row.resolution, settled_at=row.settled_at
        )
        opening = Opening(customer_id=customer_id, draft=draft, by=row.opened_by, elsewhere=elsewhere)
        return ToldCase(
            self.cases.id_of_reference(customer_id, row.reference), self.cases, opening, row.order is not None
        )

    def _about(self, customer_id: str, row: CaseRow) -> CaseAbout | None:
        if row.order is None:
            return row.about
        if row.about is not None and row.about.order_id is not None:
            raise InvalidError(RULES, [FieldProblem("/order", "must not be given beside about.orderId")])
        order_id = self.orders.id_of_reference(customer_id, system=row.order.system, reference=row.order.id)
        return (row.about or CaseAbout()).model_copy(update={"order_id": order_id})
