"""How customers are kept: one partition each in table `customers`, and one index row each in `customerindex`.

The row `profile` holds the document exactly as it is read back (sensitive values masked) and the sensitive values
apart from it, so a read answers what it finds, and no reader can show what it should not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.changes.subjects import FenceLostError
from lib.customers.models import Customer
from lib.customers.rules import indexed_of
from lib.identifiers.index import Book, Holder, IdentifierIndex
from lib.messaging.catalogue import Subject
from lib.storage.documents import joined, split
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, RowPage, Table, Values

CUSTOMER_PREFIX: Final = "cus"
CUSTOMERS_TABLE: Final = "customers"
INDEX_TABLE: Final = "customerindex"
PROFILE_KEY: Final = "profile"
INDEX_PARTITION: Final = "customer"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class KeptCustomer:
    """What the profile row holds. A fence can leave a row without a customer: then `version` is 0."""

    version: int
    document: str
    row: Row

    def customer(self) -> Customer:
        """Return the customer in full, sensitive values included."""
        kept = json.loads(self.document)
        secrets = json.loads(str(self.row.values["sensitive"]))
        if "passportNumber" in secrets:
            kept["passport"]["number"] = secrets["passportNumber"]
        return Customer.model_validate(kept)


def kept_from(row: Row) -> KeptCustomer:
    """Return what a profile row holds."""
    version = int(str(row.values["version"]))
    return KeptCustomer(version, joined("document", row.values) if version else "", row)


def holder_of(customer_id: str) -> Holder:
    """Return a customer as the holder of what its own profile says."""
    return Holder(Subject.CUSTOMER, customer_id, customer_id)


def profile_values(customer: Customer, document: str) -> Values:
    """Return what the profile row keeps of a customer and of the document as it is read back."""
    sensitive = {"passportNumber": customer.passport.number} if customer.passport else {}
    return {
        "format": _FORMAT,
        "version": customer.version,
        "sensitive": json.dumps(sensitive),
        **split("document", document),
    }


def profile_write(customer: Customer, *, document: str, over: Row | None) -> Insert | Replace:
    """Return the write that keeps a customer and its document: new, or over the row that was read."""
    values = profile_values(customer, document)
    return Insert(PROFILE_KEY, values) if over is None else Replace(PROFILE_KEY, values, over.etag)


@dataclass(frozen=True, slots=True)
class CustomerStore:
    """Reads and fences profile rows, and keeps the index of all customers."""

    customers: Table
    index: Table
    identifiers: IdentifierIndex

    async def read(self, customer_id: str) -> KeptCustomer | None:
        """Return what is kept of a customer, in one storage call; None when there is no row at all."""
        row = await self.customers.get(customer_id, PROFILE_KEY)
        return None if row is None else kept_from(row)

    async def fence(self, customer_id: str, row: Row | None) -> None:
        """Rewrite the profile row unchanged, or leave a tombstone where there is none.

        Raises:
            FenceLostError: the row was written since it was read.
        """
        write = (
            Insert(PROFILE_KEY, {"format": _FORMAT, "version": 0})
            if row is None
            else Replace(PROFILE_KEY, row.values, row.etag)
        )
        try:
            await self.customers.write(customer_id, write)
        except (RowChangedError, RowExistsError, OutcomeUnknownError):
            raise FenceLostError from None

    async def refresh_index(self, kept: KeptCustomer, customer_id: str, *, thorough: bool = False) -> None:
        """Bring the index row and the identifiers up to at least this version; older state never overwrites newer.

        Raises:
            IndexContendedError: the row was written at every try.
        """
        await self.identifiers.refresh(
            holder_of(customer_id),
            version=kept.version,
            identifiers=indexed_of(kept.customer()),
            book=self.book(kept, customer_id),
            thorough=thorough,
        )

    def book(self, kept: KeptCustomer, customer_id: str) -> Book:
        """Return the index row of a customer, which keeps the book of its identifiers too."""
        return Book(
            table=self.index, partition=INDEX_PARTITION, key=customer_id, values=split("document", kept.document)
        )

    async def list_page(
        self, *, limit: int, resume: str | None, from_id: str = "", below_id: str | None = None
    ) -> RowPage:
        """Return a page of index rows, of a range of ids when one is given, in one storage call."""
        return await self.index.page(INDEX_PARTITION, from_key=from_id, below_key=below_id, limit=limit, resume=resume)

    async def change_page(self, customer_id: str, *, prefix: str, limit: int, resume: str | None) -> RowPage:
        """Return a page of change rows, newest first, in one storage call."""
        return await self.customers.page(
            customer_id, from_key=prefix, below_key=_after(prefix), limit=limit, resume=resume
        )


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def documents_of(rows: Sequence[Row]) -> list[str]:
    """Return the documents that index rows hold."""
    return [joined("document", row.values) for row in rows]
