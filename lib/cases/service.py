"""What we do for cases: open, read, list, change, move, comment, and tell who changed what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from lib.cases.comments import comment_write
from lib.cases.links import Links
from lib.cases.listing import list_rows, of_customer, of_order
from lib.cases.models import (
    CASE_PREFIX,
    Case,
    CasePatch,
    CaseReference,
    Comment,
)
from lib.cases.rules import Opening, Rule, amended, changed_fields, opened
from lib.cases.states import CaseState
from lib.cases.story import told
from lib.changes.operation import Answer, Operation
from lib.changes.owned import Draft, KeptEntity, OwnedEntities
from lib.changes.writer import Change
from lib.clock import Clock, in_milliseconds
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import ConflictError, NotFoundError, StaleError
from lib.ids import Ids, Seal, is_id
from lib.orders.models import ORDER_PREFIX
from lib.orders.service import OrderNotFoundError
from lib.paging import Page
from lib.storage.ports import Delete, Upsert
from lib.timeline.entries import timeline_write
from lib.timeline.ranges import KeyRange, RangePages

Made: TypeAlias = tuple[Case, Comment | None]
Make: TypeAlias = Callable[[Case, int, datetime], Awaitable[Made]]
"""Given the kept case, the version to make and the time: the case to keep, and the comment that comes with it."""

_LISTING: Final = "cases"


class CaseNotFoundError(NotFoundError):
    """The customer has no case with this id."""

    kind = "case-not-found"
    title = "No such case"

    def __init__(self) -> None:
        super().__init__("The customer has no case with this id.")


class CaseChangedError(StaleError):
    """The case changed since the caller read it."""

    kind = "case-changed"

    def __init__(self) -> None:
        super().__init__("The case changed since it was read; read it again and repeat the change.")


class CaseExistsError(ConflictError):
    """A case with this id was opened already."""

    kind = "case-exists"
    title = "The case exists"

    def __init__(self) -> None:
        super().__init__("This case was opened already.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseService:
    """The operations on cases."""

    entities: OwnedEntities
    links: Links
    pages: RangePages
    customers: CustomerService
    clock: Clock
    ids: Ids
    id_seal: Seal

    def id_of_reference(self, customer_id: str, reference: CaseReference) -> str:
        """Return the id of the case that another system knows by its own reference."""
        return self.id_seal.id(CASE_PREFIX, customer_id, reference.system, reference.id)

    async def open(self, opening: Opening, *, operation: Operation) -> Answer:
        """Keep a new case, with what the items that it is about are like now.

        It takes three storage calls, and one more for each thing that it is about.

        Raises:
            CustomerNotFoundError: there is no such customer.
            CaseInvalidError: it is about something that this customer does not have, or contradicts itself.
            CaseExistsError: a case with the other system's reference was opened before.
            IdempotencyMismatchError: the key was used with another case.
            UnavailableError: it cannot be done now.
        """
        check_customer_id(opening.customer_id)
        case_id = self._new_id(opening, operation)

        async def decide(kept: KeptEntity | None, _: int) -> Draft:
            if kept is not None:
                raise CaseExistsError
            case = await self.opened(opening, case_id=case_id, actor=operation.actor)
            return await self._draft(None, (case, None), operation, reason="")

        return await self.entities.write(
            owner=opening.customer_id,
            entity_id=case_id,
            operation=operation,
            decide=decide,
            new=opening.elsewhere is None,
        )

    async def opened(self, opening: Opening, *, case_id: str, actor: str) -> Case:
        """Return the case that would be kept now, without keeping it.

        Raises:
            CustomerNotFoundError, CaseInvalidError: as `open`.
        """
        owner = await self.customers.require(opening.customer_id)
        items = await self.links.items(owner, opening.draft.about, before=None)
        return opened(opening, case_id=case_id, items=items, actor=actor, at=in_milliseconds(self.clock.now()))

    async def read(self, *, customer_id: str, case_id: str) -> Answer:
        """Return a case as staff read it back, in one storage call.

        Raises:
            CustomerNotFoundError: there is no such customer.
            CaseNotFoundError: the customer has no such case.
        """
        kept = await self.kept(customer_id, case_id)
        return Answer(entity_id=case_id, version=kept.version, document=kept.document)

    async def list_page(
        self, *, customer_id: str, state: CaseState | None, settled: bool | None, limit: int, cursor: str | None
    ) -> Page[str]:
        """Return a page of a customer's cases as the lists of staff show them, the latest opened first.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        page = await self._page(customer_id, of_customer(state=state, settled=settled), limit=limit, cursor=cursor)
        if not page.items and page.cursor is None and cursor is None:
            await self.customers.require(customer_id)
        return page

    async def list_of_order(self, *, customer_id: str, order_id: str, limit: int, cursor: str | None) -> Page[str]:
        """Return a page of the cases about an order and its items, as the lists of staff show them, latest first.

        Raises:
            CustomerNotFoundError, OrderNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        if not is_id(order_id, prefix=ORDER_PREFIX):
            await self.customers.require(customer_id)
            raise OrderNotFoundError
        page = await self._page(customer_id, of_order(order_id), limit=limit, cursor=cursor)
        if not page.items and page.cursor is None and cursor is None:
            await self.links.orders.read(customer_id=customer_id, order_id=order_id)
        return page

    async def amend(
        self, *, customer_id: str, case_id: str, patch: CasePatch, expected_version: int, operation: Operation
    ) -> Answer:
        """Apply a merge patch to the version that was read.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there is none.
            CaseChangedError: the version is no longer the current one.
            CaseClosedError, CaseInvalidError: it cannot be changed so.
            IdempotencyMismatchError: the key was used with another patch.
            UnavailableError: it cannot be done now.
        """

        async def make(case: Case, version: int, at: datetime) -> Made:
            after = amended(case, patch, version=version, at=at)
            if after.about != case.about:
                items = await self.links.items(customer_id, after.about, before=case)
                after = after.model_copy(update={"items": items})
            return after, None

        return await self.change(
            customer_id=customer_id,
            case_id=case_id,
            expected_version=expected_version,
            operation=operation,
            reason=patch.reason or "",
            make=make,
        )

    async def move(
        self,
        *,
        customer_id: str,
        case_id: str,
        rule: Rule,
        reason: str,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Take a case to another state by a rule of `lib.cases.rules`: `moved`, `reopened` or `withdrawn`.

        Raises:
            CaseMoveError, CaseNotResolvedError, CaseClosedError, CaseInvalidError: the rule refuses it.
            CustomerNotFoundError, CaseNotFoundError: there is none.
            CaseChangedError: the version that the caller named is no longer the current one.
            IdempotencyMismatchError, UnavailableError: as `amend`.
        """

        async def make(case: Case, version: int, at: datetime) -> Made:
            return rule(case, version=version, at=at), None

        return await self.change(
            customer_id=customer_id,
            case_id=case_id,
            expected_version=expected_version,
            operation=operation,
            reason=reason,
            make=make,
        )

    async def changes_page(self, *, customer_id: str, case_id: str, limit: int, cursor: str | None) -> Page[Change]:
        """Return a page of a case's change log, newest first.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        await self.check_ids(customer_id, case_id)
        page = await self.entities.changes_page(
            customer_id, case_id, cursors=self.pages.cursors, limit=limit, cursor=cursor
        )
        if not page.items and cursor is None:
            await self.kept(customer_id, case_id)
        return page

    async def change(
        self,
        *,
        customer_id: str,
        case_id: str,
        expected_version: int | None,
        operation: Operation,
        reason: str,
        make: Make,
    ) -> Answer:
        """Make the next version of a case, with its lists, its comment, its timeline entry and its change log entry.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there is none.
            CaseChangedError: the version that the caller named is no longer the current one.
            PlatformError: what `make` raised.
            IdempotencyMismatchError, UnavailableError: as `amend`.
        """
        await self.check_ids(customer_id, case_id)

        async def decide(kept: KeptEntity | None, version: int) -> Draft | None:
            if kept is None:
                raise await self._missing(customer_id)
            if expected_version is not None and kept.version != expected_version:
                raise CaseChangedError
            before = Case.read(kept.document)
            made = await make(before, version, max(in_milliseconds(self.clock.now()), before.updated_at))
            if not changed_fields(before, made[0]):
                return None
            return await self._draft(before, made, operation, reason=reason)

        return await self.entities.write(owner=customer_id, entity_id=case_id, operation=operation, decide=decide)

    async def kept(self, customer_id: str, case_id: str) -> KeptEntity:
        """Return what is kept of a case, in one storage call.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there is none.
        """
        await self.check_ids(customer_id, case_id)
        kept = await self.entities.read(customer_id, case_id)
        if kept is None:
            raise await self._missing(customer_id)
        return kept

    async def check_ids(self, customer_id: str, case_id: str) -> None:
        """Refuse what cannot be ids, before storage is asked for them.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there can be none.
        """
        check_customer_id(customer_id)
        if not is_id(case_id, prefix=CASE_PREFIX):
            raise await self._missing(customer_id)

    async def _draft(self, before: Case | None, made: Made, operation: Operation, *, reason: str) -> Draft:
        after, comment = made
        rows = list_rows(after)
        gone = sorted(set(list_rows(before)) - set(rows)) if before else []
        found = [await self.entities.table.get(after.customer_id, key) for key in gone]
        return Draft(
            document=after.json_text(),
            fields=changed_fields(before, after),
            reason=reason,
            more=(
                *(Upsert(key, values) for key, values in rows.items()),
                *(Delete(row.key, row.etag) for row in found if row is not None),
                *(timeline_write(entry) for entry in told(before, after, comment, actor=operation.actor)),
                *([comment_write(comment)] if comment else []),
            ),
        )

    def _new_id(self, opening: Opening, operation: Operation) -> str:
        if opening.elsewhere is not None:
            return self.id_of_reference(opening.customer_id, opening.elsewhere.reference)
        return self.id_seal.id(CASE_PREFIX, operation.id) if operation.keyed else self.ids.new(CASE_PREFIX)

    async def _page(self, customer_id: str, asked: KeyRange, *, limit: int, cursor: str | None) -> Page[str]:
        found = await self.pages.read(customer_id, asked, limit=limit, cursor=cursor, name=_LISTING)
        return Page([str(row.values["summary"]) for row in found.items], found.cursor)

    async def _missing(self, customer_id: str) -> NotFoundError:
        """Return what is missing: the customer (that is raised at once) or the case."""
        await self.customers.require(customer_id)
        return CaseNotFoundError()
