"""Finding customers by what people and systems know them by.

The index is a hint, seconds late at most; what is answered is true: every hit is held against what is committed, the
profile itself or what of the customer's named the value (an order). Values that belong to one customer are found by
their claim, without any delay.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from lib.customers.claims import Claims
from lib.customers.models import Customer
from lib.customers.rules import indexed_of
from lib.customers.store import CustomerStore, holder_of
from lib.errors import InvalidError
from lib.identifiers.holders import Holders
from lib.identifiers.index import Hit, Holder, IdentifierIndex
from lib.identifiers.models import KINDS, MOST_CUSTOMERS, SENSITIVE, Identifier, IdentifierType
from lib.identifiers.rules import parse
from lib.messaging.catalogue import Subject
from lib.paging import BadCursorError, Cursors

# What one lookup reads at most, however many rows are there that show nobody.
_MOST_ROWS: Final = 1000
_MOST_AT_ONCE: Final = 100


class IdentifierExposedError(InvalidError):
    """A sensitive value came in an address."""

    kind = "identifier-exposed"
    title = "Sensitive value in an address"

    def __init__(self) -> None:
        super().__init__("Addresses are logged on their way: send this identifier in the body of a POST.")


@dataclass(frozen=True, slots=True)
class Match:
    """A customer who holds the identifier, and through what: the profile itself, or something of the customer's."""

    customer: Customer
    identifier_type: IdentifierType
    holders: Sequence[Holder]


@dataclass(frozen=True, slots=True)
class Matches:
    """Some of those who match. `truncated`: more share the value than are ever listed."""

    items: Sequence[Match]
    cursor: str | None = None
    truncated: bool = False


@dataclass(slots=True)
class _Search:
    """One page in the making: behind whom it goes on, how much room it has, and how many rows it read."""

    identifier: Identifier
    after: str
    room: int
    found: list[Match]
    rows: int = 0
    ended: bool = False

    @property
    def done(self) -> bool:
        return self.ended or len(self.found) == self.room or self.rows >= _MOST_ROWS


@dataclass(frozen=True, slots=True)
class CustomerLookup:
    """Finds customers."""

    store: CustomerStore
    claims: Claims
    index: IdentifierIndex
    holders: Mapping[Subject, Holders]
    cursors: Cursors
    most_customers: int = MOST_CUSTOMERS

    async def find(self, *, text: str, limit: int, cursor: str | None, in_address: bool = False) -> Matches:
        """Return a page of the customers whom `type:value` names, in no promised order; none is no error.

        `in_address`: it was asked in an address, which gateways and proxies write into their logs.

        Raises:
            IdentifierInvalidError: it is no identifier.
            IdentifierExposedError: it is sensitive, and does not belong into an address.
            IdentifierBlockedError: the value is blocked, and identifies nobody.
            BadCursorError: the cursor is not one that this lookup gave out.
        """
        identifier = parse(text)
        if in_address and identifier.type in SENSITIVE:
            raise IdentifierExposedError
        if KINDS[identifier.type].unique:
            return await self._claimed(identifier)
        listing = f"lookup:{self.index.key(identifier)}"
        listed, after = _position(self.cursors.take(cursor, listing=listing)) if cursor else (0, "")
        search = _Search(identifier, after, min(limit, self.most_customers - listed), [])
        while not search.done:
            await self._more(search)
        total = listed + len(search.found)
        if search.ended:
            return Matches(search.found)
        if total >= self.most_customers:
            return Matches(search.found, truncated=True)
        return Matches(search.found, self.cursors.give(f"{total}~{search.after}", listing=listing))

    async def _claimed(self, identifier: Identifier) -> Matches:
        kept = await self.claims.holder(str(identifier))
        if kept is None:
            return Matches([])
        customer = kept.customer()
        return Matches([Match(customer, identifier.type, [holder_of(customer.id)])])

    async def _more(self, search: _Search) -> None:
        """Look at the next rows. One more than there is room for tells whether there are more customers."""
        limit = min(_MOST_AT_ONCE, search.room - len(search.found) + 1)
        hits = await self.index.hits(search.identifier, after_customer=search.after, limit=limit)
        search.rows += len(hits)
        groups = [(customer_id, list(some)) for customer_id, some in groupby(hits, lambda hit: hit.holder.customer_id)]
        at_the_end = len(hits) < limit
        if not at_the_end and len(groups) > 1:
            # The last one may have more rows than were read.
            groups.pop()
        matches = await asyncio.gather(*(self._match(search.identifier, *group) for group in groups))
        for (customer_id, _), match in zip(groups, matches, strict=True):
            if len(search.found) == search.room:
                return
            search.after = customer_id
            if match is not None:
                search.found.append(match)
        search.ended = at_the_end

    async def _match(self, identifier: Identifier, customer_id: str, hits: Sequence[Hit]) -> Match | None:
        kept = await self.store.read(customer_id)
        if kept is None or kept.version == 0:
            return None
        customer = kept.customer()
        held = await asyncio.gather(*(self._holds(hit.holder, identifier, customer) for hit in hits))
        through = [hit.holder for hit, holds in zip(hits, held, strict=True) if holds]
        return Match(customer, identifier.type, through) if through else None

    async def _holds(self, holder: Holder, identifier: Identifier, customer: Customer) -> bool:
        if holder.subject is Subject.CUSTOMER:
            return identifier in indexed_of(customer)
        holders = self.holders.get(holder.subject)
        truth = await holders.truth(holder.source_id, holder.customer_id) if holders else None
        return truth is not None and identifier in truth.identifiers


def _position(text: str) -> tuple[int, str]:
    listed, _, after = text.partition("~")
    if not listed.isdigit():
        raise BadCursorError("The cursor is not one that this list gave out.")
    return int(listed), after
