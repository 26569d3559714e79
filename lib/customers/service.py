"""What we do for customers: create, read, amend, list, and tell who changed what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from lib.changes.operation import Answer, Operation, first_answer, record_writes
from lib.changes.writer import Change, Commit, LostRaceError, Writer, change_prefix, read_change
from lib.clock import Clock
from lib.customers.claims import Claims, IdentifierTakenError
from lib.customers.models import Customer, CustomerDetails, ExternalId
from lib.customers.patch import CustomerPatch
from lib.customers.rules import FieldChange, amended, changed_fields, check_new, identifiers_of, replaced
from lib.customers.store import CUSTOMER_PREFIX, CustomerStore, KeptCustomer, documents_of, profile_write
from lib.errors import NotFoundError, StaleError, UnavailableError
from lib.ids import Ids, Seal, is_id
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.paging import Cursors, Page
from lib.storage.errors import RowExistsError
from lib.timeline.entries import TimelineEntry, TimelineType, timeline_write

_TRIES: Final = 4
# Whoever replaces whatever is there competes with everybody, and need not be told so.
_TRIES_WITHOUT_A_VERSION: Final = 12
_LISTING: Final = "customers"
_Decide: TypeAlias = Callable[[Customer, date], CustomerDetails]


class CustomerNotFoundError(NotFoundError):
    """There is no customer with this id."""

    kind = "customer-not-found"
    title = "No such customer"

    def __init__(self) -> None:
        super().__init__("There is no customer with this id.")


class CustomerChangedError(StaleError):
    """The customer changed since the caller read it."""

    kind = "customer-changed"

    def __init__(self) -> None:
        super().__init__("The customer changed since it was read; read it again and repeat the change.")


def check_customer_id(customer_id: str) -> None:
    """Refuse what cannot be a customer's id, before storage is asked for it.

    Raises:
        CustomerNotFoundError: it cannot.
    """
    if not is_id(customer_id, prefix=CUSTOMER_PREFIX):
        raise CustomerNotFoundError


@dataclass(frozen=True, slots=True)
class CustomerService:
    """The operations on customers."""

    store: CustomerStore
    claims: Claims
    writer: Writer
    clock: Clock
    ids: Ids
    id_seal: Seal
    value_seal: Seal
    cursors: Cursors

    async def create(self, *, details: CustomerDetails, operation: Operation) -> Answer:
        """Keep a new customer and return it as it is read back.

        Raises:
            CustomerInvalidError: the details cannot become a new customer.
            IdentifierTakenError: a loyalty number or external id belongs to another customer.
            IdempotencyMismatchError: the key was used with other details.
            UnavailableError: it cannot be done now.
        """
        now = self.clock.now()
        check_new(details, today=now.date())
        customer_id = self.id_of(operation) or self.ids.new(CUSTOMER_PREFIX)
        customer = Customer.of(details, customer_id=customer_id, version=1, created_at=now, updated_at=now)
        fields = changed_fields({}, customer.details(), seal=self.value_seal)
        identifiers = identifiers_of(details)
        over: KeptCustomer | None = None
        for _ in range(_TRIES):
            # Anew in every round, after the row it will write over was read: a fence in between means that the claims
            # may have gone to others, and that the promise was let go.
            try:
                await self.claims.claim(identifiers, customer_id=customer_id)
            except IdentifierTakenError:
                first = await self.first_answer(customer_id=customer_id, operation=operation)
                if first is not None:
                    return first
                raise
            promised = await self._promise(customer_id, 1)
            try:
                return await self._commit(customer, fields=fields, operation=operation, over=over, promised=promised)
            except LostRaceError:
                first = await self.first_answer(customer_id=customer_id, operation=operation)
                if first is not None:
                    return first
                over = await self.store.read(customer_id)
                if over is not None and over.version > 0:
                    break
        raise UnavailableError("The customer could not be kept now; nothing was written.")

    async def read(self, *, customer_id: str) -> Answer:
        """Return a customer as it is read back, in one storage call.

        Raises:
            CustomerNotFoundError: there is none.
        """
        kept = await self._kept(customer_id)
        return Answer(entity_id=customer_id, version=kept.version, document=kept.document)

    async def require(self, customer_id: str) -> str:
        """Return the id under which this customer is kept, in one storage call: who writes beside a profile asks first.

        Raises:
            CustomerNotFoundError: there is none.
        """
        await self._kept(customer_id)
        return customer_id

    async def amend(
        self, *, customer_id: str, patch: CustomerPatch, expected_version: int, operation: Operation
    ) -> Answer:
        """Apply a merge patch to the version that the caller read, and return the customer as it is then read back.

        A patch that changes nothing makes no new version.

        Raises:
            CustomerNotFoundError: there is none.
            CustomerChangedError: the version is no longer the current one.
            CustomerInvalidError: the result would not be a valid customer.
            IdentifierTakenError: a loyalty number or external id belongs to another customer.
            IdempotencyMismatchError: the key was used with another patch.
            UnavailableError: it cannot be done now.
        """

        def decide(current: Customer, today: date) -> CustomerDetails:
            return amended(current, patch, today=today)

        return await self._change(customer_id, expected_version, decide, operation)

    async def replace(
        self,
        *,
        customer_id: str,
        details: CustomerDetails,
        through: ExternalId,
        expected_version: int | None,
        operation: Operation,
    ) -> Answer:
        """Replace what callers may write of a customer that was found by an external id.

        What that keeps, `lib.customers.rules.replaced` says. Without an expected version it replaces whatever is
        there. Saying the same again makes no new version.

        Raises:
            What `amend` raises.
        """

        def decide(current: Customer, today: date) -> CustomerDetails:
            return replaced(current, details, through=through, today=today)

        return await self._change(customer_id, expected_version, decide, operation)

    async def first_answer(self, *, customer_id: str, operation: Operation) -> Answer | None:
        """Return what this keyed operation did to a customer before, or None when it never did.

        Raises:
            IdempotencyMismatchError: the key was used with another body.
        """
        return await first_answer(self.store.customers, partition=customer_id, operation=operation)

    def id_of(self, operation: Operation) -> str | None:
        """Return the id that a keyed create always makes; None without a key."""
        return self.id_seal.id(CUSTOMER_PREFIX, operation.id) if operation.keyed else None

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[str]:
        """Return a page of all customers as they are read back; a change shows within seconds.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        resume = self.cursors.take(cursor, listing=_LISTING) if cursor else None
        rows = await self.store.list_page(limit=limit, resume=resume)
        following = self.cursors.give(rows.resume, listing=_LISTING) if rows.resume else None
        return Page(documents_of(rows.rows), following)

    async def changes_page(self, *, customer_id: str, limit: int, cursor: str | None) -> Page[Change]:
        """Return a page of a customer's change log, newest first.

        Raises:
            CustomerNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"changes:{customer_id}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        prefix = change_prefix(Subject.CUSTOMER, customer_id)
        if not is_id(customer_id, prefix=CUSTOMER_PREFIX):
            raise CustomerNotFoundError
        rows = await self.store.change_page(customer_id, prefix=prefix, limit=limit, resume=resume)
        if not rows.rows and cursor is None:
            await self._kept(customer_id)
        following = self.cursors.give(rows.resume, listing=listing) if rows.resume else None
        return Page([read_change(row) for row in rows.rows], following)

    async def _change(
        self, customer_id: str, expected_version: int | None, decide: _Decide, operation: Operation
    ) -> Answer:
        for _ in range(_TRIES if expected_version is not None else _TRIES_WITHOUT_A_VERSION):
            kept = await self._kept(customer_id)
            if expected_version is not None and kept.version != expected_version:
                # Before refusing: it may be this very operation that made the newer version.
                first = await self.first_answer(customer_id=customer_id, operation=operation)
                if first is not None:
                    return first
                raise CustomerChangedError
            current = kept.customer()
            now = max(self.clock.now(), current.updated_at)
            details = decide(current, now.date())
            fields = changed_fields(current.details(), _details_json(details), seal=self.value_seal)
            if not fields:
                return await self._unchanged(kept, customer_id, operation)
            customer = Customer.of(
                details,
                customer_id=customer_id,
                version=kept.version + 1,
                created_at=current.created_at,
                updated_at=now,
            )
            added = identifiers_of(details) - identifiers_of(current)
            await self.claims.claim(added, customer_id=customer_id)
            # Anew in every round: the promise of a row that was fenced since may have been let go.
            promised = await self._promise(customer_id, customer.version)
            try:
                return await self._commit(customer, fields=fields, operation=operation, over=kept, promised=promised)
            except LostRaceError:
                first = await self.first_answer(customer_id=customer_id, operation=operation)
                if first is not None:
                    return first
                await self.claims.release(added, customer_id=customer_id)
        raise UnavailableError("The change could not be kept now; nothing was written.")

    async def _kept(self, customer_id: str) -> KeptCustomer:
        kept = await self.store.read(customer_id) if is_id(customer_id, prefix=CUSTOMER_PREFIX) else None
        if kept is None or kept.version == 0:
            raise CustomerNotFoundError
        return kept

    async def _promise(self, customer_id: str, version: int) -> WakeUp:
        return await self.writer.promise(
            subject=Subject.CUSTOMER, entity_id=customer_id, partition=customer_id, version=version
        )

    async def _unchanged(self, kept: KeptCustomer, customer_id: str, operation: Operation) -> Answer:
        answer = Answer(entity_id=customer_id, version=kept.version, document=kept.document, changed=False)
        try:
            for write in record_writes(operation, answer):
                await self.store.customers.write(customer_id, write)
        except RowExistsError:
            return await self.first_answer(customer_id=customer_id, operation=operation) or answer
        return answer

    async def _commit(
        self,
        customer: Customer,
        *,
        fields: Sequence[FieldChange],
        operation: Operation,
        over: KeptCustomer | None,
        promised: WakeUp,
    ) -> Answer:
        answer = Answer(entity_id=customer.id, version=customer.version, document=customer.shown().json_text())
        commit = Commit(
            table=self.store.customers,
            partition=customer.id,
            subject=Subject.CUSTOMER,
            entity_id=customer.id,
            version=customer.version,
            operation=operation,
            writes=(
                profile_write(customer, document=answer.document, over=over.row if over else None),
                self.writer.change_write(
                    operation,
                    subject=Subject.CUSTOMER,
                    entity_id=customer.id,
                    version=customer.version,
                    fields=[field.as_json() for field in fields],
                ),
                timeline_write(_told(customer, fields, operation)),
                *record_writes(operation, answer),
            ),
        )
        await self.writer.commit(commit, promised=promised)
        return answer


def _told(customer: Customer, fields: Sequence[FieldChange], operation: Operation) -> TimelineEntry:
    created = customer.version == 1
    names = ", ".join(sorted({field.field.split("/")[1] for field in fields}))
    return TimelineEntry(
        id=f"{customer.id}.{customer.version}",
        type=TimelineType.PROFILE,
        kind="created" if created else "changed",
        happened_at=customer.updated_at,
        recorded_at=customer.updated_at,
        summary="Profile created" if created else f"Profile changed: {names}",
        actor=operation.actor,
        reference=customer.id,
        sequence=customer.version,
    )


def _details_json(details: CustomerDetails) -> dict[str, Any]:
    return details.model_dump(mode="json", by_alias=True, exclude_none=True)
