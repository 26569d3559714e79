"""What a statement by external id would do to customers, told without writing anything."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from lib.clock import Clock
from lib.customers.claims import Claims, IdentifierTakenError
from lib.customers.lookup import CustomerLookup
from lib.customers.models import CustomerDetails, ExternalId
from lib.customers.rules import changed_fields, check_new, identifiers_of, indexed_of, named_by, replaced
from lib.identifiers.blocked import is_blocked
from lib.identifiers.models import IdentifierType
from lib.identifiers.rules import IdentifierBlockedError, external
from lib.ids import Seal

_SHARED = (IdentifierType.EMAIL, IdentifierType.PHONE)
_MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen: a new customer, or these fields of this one; nothing, when there are no fields.

    `candidates` are customers who share an e-mail address or telephone number with a new one: a merge may be due.
    """

    customer_id: str | None
    fields: Sequence[str] = ()
    candidates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CustomerPreviews:
    """Tells what would be done."""

    claims: Claims
    lookup: CustomerLookup
    clock: Clock
    value_seal: Seal

    async def put(self, *, external_id: ExternalId | None, details: CustomerDetails) -> Preview:
        """Tell what stating these details would do; without an external id they would make a new customer.

        Raises:
            CustomerInvalidError, IdentifierBlockedError, IdentifierTakenError: it would be refused.
        """
        today = self.clock.now().date()
        kept = await self.claims.holder(_usable(external_id)) if external_id else None
        if kept is None:
            new = named_by(details, external_id, today=today) if external_id else details
            check_new(new, today=today)
            await self._check_free(identifiers_of(new), holder=None)
            return Preview(customer_id=None, candidates=await self._candidates(new))
        current = kept.customer()
        after = replaced(current, details, through=external_id or current.external_ids[0], today=today)
        await self._check_free(identifiers_of(after) - identifiers_of(current), holder=current.id)
        stated = after.model_dump(mode="json", by_alias=True, exclude_none=True)
        changes = changed_fields(current.details(), stated, seal=self.value_seal)
        return Preview(customer_id=current.id, fields=tuple(change.field for change in changes))

    async def _check_free(self, identifiers: Iterable[str], *, holder: str | None) -> None:
        for identifier in sorted(identifiers):
            kept = await self.claims.holder(identifier)
            if kept is not None and kept.row.partition != holder:
                raise IdentifierTakenError(identifier, kept.row.partition, settled=True)

    async def _candidates(self, details: CustomerDetails) -> Sequence[str]:
        found: dict[str, None] = {}
        for identifier in indexed_of(details):
            if identifier.type in _SHARED:
                with suppress(IdentifierBlockedError):
                    matches = await self.lookup.find(text=str(identifier), limit=_MOST_CANDIDATES, cursor=None)
                    found |= dict.fromkeys(match.customer.id for match in matches.items)
        return tuple(found)[:_MOST_CANDIDATES]


def _usable(external_id: ExternalId) -> str:
    identifier = external(external_id.system, external_id.id)
    if is_blocked(identifier):
        raise IdentifierBlockedError(identifier.type)
    return str(identifier)
