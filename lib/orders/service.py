"""What we do for orders: place, read, list, change, move, cancel, and tell who changed what and why."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from lib.changes.operation import Answer, Operation
from lib.changes.owned import Draft, KeptEntity, OwnedEntities
from lib.changes.writer import Change
from lib.clock import Clock, in_milliseconds, parse_rfc3339, rfc3339
from lib.customers.service import CustomerService
from lib.customers.store import CUSTOMER_PREFIX
from lib.errors import ConflictError, NotFoundError, StaleError
from lib.ids import Ids, Seal, is_id
from lib.orders.differences import changed_fields
from lib.orders.listing import When
from lib.orders.models import ORDER_PREFIX, Order, OrderDetails, OrderPatch
from lib.orders.prefill import filled
from lib.orders.rules import OrderMoveError, amended, moved, placed
from lib.orders.states import CUSTOMER_MAY_CANCEL, OrderState
from lib.orders.store import OrderStore
from lib.orders.story import told
from lib.paging import Cursors, Page
from lib.preferences.service import PreferenceService
from lib.timeline.entries import timeline_write

Make: TypeAlias = Callable[[Order, int, datetime], Awaitable[Order | None]]
"""Given the kept order, the version to make and the time: the order to keep, or None when nothing changes."""
Reason: TypeAlias = str | Callable[[Order, Order], str]
"""Why an order is changed; or who can tell from what it was and what it became."""

_NO_REASON: Final = ""


class OrderNotFoundError(NotFoundError):
    """The customer has no order with this id."""

    kind = "order-not-found"
    title = "No such order"

    def __init__(self) -> None:
        super().__init__("The customer has no order with this id.")


class OrderChangedError(StaleError):
    """The order changed since the caller read it."""

    kind = "order-changed"

    def __init__(self) -> None:
        super().__init__("The order changed since it was read; read it again and repeat the change.")


class OrderExistsError(ConflictError):
    """An order with this id was placed already."""

    kind = "order-exists"
    title = "The order exists"

    def __init__(self) -> None:
        super().__init__("This order was placed already.")


@dataclass(frozen=True, slots=True)
class OrderService:
    """The operations on orders."""

    store: OrderStore
    customers: CustomerService
    preferences: PreferenceService
    clock: Clock
    ids: Ids
    id_seal: Seal
    cursors: Cursors

    def id_of_reference(self, customer_id: str, *, system: str, reference: str) -> str:
        """Return the id of the order that another system knows by its own reference."""
        return self.id_seal.id(ORDER_PREFIX, customer_id, system, reference)

    async def place(
        self, *, customer_id: str, details: OrderDetails, operation: Operation, order_id: str | None = None
    ) -> Answer:
        """Keep a new order, with what it leaves open filled in from the customer's preferences.

        Raises:
            CustomerNotFoundError: there is no such customer.
            OrderExistsError: there is an order with the id that was asked for.
            OrderInvalidError: the order contradicts itself.
            IdempotencyMismatchError: the key was used with another order.
            UnavailableError: it cannot be done now.
        """
        preferences = await self.preferences.current(customer_id)
        made_id = self.id_seal.id(ORDER_PREFIX, operation.id) if operation.keyed else self.ids.new(ORDER_PREFIX)
        chosen_id = order_id or made_id

        async def decide(kept: KeptEntity | None, _: int) -> Draft:
            if kept is not None:
                raise OrderExistsError
            now = in_milliseconds(self.clock.now())
            order = placed(details, order_id=chosen_id, customer_id=customer_id, at=now)
            return await self._draft(None, filled(order, preferences, at=now), operation, reason=_NO_REASON)

        return await self.entities.write(
            owner=customer_id, entity_id=chosen_id, operation=operation, decide=decide, new=True
        )

    def check(self, *, customer_id: str, order_id: str, details: OrderDetails) -> None:
        """Refuse what would not be placed, without placing anything.

        Raises:
            OrderInvalidError: the order contradicts itself.
        """
        placed(details, order_id=order_id, customer_id=customer_id, at=in_milliseconds(self.clock.now()))

    async def read(self, *, customer_id: str, order_id: str) -> Answer:
        """Return an order, in one storage call.

        Raises:
            CustomerNotFoundError: there is no such customer.
            OrderNotFoundError: the customer has no such order.
        """
        kept = await self._kept(customer_id, order_id)
        return Answer(entity_id=order_id, version=kept.version, document=kept.document)

    async def list_page(
        self, *, customer_id: str, when: When | None, state: OrderState | None, limit: int, cursor: str | None
    ) -> Page[str]:
        """Return a page of a customer's orders: coming ones soonest first, past and all of them latest first.

        The pages of one walk show the lists as of the first page's moment. A page may be short; only its cursor tells
        the end.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"orders:{customer_id}:{when}:{state}"
        now, resume = self.clock.now(), None
        if cursor:
            at, _, resume = self.cursors.take(cursor, listing=listing).partition("|")
            now = parse_rfc3339(at)
        if not is_id(customer_id, prefix=CUSTOMER_PREFIX):
            raise await self._missing(customer_id)
        page = await self.store.list_page(customer_id, when=when, state=state, now=now, limit=limit, resume=resume)
        if not page.rows and cursor is None:
            await self.customers.require(customer_id)
        following = self.cursors.give(f"{rfc3339(now)}|{page.resume}", listing=listing) if page.resume else None
        return Page([str(row.values["summary"]) for row in page.rows], following)

    async def amend(
        self, *, customer_id: str, order_id: str, patch: OrderPatch, expected_version: int, operation: Operation
    ) -> Answer:
        """Apply a merge patch to the version that was read. New flight segments are filled in as at placing.

        Raises:
            CustomerNotFoundError, OrderNotFoundError: there is none.
            OrderChangedError: the version is no longer the current one.
            OrderClosedError, ItemInUseError, OrderInvalidError: it cannot be changed so.
            IdempotencyMismatchError: the key was used with another patch.
            UnavailableError: it cannot be done now.
        """

        async def make(order: Order, version: int, at: datetime) -> Order | None:
            changed = amended(order, patch, version=version, at=at)
            return await self.filled(changed, kept=order, at=at)

        return await self.change(
            customer_id=customer_id,
            order_id=order_id,
            expected_version=expected_version,
            operation=operation,
            reason=patch.reason,
            make=make,
        )

    async def filled(self, order: Order, *, kept: Order, at: datetime) -> Order:
        """Return a changed order with what its new flight segments leave open filled in."""
        before = {item.id for item in kept.items}
        if all(segment.id in before for segment in order.segments):
            return order
        preferences = await self.preferences.current(order.customer_id)
        return filled(order, preferences, at=at, kept_items=before)

    async def cancel(
        self,
        *,
        customer_id: str,
        order_id: str,
        reason: str,
        by_customer: bool,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Cancel an order and what can still be cancelled of it; customers may until fulfilment has begun.

        Raises:
            CustomerNotFoundError, OrderNotFoundError: there is none.
            OrderChangedError: the version that the caller named is no longer the current one.
            OrderMoveError: it cannot be cancelled any more.
            IdempotencyMismatchError, UnavailableError: as `amend`.
        """

        async def make(order: Order, version: int, at: datetime) -> Order:
            if by_customer and order.state not in CUSTOMER_MAY_CANCEL:
                raise OrderMoveError(order.state, OrderState.CANCELLED)
            return moved(order, OrderState.CANCELLED, version=version, at=at)

        return await self.change(
            customer_id=customer_id,
            order_id=order_id,
            expected_version=expected_version,
            operation=operation,
            reason=reason,
            make=make,
        )

    async def move(
        self,
        *,
        customer_id: str,
        order_id: str,
        state: OrderState,
        reason: str,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Take an order to its next state.

        Raises:
            OrderMoveError: it cannot go there from where it stands.
            ItemsOpenError: it is not fulfilled while something still has to happen.
            CustomerNotFoundError, OrderNotFoundError, OrderChangedError: as `cancel`.
            IdempotencyMismatchError, UnavailableError: as `amend`.
        """

        async def make(order: Order, version: int, at: datetime) -> Order:
            return moved(order, state, version=version, at=at)

        return await self.change(
            customer_id=customer_id,
            order_id=order_id,
            expected_version=expected_version,
            operation=operation,
            reason=reason,
            make=make,
        )

    async def changes_page(self, *, customer_id: str, order_id: str, limit: int, cursor: str | None) -> Page[Change]:
        """Return a page of an order's change log, newest first.

        Raises:
            CustomerNotFoundError, OrderNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        await self._check_ids(customer_id, order_id)
        page = await self.entities.changes_page(customer_id, order_id, cursors=self.cursors, limit=limit, cursor=cursor)
        if not page.items and cursor is None:
            await self._kept(customer_id, order_id)
        return page

    @property
    def entities(self) -> OwnedEntities:
        """The orders as they are kept."""
        return self.store.entities

    async def change(
        self,
        *,
        customer_id: str,
        order_id: str,
        expected_version: int | None,
        operation: Operation,
        reason: Reason,
        make: Make,
    ) -> Answer:
        """Make the next version of an order, with its lists, its timeline entry and its entry in the change log.

        Raises:
            CustomerNotFoundError, OrderNotFoundError: there is none.
            OrderChangedError: the version that the caller named is no longer the current one.
            PlatformError: what `make` raised.
            IdempotencyMismatchError, UnavailableError: as `amend`.
        """
        await self._check_ids(customer_id, order_id)

        async def decide(kept: KeptEntity | None, version: int) -> Draft | None:
            if kept is None:
                raise await self._missing(customer_id)
            if expected_version is not None and kept.version != expected_version:
                raise OrderChangedError
            before = Order.read(kept.document)
            after = await make(before, version, max(in_milliseconds(self.clock.now()), before.updated_at))
            if after is None or not changed_fields(before, after):
                return None
            why = reason if isinstance(reason, str) else reason(before, after)
            return await self._draft(before, after, operation, reason=why)

        return await self.entities.write(owner=customer_id, entity_id=order_id, operation=operation, decide=decide)

    async def _draft(self, before: Order | None, after: Order, operation: Operation, *, reason: str) -> Draft:
        entry = told(before, after, actor=operation.actor)
        return Draft(
            document=after.json_text(),
            fields=changed_fields(before, after),
            reason=reason,
            more=(*await self.store.list_writes(before, after), timeline_write(entry)),
        )

    async def _kept(self, customer_id: str, order_id: str) -> KeptEntity:
        await self._check_ids(customer_id, order_id)
        kept = await self.entities.read(customer_id, order_id)
        if kept is None:
            raise await self._missing(customer_id)
        return kept

    async def _check_ids(self, customer_id: str, order_id: str) -> None:
        if not is_id(customer_id, prefix=CUSTOMER_PREFIX) or not is_id(order_id, prefix=ORDER_PREFIX):
            raise await self._missing(customer_id)

    async def _missing(self, customer_id: str) -> NotFoundError:
        """Return what is missing: the customer (that is raised at once) or the order."""
        await self.customers.require(customer_id)
        return OrderNotFoundError()
