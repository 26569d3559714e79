"""What a case is about: that this customer has it, and what the items of an order are like at that moment."""

from dataclasses import dataclass
from typing import Final

from pydantic.alias_generators import to_camel

from lib.cases.models import Case, CaseAbout, CaseItem
from lib.cases.rules import CaseInvalidError
from lib.changes.belongings import absent
from lib.errors import FieldProblem
from lib.orders.items import Ancillary, Item, Product, RetailPurchase, Segment, Service
from lib.orders.models import Order
from lib.orders.service import OrderNotFoundError, OrderService
from lib.storage.ports import Table

_NOT_HERE: Final = "is not one of this customer"


@dataclass(frozen=True, slots=True)
class Links:
    """Looks at what cases are about."""

    orders: OrderService
    table: Table

    async def items(self, customer_id: str, about: CaseAbout | None, *, before: Case | None) -> tuple[CaseItem, ...]:
        """Return the items that a case is about; those that it was about before stay as they were seen then.

        It takes one storage call for each thing that is named.

        Raises:
            CaseInvalidError: this customer does not have what is named; pointers are into the case.
        """
        if about is None:
            return ()
        problems = await self._missing(customer_id, about)
        if before is not None and about.case_id == before.id:
            problems.append(FieldProblem("/about/caseId", "must be another case"))
        order = await self._order(customer_id, about, problems)
        seen = {item.id: item for item in before.items} if before and before.order_id == about.order_id else {}
        items: list[CaseItem] = []
        for place, item_id in enumerate(about.item_ids):
            item = order.item(item_id) if order else None
            if item_id in seen:
                items.append(seen[item_id])
            elif item is not None:
                items.append(seen_item(item))
            elif order is not None:
                problems.append(FieldProblem(f"/about/itemIds/{place}", "is not an item of this order"))
        if problems:
            raise CaseInvalidError("What the case is about cannot be so; errors says where.", problems)
        return tuple(items)

    async def _missing(self, customer_id: str, about: CaseAbout) -> list[FieldProblem]:
        named = about.model_dump(exclude={"order_id", "item_ids"}, exclude_none=True)
        missing = await absent(self.table, customer_id, named)
        return [FieldProblem(f"/about/{to_camel(name)}", _NOT_HERE) for name in missing]

    async def _order(self, customer_id: str, about: CaseAbout, problems: list[FieldProblem]) -> Order | None:
        if len(set(about.item_ids)) != len(about.item_ids):
            problems.append(FieldProblem("/about/itemIds", "must not name an item twice"))
        if about.order_id is None:
            if about.item_ids:
                problems.append(FieldProblem("/about/orderId", "is required with itemIds"))
            return None
        try:
            found = await self.orders.read(customer_id=customer_id, order_id=about.order_id)
        except OrderNotFoundError:
            problems.append(FieldProblem("/about/orderId", _NOT_HERE))
            return None
        return Order.read(found.document)


def seen_item(item: Item) -> CaseItem:
    """Return an item as a case keeps it: what it is in a few words, and how it stands."""
    match item:
        case Segment():
            words = f"{item.flight} {item.departure_airport}-{item.arrival_airport} {item.flight_date.isoformat()}"
        case Product():
            words = item.name or f"{item.quantity} {item.family} {item.sku}"
        case Ancillary():
            words = item.name or item.ancillary_type
        case Service():
            words = item.name or item.service_code
        case RetailPurchase():
            words = item.name or item.sku
    return CaseItem(id=item.id, kind=item.kind, label=words, status=item.status)
