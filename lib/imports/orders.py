"""Rows that are orders: each the body of a placing, with `customer` and the source's own `reference` beside."""

from dataclasses import dataclass
from typing import Any

from lib.changes.operation import Answer, Operation
from lib.imports.loaders import validated
from lib.imports.references import Reference
from lib.orders.models import OrderDetails
from lib.orders.service import OrderExistsError, OrderNotFoundError, OrderService


class OrderRow(OrderDetails):
    """An order as a file tells it."""

    reference: Reference

    def details(self) -> OrderDetails:
        """Return what the API takes of it."""
        told = {name: getattr(self, name) for name in OrderDetails.model_fields}
        return OrderDetails.model_construct(_fields_set=self.model_fields_set - {"reference"}, **told)


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """An order of a row."""

    id: str
    customer_id: str
    orders: OrderService
    details: OrderDetails

    async def make(self, operation: Operation) -> Answer:
        """Place it."""
        return await self.orders.place(
            customer_id=self.customer_id, details=self.details, operation=operation, order_id=self.id
        )

    async def read(self) -> Answer:
        """Read it."""
        return await self.orders.read(customer_id=self.customer_id, order_id=self.id)

    async def check(self) -> None:
        """Refuse what would not be placed."""
        self.orders.check(customer_id=self.customer_id, order_id=self.id, details=self.details)


@dataclass(frozen=True, slots=True)
class OrderRows:
    """Places orders."""

    orders: OrderService
    exists = OrderExistsError
    missing = OrderNotFoundError

    def referenced(self, customer_id: str, body: Any) -> ToldOrder:
        """Return the order that a row tells of.

        Raises:
            InvalidError: the row breaks a rule.
        """
        row = validated(OrderRow, body)
        order_id = self.orders.id_of_reference(customer_id, system=row.reference.system, reference=row.reference.id)
        return ToldOrder(order_id, customer_id, self.orders, row.details())
