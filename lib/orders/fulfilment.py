"""What happens to an order's items after it was placed: their statuses, rebookings, and shipments and invoices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from lib.changes.operation import Answer, Operation
from lib.clock import rfc3339
from lib.errors import ConflictError, FieldProblem, NotFoundError
from lib.orders.items import NewFlightSegment, Product, Segment, StatusDetails
from lib.orders.models import MAXIMUM_DOCUMENTS, Document, DocumentDetails, DocumentKind, Order
from lib.orders.rules import OrderClosedError, OrderInvalidError, built, kept_items
from lib.orders.service import OrderService
from lib.orders.states import FlightStatus, ItemKind, OrderState, ProductStatus, is_gone, may_move
from lib.orders.words import FreeText
from lib.parts import Part

_DOCUMENTED: Final = frozenset({OrderState.CONFIRMED, OrderState.IN_FULFILMENT, OrderState.FULFILLED})


class ItemNotFoundError(NotFoundError):
    """The order has no item with this id."""

    kind = "order-item-not-found"
    title = "No such item"

    def __init__(self) -> None:
        super().__init__("The order has no item with this id.")


class ItemMoveError(ConflictError):
    """The item cannot go from its status to the one that was asked for."""

    kind = "order-item-move-not-allowed"
    title = "The item cannot go there"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"An item that is {before} cannot become {after}.")


class DocumentNotAllowedError(ConflictError):
    """The order takes no such document now."""

    kind = "order-document-not-allowed"
    title = "No document now"


class ItemStatusChange(Part):
    """A new status of an item, and why."""

    status: Annotated[str, Field(max_length=20, pattern="^[a-zA-Z]{1,20}$", examples=["rebooked"])]
    details: StatusDetails | None = None
    replacement: Annotated[
        NewFlightSegment | None, Field(description="With status rebooked: the segment that is flown instead")
    ] = None
    reason: Annotated[FreeText, Field(description="Why; kept in the change log")]


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """The operations on the items and documents of orders."""

    orders: OrderService

    async def change_status(
        self,
        *,
        customer_id: str,
        order_id: str,
        item_id: str,
        change: ItemStatusChange,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Give an item its next status; a segment that is rebooked may bring the one that replaces it.

        Raises:
            CustomerNotFoundError, OrderNotFoundError, ItemNotFoundError: there is none.
            OrderChangedError: the version that the caller named is no longer the current one.
            OrderClosedError: the order was cancelled.
            ItemMoveError: the item cannot go there from its status.
            OrderInvalidError: the replacement is not a valid segment of this order.
            IdempotencyMismatchError: the key was used with another change.
            UnavailableError: it cannot be done now.
        """

        async def make(order: Order, version: int, at: datetime) -> Order:
            after = with_status(order, item_id, change, version=version, at=at)
            return await self.orders.filled(after, kept=order, at=at)

        return await self.orders.change(
            customer_id=customer_id,
            order_id=order_id,
            expected_version=expected_version,
            operation=operation,
            reason=change.reason,
            make=make,
        )

    async def add_document(
        self,
        *,
        customer_id: str,
        order_id: str,
        details: DocumentDetails,
        reason: str,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Keep a shipment or invoice with its order; a shipment ships the products that it names.

        Raises:
            DocumentNotAllowedError: the order is not confirmed, is cancelled, or has too many documents.
            CustomerNotFoundError, OrderNotFoundError, OrderChangedError: as `change_status`.
            OrderInvalidError: it names an item that the order does not have.
            IdempotencyMismatchError, UnavailableError: as `change_status`.
        """

        async def make(order: Order, version: int, at: datetime) -> Order:
            return with_document(order, details, version=version, at=at)

        return await self.orders.change(
            customer_id=customer_id,
            order_id=order_id,
            expected_version=expected_version,
            operation=operation,
            reason=reason,
            make=make,
        )


def with_status(order: Order, item_id: str, change: ItemStatusChange, *, version: int, at: datetime) -> Order:
    """Return the order with an item in its next status.

    Raises:
        ItemNotFoundError, OrderClosedError, ItemMoveError, OrderInvalidError: as `Fulfilment.change_status`.
    """
    if order.state is OrderState.CANCELLED:
        raise OrderClosedError(order.state)
    item = order.item(item_id)
    if item is None:
        raise ItemNotFoundError
    if not may_move(item.kind, item.status, change.status):
        raise ItemMoveError(item.status, change.status)
    values = order.json_values()
    details = change.details.model_dump(mode="json", by_alias=True, exclude_none=True) if change.details else {}
    if change.replacement is not None:
        replacement = _replacement(order, item.kind, change, change.replacement)
        values["items"].append(replacement)
        details["rebookedTo"] = replacement["id"]
    _check_rebooked_to(values["items"], item_id, details.get("rebookedTo"))
    target = next(one for one in values["items"] if one["id"] == item_id)
    target |= {"status": change.status, "statusDetails": details}
    if not details:
        del target["statusDetails"]
    if isinstance(item, Segment):
        target["statusKnown"] = {"at": rfc3339(at)}
    return built(values, version=version, at=at)


def with_document(order: Order, details: DocumentDetails, *, version: int, at: datetime) -> Order:
    """Return the order with a shipment or invoice added.

    Raises:
        DocumentNotAllowedError, OrderInvalidError: as `Fulfilment.add_document`.
    """
    if order.state not in _DOCUMENTED:
        raise DocumentNotAllowedError(f"An order that is {order.state} takes no documents.")
    if len(order.documents) == MAXIMUM_DOCUMENTS:
        raise DocumentNotAllowedError(f"An order takes at most {MAXIMUM_DOCUMENTS} documents.")
    if any((one.kind, one.number) == (details.kind, details.number) for one in order.documents):
        raise DocumentNotAllowedError(f"The order has a {details.kind} with this number already.")
    document = Document.model_validate({**details.model_dump(), "issued_at": details.issued_at or at, "added_at": at})
    values = order.json_values()
    values["documents"] = [
        *values.get("documents", ()),
        document.model_dump(mode="json", by_alias=True, exclude_none=True),
    ]
    if details.kind is DocumentKind.SHIPMENT:
        named = set(details.item_ids) or {item.id for item in order.items}
        for item, kept in zip(values["items"], order.items, strict=True):
            if isinstance(kept, Product) and kept.id in named and kept.status is ProductStatus.ORDERED:
                item["status"] = ProductStatus.SHIPPED
    return built(values, version=version, at=at)


def _replacement(order: Order, kind: ItemKind, change: ItemStatusChange, segment: NewFlightSegment) -> dict[str, Any]:
    if kind is not ItemKind.FLIGHT_SEGMENT or change.status != FlightStatus.REBOOKED:
        problem = FieldProblem("/replacement", "is only for a flight segment that is rebooked")
        raise OrderInvalidError("A replacement does not belong here.", [problem])
    written = segment.model_dump(mode="json", by_alias=True, exclude_none=True)
    if any(item.id == segment.id for item in order.items):
        problem = FieldProblem("/replacement/id", "must not be the id of another item")
        raise OrderInvalidError("The replacement is not a new item.", [problem])
    return kept_items([written], (), taken=[item.id for item in order.items])[0]


def _check_rebooked_to(items: list[dict[str, Any]], item_id: str, target_id: str | None) -> None:
    if target_id is None:
        return
    target: Mapping[str, Any] | None = next((one for one in items if one["id"] == target_id), None)
    if target is None or target_id == item_id or target["kind"] != ItemKind.FLIGHT_SEGMENT or is_gone(target["status"]):
        problem = FieldProblem("/details/rebookedTo", "must be another flight segment that takes place")
        raise OrderInvalidError("The segment cannot be rebooked to this.", [problem])
