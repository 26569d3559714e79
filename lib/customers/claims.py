"""Claims: identifiers that belong to one customer each, reserved before the commit by a row whose key is the value.

A claim counts while its customer's committed profile holds the identifier, or while the write that made it may still
commit. Any other claim is left over from a write that never came to be, or from an identifier given up: whoever wants
it takes it over, after fencing its holder, so that a paused writer cannot commit it any more.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lib.changes.subjects import FenceLostError
from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.customers.rules import identifiers_of
from lib.customers.store import CustomerStore, KeptCustomer
from lib.errors import ConflictError, UnavailableError
from lib.identifiers.keys import key_of
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError, StorageError
from lib.storage.ports import Insert, Replace, Row, Table
from lib.telemetry import event_log

IDENTIFIERS_TABLE: Final = "identifiers"
_KEY: Final = "holder"
_TRIES: Final = 5
_LONG_AGO: Final = "1970-01-01T00:00:00.000Z"

_log = event_log("customers")


class IdentifierTakenError(ConflictError):
    """The identifier belongs to another customer, or is about to: then it is not `settled`.

    `holder` is for private callers only.
    """

    kind = "identifier-taken"
    title = "Identifier belongs to another customer"

    def __init__(self, identifier: str, holder: str, *, settled: bool) -> None:
        super().__init__(f"The {_name_of(identifier)} belongs to another customer, or another request is claiming it.")
        self.identifier = identifier
        self.holder = holder
        self.settled = settled

    @property
    def private_holder(self) -> str | None:
        """The customer whose committed profile holds it; none while that is still being decided."""
        return self.holder if self.settled else None


@dataclass(frozen=True, slots=True)
class Claims:
    """Reserves identifiers."""

    table: Table
    customers: CustomerStore
    clock: Clock
    window_seconds: float

    async def claim(self, identifiers: Iterable[str], *, customer_id: str) -> None:
        """Reserve identifiers for a customer's next commit, each in one storage call when nobody holds it.

        Raises:
            IdentifierTakenError: one of them belongs to another customer; none of the others stays reserved.
        """
        wanted = sorted(identifiers)
        if not wanted:
            return
        outcomes = await asyncio.gather(
            *(self._claim_one(identifier, customer_id) for identifier in wanted), return_exceptions=True
        )
        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failed:
            await self.release(
                [name for name, outcome in zip(wanted, outcomes, strict=True) if outcome is True],
                customer_id=customer_id,
            )
            raise failed[0]

    async def holder(self, identifier: str) -> KeptCustomer | None:
        """Return the customer whose committed profile holds an identifier, in at most two storage calls."""
        row = await self.table.get(key_of(identifier), _KEY)
        if row is None:
            return None
        kept = await self.customers.read(str(row.values["customerId"]))
        held = kept is not None and kept.version > 0 and identifier in identifiers_of(kept.customer())
        return kept if held else None

    async def release(self, identifiers: Iterable[str], *, customer_id: str) -> None:
        """Let reservations lapse now, for a commit that will not happen.

        The rows stay: another write of the same customer may rely on them, and only a takeover fences that one.
        """
        for identifier in sorted(identifiers):
            try:
                row = await self.table.get(key_of(identifier), _KEY)
                if row is not None and row.values["customerId"] == customer_id:
                    lapsed = {"customerId": customer_id, "until": _LONG_AGO}
                    await self.table.write(row.partition, Replace(_KEY, lapsed, row.etag))
            except StorageError as error:
                _log.warning("claim.leftToLapse", customer_id=customer_id, reason=type(error).__name__)

    async def _claim_one(self, identifier: str, customer_id: str) -> bool:
        """Return whether the claim is new (and to be released when the write fails)."""
        partition = key_of(identifier)
        for _ in range(_TRIES):
            values = {
                "customerId": customer_id,
                "until": rfc3339(self.clock.now() + timedelta(seconds=self.window_seconds)),
            }
            try:
                await self.table.write(partition, Insert(_KEY, values))
            except (RowExistsError, OutcomeUnknownError):
                row = await self.table.get(partition, _KEY)
            else:
                return True
            if row is None:
                continue
            if row.values["customerId"] != customer_id:
                await self._free(identifier, row)
            elif await self._holds(customer_id, identifier):
                return False
            try:
                await self.table.write(partition, Replace(_KEY, values, row.etag))
            except (RowChangedError, OutcomeUnknownError):
                continue
            return True
        raise UnavailableError("The identifiers could not be reserved now.")

    async def _holds(self, customer_id: str, identifier: str) -> bool:
        kept = await self.customers.read(customer_id)
        return kept is not None and kept.version > 0 and identifier in identifiers_of(kept.customer())

    async def _free(self, identifier: str, row: Row) -> None:
        holder = str(row.values["customerId"])
        kept = await self.customers.read(holder)
        if kept is not None and kept.version > 0 and identifier in identifiers_of(kept.customer()):
            raise IdentifierTakenError(identifier, holder, settled=True)
        if not _lapsed(row, self.clock.now()):
            raise IdentifierTakenError(identifier, holder, settled=False)
        try:
            await self.customers.fence(holder, kept.row if kept else None)
        except FenceLostError:
            raise IdentifierTakenError(identifier, holder, settled=False) from None


def _lapsed(row: Row, now: datetime) -> bool:
    return now > parse_rfc3339(str(row.values["until"]))


def _name_of(identifier: str) -> str:
    kind, _, rest = identifier.partition(":")
    return "loyalty number" if kind == "loyalty" else f"external id of system {rest.partition(':')[0]}"
