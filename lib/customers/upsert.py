"""Create or replace by external id: a source system states what it knows of a customer under its own id.

Which customer has the id is decided by its claim, so of any number of first statements at once exactly one creates; the
others find what it made and replace it.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from lib.changes.operation import Answer, Operation
from lib.clock import Clock
from lib.customers.claims import Claims, IdentifierTakenError
from lib.customers.models import CustomerDetails, ExternalId
from lib.customers.rules import named_by
from lib.customers.service import CustomerNotFoundError, CustomerService
from lib.errors import StaleError, UnavailableError
from lib.identifiers.blocked import is_blocked
from lib.identifiers.models import Identifier
from lib.identifiers.rules import IdentifierBlockedError, external

_TRIES: Final = 5
# How long to wait for another request that is about to commit the same id, a little longer each time.
_PAUSE_SECONDS: Final = 0.1


class ExternalIdExistsError(StaleError):
    """The caller wants to create only, and somebody has the id."""

    kind = "external-id-exists"
    title = "There is a customer with this external id"

    def __init__(self, holder: str) -> None:
        super().__init__("A customer with this external id is there already, and If-None-Match: * asks for a new one.")
        self.holder = holder

    @property
    def private_holder(self) -> str | None:
        """The customer who has it."""
        return self.holder


class ExternalIdUnknownError(StaleError):
    """The caller wants to replace a version that it read, and nobody has the id."""

    kind = "external-id-unknown"
    title = "There is no customer with this external id"

    def __init__(self) -> None:
        super().__init__("There is no customer with this external id, so If-Match cannot hold.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold before: nobody has the id (`create_only`), or its customer is at this version."""

    create_only: bool = False
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """What was answered, and whether it was a new customer."""

    answer: Answer
    created: bool


@dataclass(frozen=True, slots=True)
class CustomerUpserts:
    """Customers by external id."""

    customers: CustomerService
    claims: Claims
    clock: Clock

    async def read(self, *, external_id: ExternalId) -> Answer:
        """Return the customer who has an external id, as it is read back.

        Raises:
            CustomerNotFoundError: nobody has it.
            IdentifierBlockedError: the id is a placeholder.
        """
        kept = await self.claims.holder(str(_usable(external_id)))
        if kept is None:
            raise CustomerNotFoundError
        return Answer(entity_id=kept.row.partition, version=kept.version, document=kept.document)

    async def put(
        self, *, external_id: ExternalId, details: CustomerDetails, condition: Condition, operation: Operation
    ) -> Upserted:
        """Create the customer who has an external id, or replace it (`lib.customers.rules.replaced`).

        Raises:
            ExternalIdExistsError: somebody has the id, and only a create was asked for.
            ExternalIdUnknownError: nobody has the id, and a version was asked for.
            CustomerChangedError: the version is no longer the current one.
            CustomerInvalidError: it would not be a valid customer.
            IdentifierBlockedError: the id is a placeholder that would make strangers one customer.
            IdentifierTakenError: another identifier belongs to another customer, or another request is claiming this.
            IdempotencyMismatchError: the key was used with another body.
            UnavailableError: it cannot be done now.
        """
        identifier = _usable(external_id)
        taken: IdentifierTakenError | None = None
        for round_number in range(_TRIES):
            try:
                return await self._put(identifier, external_id, details, condition, operation)
            except IdentifierTakenError as error:
                if error.identifier != str(identifier):
                    raise
                taken = error
                await asyncio.sleep(_PAUSE_SECONDS * (round_number + 1))
        raise taken or UnavailableError("The customer could not be kept now; nothing was written.")

    async def _put(
        self,
        identifier: Identifier,
        external_id: ExternalId,
        details: CustomerDetails,
        condition: Condition,
        operation: Operation,
    ) -> Upserted:
        kept = await self.claims.holder(str(identifier))
        if kept is None:
            if condition.expected_version is not None:
                raise ExternalIdUnknownError
            new = named_by(details, external_id, today=self.clock.now().date())
            return Upserted(await self.customers.create(details=new, operation=operation), created=True)
        customer_id = kept.row.partition
        first = await self.customers.first_answer(customer_id=customer_id, operation=operation)
        if first is not None:
            return Upserted(first, created=customer_id == self.customers.id_of(operation))
        if condition.create_only:
            raise ExternalIdExistsError(customer_id)
        replaced = await self.customers.replace(
            customer_id=customer_id,
            details=details,
            through=external_id,
            expected_version=condition.expected_version,
            operation=operation,
        )
        return Upserted(replaced, created=False)


def _usable(external_id: ExternalId) -> Identifier:
    identifier = external(external_id.system, external_id.id)
    if is_blocked(identifier):
        raise IdentifierBlockedError(identifier.type)
    return identifier
