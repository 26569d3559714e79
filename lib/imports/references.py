"""Rows with a reference of their source: each is told once, and stays as it is when it is told again.

What happens to it later is told through the API. The reference makes the id, so telling twice finds the first.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lib.changes.operation import Operation
from lib.customers.models import SystemName
from lib.customers.service import CustomerService
from lib.errors import ConflictError, NotFoundError, PlatformError, UnavailableError
from lib.fields import Text
from lib.imports.loaders import RawRow, Work, refused
from lib.imports.models import Outcome, RowResult
from lib.imports.owners import Owners, owner_keys, parted
from lib.parts import Part


class Reference(Part):
    """How the source knows what a row tells of."""

    system: SystemName
    id: Text


class Referenced(Protocol):
    """What one row tells of, whose customer is known."""

    @property
    def id(self) -> str:
        """The id that its reference makes."""
        ...

    def make(self, operation: Operation) -> Awaitable[object]:
        """Make it. Raises what `Room.exists` is when it was made before."""
        ...

    def read(self) -> Awaitable[object]:
        """Read it. Raises what `Room.missing` is when there is none."""
        ...

    def check(self) -> Awaitable[object]:
        """Do what making it does, but write nothing. Raises what `make` would for what breaks a rule."""
        ...


class Room(Protocol):
    """Where rows of one kind are made."""

    @property
    def exists(self) -> type[ConflictError]:
        """How the room says that it is there already."""
        ...

    @property
    def missing(self) -> type[NotFoundError]:
        """How the room says that it is not there."""
        ...

    def referenced(self, customer_id: str, body: Any) -> Referenced:
        """Return what a row tells of.

        Raises:
            InvalidError: the row breaks a rule.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReferenceLoader:
    """Takes rows of one room."""

    room: Room
    customers: CustomerService
    owners: Owners

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return whose it is."""
        return owner_keys(row.value)

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Make what was not made before."""
        return [await self._taken(row, work) for row in rows]

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell which would be made, and which are there already."""
        del work
        return [await self._previewed(row) for row in rows]

    async def _taken(self, row: RawRow, work: Work) -> RowResult:
        try:
            told = await self._read(row)
            try:
                await told.make(work.operation(row))
            except self.room.exists:
                return RowResult(line=row.line, outcome=Outcome.UNCHANGED, id=told.id)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        return RowResult(line=row.line, outcome=Outcome.CREATED, id=told.id)

    async def _previewed(self, row: RawRow) -> RowResult:
        try:
            told = await self._read(row)
            try:
                await told.read()
            except self.room.missing:
                await told.check()
                return RowResult(line=row.line, outcome=Outcome.CREATED, id=told.id)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        return RowResult(line=row.line, outcome=Outcome.UNCHANGED, id=told.id)

    async def _read(self, row: RawRow) -> Referenced:
        reference, body = parted(row.value)
        customer_id = await self.customers.require(await self.owners.of(reference))
        return self.room.referenced(customer_id, body)
