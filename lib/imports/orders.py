"""Rows that are orders: each the body of a placing, with `customer` and the source's own `reference` beside.

An order that its source told before stays as it is: what happens to it later is told through the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.customers.models import SystemName
from lib.customers.service import CustomerService
from lib.errors import PlatformError, UnavailableError
from lib.fields import Text
from lib.imports.loaders import RawRow, Work, refused, validated
from lib.imports.models import Outcome, RowResult
from lib.imports.owners import Owners, owner_keys, parted
from lib.orders.models import OrderDetails
from lib.orders.service import OrderExistsError, OrderNotFoundError, OrderService
from lib.parts import Part


class OrderReference(Part):
    """How the source knows the order."""

    system: SystemName
    id: Text


class OrderRow(OrderDetails):
    """An order as a file tells it."""

    reference: OrderReference

    def details(self) -> OrderDetails:
        """Return what the API takes of it."""
        told = {name: getattr(self, name) for name in OrderDetails.model_fields}
        return OrderDetails.model_construct(_fields_set=self.model_fields_set - {"reference"}, **told)


@dataclass(frozen=True, slots=True)
class OrderLoader:
    """Takes orders."""

    orders: OrderService
    customers: CustomerService
    owners: Owners

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return whose it is."""
        return owner_keys(row.value)

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Place orders."""
        return [await self._taken(row, work) for row in rows]

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell which would be placed, and which are there already."""
        del work
        return [await self._previewed(row) for row in rows]

    async def _taken(self, row: RawRow, work: Work) -> RowResult:
        try:
            customer_id, order_id, details = await self._read(row)
            try:
                await self.orders.place(
                    customer_id=customer_id, details=details, operation=work.operation(row), order_id=order_id
                )
            except OrderExistsError:
                return RowResult(line=row.line, outcome=Outcome.UNCHANGED, id=order_id)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        return RowResult(line=row.line, outcome=Outcome.CREATED, id=order_id)

    async def _previewed(self, row: RawRow) -> RowResult:
        try:
            customer_id, order_id, _ = await self._read(row)
            await self.customers.require(customer_id)
            try:
                await self.orders.read(customer_id=customer_id, order_id=order_id)
            except OrderNotFoundError:
                return RowResult(line=row.line, outcome=Outcome.CREATED, id=order_id)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        return RowResult(line=row.line, outcome=Outcome.UNCHANGED, id=order_id)

    async def _read(self, row: RawRow) -> tuple[str, str, OrderDetails]:
        reference, body = parted(row.value)
        told = validated(OrderRow, body)
        customer_id = await self.customers.require(await self.owners.of(reference))
        order_id = self.orders.id_of_reference(customer_id, system=told.reference.system, reference=told.reference.id)
        return customer_id, order_id, told.details()
