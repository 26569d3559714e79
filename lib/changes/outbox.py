"""The outbox: rows that stand in for wake-ups while the queue cannot be reached, and the sweep that sends them."""

import asyncio
import hashlib
from dataclasses import dataclass

from lib.messaging.envelope import WakeUp
from lib.storage.errors import RowChangedError, RowExistsError, StorageError
from lib.storage.ports import Delete, Insert, Queue, Row, Table
from lib.telemetry import event_log

OUTBOX_TABLE = "outbox"
_BUCKETS = 8
_SWEEP_PAGE = 100

_log = event_log("changes")


def _bucket(entity_id: str) -> str:
    return f"{hashlib.sha256(entity_id.encode()).digest()[0] % _BUCKETS:02d}"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Wake-ups kept as rows, spread over a few partitions."""

    table: Table
    queue: Queue

    async def put(self, wake_up: WakeUp) -> None:
        """Keep a wake-up until a sweep has sent it. The same wake-up twice is one row."""
        key = f"{wake_up.subject}~{wake_up.id}~{wake_up.version}~{wake_up.accepted_at.timestamp():.6f}"
        try:
            await self.table.write(_bucket(wake_up.id), Insert(key, {"message": wake_up.body()}))
        except RowExistsError:
            return

    async def sweep(self) -> int:
        """Send what is kept, each row deleted only after its message was taken, and return how many were sent.

        Never judges deadlines: that is the relay's.

        Raises:
            StorageError: the queue or the table did not answer; what was not sent is still kept.
        """
        counts = await asyncio.gather(*(self._sweep_bucket(f"{bucket:02d}") for bucket in range(_BUCKETS)))
        sent = sum(counts)
        if sent:
            _log.info("outbox.swept", sent=sent)
        return sent

    async def waiting(self) -> int:
        """Return how many wake-ups are kept, counting at most a page of each partition."""
        pages = await asyncio.gather(
            *(self.table.page(f"{bucket:02d}", limit=_SWEEP_PAGE) for bucket in range(_BUCKETS))
        )
        return sum(len(page.rows) for page in pages)

    async def _sweep_bucket(self, bucket: str) -> int:
        sent, resume = 0, None
        while True:
            page = await self.table.page(bucket, limit=_SWEEP_PAGE, resume=resume)
            for row in page.rows:
                await self._send(row)
                sent += 1
            if page.resume is None:
                return sent
            resume = page.resume

    async def _send(self, row: Row) -> None:
        await self.queue.send(str(row.values["message"]))
        try:
            await self.table.write(row.partition, Delete(row.key, row.etag))
        except RowChangedError:
            # Another sweep sent it too and deleted it first: the message is there twice, which does no harm.
            return
        except StorageError as error:
            _log.warning("outbox.kept", reason=type(error).__name__)
            raise
