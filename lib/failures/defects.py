"""What handlers left behind when they failed by a defect, so that a poisoned message can be told from a killed one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Table, Value

_PARTITION: Final = "defect"
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Defect:
    """What is known of the handlers of one message. `name` is the kind of the last exception, if there was any."""

    name: str | None = None
    count: int = 0
    revivals: int = 0
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Defects:
    """Keeps what handlers left behind."""

    table: Table
    clock: Clock

    async def of(self, queue: QueueName, message: WakeUp | str) -> Defect:
        """Return what is known of a message's handlers: of a wake-up, or of what a digest names."""
        row = await self.table.get(_PARTITION, _key(queue, message))
        return _read(row.values) if row else Defect()

    async def note(self, queue: QueueName, message: WakeUp | str, error: Exception) -> None:
        """Record that a handler failed by a defect."""
        now = self.clock.now()
        await self._change(
            queue,
            message,
            lambda known: Defect(type(error).__name__, known.count + 1, known.revivals, known.first_at or now),
        )

    async def count_revival(self, queue: QueueName, message: WakeUp | str) -> None:
        """Record that a message was woken again."""
        await self._change(
            queue, message, lambda known: Defect(known.name, known.count, known.revivals + 1, known.first_at)
        )

    async def forget(self, queue: QueueName, message: WakeUp | str) -> None:
        """Forget a message that is listed now."""
        row = await self.table.get(_PARTITION, _key(queue, message))
        if row is not None:
            try:
                await self.table.write(_PARTITION, Delete(row.key, row.etag))
            except RowChangedError:
                return  # noted again meanwhile: that note belongs to the next poisoning

    async def _change(self, queue: QueueName, message: WakeUp | str, change: Callable[[Defect], Defect]) -> None:
        key = _key(queue, message)
        for _ in range(_TRIES):
            row = await self.table.get(_PARTITION, key)
            values = _values(change(_read(row.values) if row else Defect()))
            write = Replace(key, values, row.etag) if row else Insert(key, values)
            try:
                await self.table.write(_PARTITION, write)
            except (RowExistsError, RowChangedError, OutcomeUnknownError):
                continue
            return


def _key(queue: QueueName, message: WakeUp | str) -> str:
    if isinstance(message, str):
        return f"{queue}~body~{message}"
    return f"{queue}~{message.subject}~{message.id}~{message.version}"


def _values(defect: Defect) -> dict[str, Value]:
    values: dict[str, Value] = {"count": defect.count, "revivals": defect.revivals}
    if defect.name is not None:
        values["name"] = defect.name
    if defect.first_at is not None:
        values["firstAt"] = rfc3339(defect.first_at)
    return values


def _read(values: Mapping[str, Value]) -> Defect:
    return Defect(
        name=str(values["name"]) if "name" in values else None,
        count=int(str(values["count"])),
        revivals=int(str(values["revivals"])),
        first_at=parse_rfc3339(str(values["firstAt"])) if "firstAt" in values else None,
    )
