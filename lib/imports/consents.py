"""Rows that are consents: each what was captured, with `customer`, `purpose` and `channel` beside.

A statement goes to its place in time: one that was captured before the statement that holds changes nothing but the
history, so no old file brings back what a customer has withdrawn since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.consents.models import CapturedStatement
from lib.consents.service import ConsentChangedError, ConsentService
from lib.consents.vocabulary import Channel, Purpose
from lib.errors import FieldProblem, InvalidError, PlatformError, UnavailableError
from lib.imports.loaders import RULES, RawRow, Work, refused, validated
from lib.imports.models import Outcome, RowResult
from lib.imports.owners import Owners, owner_keys, parted

_TRIES: Final = 5


class ConsentRow(CapturedStatement):
    """A statement as a file tells it."""

    purpose: Purpose
    channel: Channel

    def said(self) -> CapturedStatement:
        """Return what the API takes of it."""
        told = {name: getattr(self, name) for name in CapturedStatement.model_fields}
        fields = self.model_fields_set - {"purpose", "channel"}
        return CapturedStatement.model_construct(_fields_set=fields, **told)


@dataclass(frozen=True, slots=True)
class ConsentLoader:
    """Takes statements of consent."""

    consents: ConsentService
    owners: Owners

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return whose it is."""
        return owner_keys(row.value)

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Record statements."""
        return [await self._taken(row, work) for row in rows]

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell which statements would be recorded; a repeated one is told as an update."""
        del work
        return [await self._previewed(row) for row in rows]

    async def _taken(self, row: RawRow, work: Work) -> RowResult:
        operation = work.operation(row)
        try:
            customer_id, told = await self._read(row)
            for _ in range(_TRIES):
                before = await self.consents.read(customer_id=customer_id, purpose=told.purpose, channel=told.channel)
                try:
                    answer = await self.consents.record(
                        customer_id=customer_id,
                        purpose=told.purpose,
                        channel=told.channel,
                        said=told.said(),
                        expected_version=before.version,
                        operation=operation,
                    )
                except ConsentChangedError:
                    continue
                outcome = Outcome.CREATED if answer.version == 1 else Outcome.UPDATED
                return RowResult(
                    line=row.line, outcome=outcome if answer.changed else Outcome.UNCHANGED, id=answer.entity_id
                )
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        raise UnavailableError("The consent was changed by others at every try.")

    async def _previewed(self, row: RawRow) -> RowResult:
        try:
            customer_id, told = await self._read(row)
            before = await self.consents.read(customer_id=customer_id, purpose=told.purpose, channel=told.channel)
        except UnavailableError:
            raise
        except PlatformError as error:
            return refused(row, error)
        outcome = Outcome.UPDATED if before.version else Outcome.CREATED
        return RowResult(line=row.line, outcome=outcome, id=before.id)

    async def _read(self, row: RawRow) -> tuple[str, ConsentRow]:
        reference, body = parted(row.value)
        told = validated(ConsentRow, body)
        if told.captured.at is None:
            # The API takes that as now. For a file, which may be years old, it would bring back what was withdrawn.
            raise InvalidError(RULES, [FieldProblem("/captured/at", "is required in an import")])
        return await self.owners.of(reference), told
