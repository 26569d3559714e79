"""The keeper: tables and queues of one account over one pool of connections, and its blobs through the SDK."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib.clock import Clock, SystemClock
from lib.storage import limits
from lib.storage.azure.blobs import AzureBlobs, BlobClients
from lib.storage.azure.connection import Connection
from lib.storage.azure.queues import AzureQueue, create_queue
from lib.storage.azure.signing import Service, signer_for
from lib.storage.azure.tables import AzureTable, create_table
from lib.storage.azure.transport import Pool, StorageTimeouts, Transport
from lib.storage.ports import Blobs, Queue, Table

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class AzureStorage:
    """Azure Storage, or the emulator. One per process and event loop; nothing is opened before the first call."""

    def __init__(
        self,
        connection: Connection,
        *,
        timeouts: StorageTimeouts | None = None,
        clock: Clock | None = None,
        credential: "AsyncTokenCredential | None" = None,
    ) -> None:
        """Say where storage is and how long it may take.

        The clock dates the requests. A credential may stand in for the managed identity: a developer's own, in a test.
        """
        self._timeouts = timeouts or StorageTimeouts()
        self._signer = signer_for(connection, clock or SystemClock(), credential)
        self._pool = Pool(self._timeouts)
        self._tables = Transport(Service.TABLE, connection.table_service_uri, self._pool, self._signer)
        self._queues = Transport(Service.QUEUE, connection.queue_service_uri, self._pool, self._signer)
        self._blobs = BlobClients(connection, self._timeouts, credential)

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        limits.check_table_name(name)
        return AzureTable(self._tables, name)

    def queue(self, name: str) -> Queue:
        """Return the queue of this name."""
        limits.check_queue_name(name)
        return AzureQueue(self._queues, name, send_seconds=self._timeouts.send_seconds)

    def blobs(self, container: str) -> Blobs:
        """Return the container of this name."""
        limits.check_container_name(container)
        return AzureBlobs(self._blobs, container)

    async def create_missing(
        self, *, tables: Sequence[str], queues: Sequence[str], containers: Sequence[str] = ()
    ) -> None:
        """Create what is not there yet."""
        for name in tables:
            await create_table(self._tables, name)
        for name in queues:
            await create_queue(self._queues, name)
        for name in containers:
            await AzureBlobs(self._blobs, name).create()

    async def close(self) -> None:
        """Close connections. A later call would open new ones."""
        await self._blobs.close()
        await self._pool.close()
        await self._signer.close()
