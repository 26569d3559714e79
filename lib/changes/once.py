"""Keyed operations whose effect is harmless to repeat: the first answer is kept beside them, not with them.

For writes of entities the answer is in the entity's own transaction (`lib.changes.operation`). Here a crash between the
effect and the keeping of its answer lets the same request run again, which its own rules make harmless.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lib.changes.operation import Answer, Operation, first_answer, record_writes
from lib.storage.errors import OutcomeUnknownError, RowExistsError
from lib.storage.ports import Table

OPERATIONS_TABLE: Final = "operations"


@dataclass(frozen=True, slots=True)
class Once:
    """Remembers the first answers of keyed operations."""

    table: Table

    async def answer(self, operation: Operation, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the first answer of a keyed operation again, or do the work and keep what it answers.

        Raises:
            IdempotencyMismatchError: the key was used with another body.
        """
        first = await first_answer(self.table, partition=operation.id, operation=operation)
        if first is not None:
            return first
        made = await work()
        for write in record_writes(operation, made):
            try:
                await self.table.write(operation.id, write)
            except (RowExistsError, OutcomeUnknownError):
                twin = await first_answer(self.table, partition=operation.id, operation=operation)
                return twin or made
        return made
