"""Blobs through Microsoft's SDK: rare calls with large bodies, where its price per call does not matter.

Its time limits and repetitions are set by hand, as its defaults let a caller wait for minutes. What is harmless to
repeat is repeated twice at most; an append never, and its condition on the length catches what the connection repeats.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lib.storage import limits
from lib.storage.azure.connection import Connection, ConnectionString
from lib.storage.azure.transport import StorageTimeouts
from lib.storage.errors import (
    BlobChangedError,
    BlobMissingError,
    OutcomeUnknownError,
    StorageError,
    StorageRequestError,
    StorageSetupError,
    StorageUnavailableError,
)
from lib.storage.ports import BlobInfo

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import AzureError
    from azure.storage.blob.aio import BlobServiceClient, ContainerClient

# More in one piece would hold up the event loop.
_BLOCK_BYTES = 1024 * 1024
_READ_BYTES = 4 * 1024 * 1024
_BLOCKS_AT_ONCE = 2
_REPEATS = 2
_PAUSE_SECONDS = 1
_SERVER = 500
_KINDS: dict[str, type[StorageError]] = {
    "AppendPositionConditionNotMet": BlobChangedError,
    "BlobNotFound": BlobMissingError,
    "ContainerBeingDeleted": StorageUnavailableError,
    "ContainerNotFound": StorageSetupError,
    "ServerBusy": StorageUnavailableError,
}
_KINDS_BY_STATUS: dict[int, type[StorageError]] = {
    401: StorageSetupError,
    403: StorageSetupError,
    429: StorageUnavailableError,
}


class BlobClients:
    """The SDK's clients of one account, made when first needed: importing it takes a third of a second."""

    def __init__(
        self,
        connection: Connection,
        timeouts: StorageTimeouts,
        credential: "AsyncTokenCredential | None" = None,
    ) -> None:
        """Open nothing yet."""
        self._connection = connection
        self._timeouts = timeouts
        self._credential = credential
        self._made: dict[bool, BlobServiceClient] = {}

    def container(self, name: str, *, repeating: bool) -> "ContainerClient":
        """Return the client of a container: one that repeats what failed, or one that asks once."""
        if repeating not in self._made:
            self._made[repeating] = self._service(repeating=repeating)
        return self._made[repeating].get_container_client(name)

    async def close(self) -> None:
        """Close connections; a later call would open new ones."""
        for service in self._made.values():
            await service.close()
        self._made.clear()
        if self._credential is not None and not isinstance(self._connection, ConnectionString):
            await self._credential.close()

    def _service(self, *, repeating: bool) -> "BlobServiceClient":
        from azure.storage.blob.aio import BlobServiceClient, LinearRetry

        repeats = _REPEATS if repeating else 0
        return BlobServiceClient(
            self._connection.blob_service_uri,
            credential=self._proof(),
            retry_policy=LinearRetry(backoff=_PAUSE_SECONDS, retry_total=repeats, random_jitter_range=_PAUSE_SECONDS),
            connection_timeout=self._timeouts.connect_seconds,
            read_timeout=self._timeouts.blob_seconds,
            max_single_put_size=_BLOCK_BYTES,
            max_block_size=_BLOCK_BYTES,
            max_single_get_size=_READ_BYTES,
            logging_enable=False,
        )

    def _proof(self) -> Any:
        if isinstance(self._connection, ConnectionString):
            from base64 import b64encode

            return {
                "account_name": self._connection.account,
                "account_key": b64encode(self._connection.key).decode(),
            }
        if self._credential is None:
            from azure.identity.aio import ManagedIdentityCredential

            self._credential = ManagedIdentityCredential(client_id=self._connection.client_id)
        return self._credential


class AzureBlobs:
    """One container."""

    def __init__(self, clients: BlobClients, name: str) -> None:
        """Name the container; whether it exists shows in its use."""
        limits.check_container_name(name)
        self._clients = clients
        self._name = name

    async def put(self, name: str, body: bytes | AsyncIterator[bytes]) -> BlobInfo:
        """Keep a blob: its blocks first, so that it appears whole or not at all."""
        limits.check_blob_name(name)
        from azure.core.exceptions import AzureError

        try:
            await self._client(repeating=True).upload_blob(
                name,
                body,
                length=len(body) if isinstance(body, bytes) else None,
                overwrite=True,
                max_concurrency=_BLOCKS_AT_ONCE,
            )
        except AzureError as error:
            raise _meant(error) from error
        info = await self.info(name)
        if info is None:
            raise BlobChangedError("the blob was removed while it was kept")
        return info

    async def info(self, name: str) -> BlobInfo | None:
        """Return what a blob is."""
        limits.check_blob_name(name)
        from azure.core.exceptions import AzureError

        try:
            found = await self._client(repeating=True).get_blob_client(name).get_blob_properties()
        except AzureError as error:
            meant = _meant(error)
            if isinstance(meant, BlobMissingError):
                return None
            raise meant from error
        return BlobInfo(int(found.size), str(found.etag))

    async def read(self, name: str, *, start: int, length: int) -> bytes:
        """Return a part of a blob."""
        limits.check_blob_name(name)
        limits.check_range(start, length)
        from azure.core.exceptions import AzureError

        try:
            part = await self._client(repeating=True).download_blob(name, offset=start, length=length)
            return bytes(await part.readall())
        except AzureError as error:
            if _code_of(error) == "InvalidRange":
                return b""
            raise _meant(error) from error

    async def append(self, name: str, body: bytes, *, at: int) -> int:
        """Add to the end of a log whose end the writer knows; storage holds the writer to it."""
        limits.check_blob_name(name)
        limits.check_append(body, at)
        from azure.core import MatchConditions
        from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError

        log = self._client(repeating=False).get_blob_client(name)
        try:
            if at == 0:
                # Begun before, and perhaps still empty: its length decides.
                with suppress(ResourceExistsError, ResourceModifiedError):
                    await log.create_append_blob(match_condition=MatchConditions.IfMissing)
            await log.append_block(body, length=len(body), appendpos_condition=at)
        except AzureError as error:
            raise _meant(error, appending=True) from error
        return at + len(body)

    async def delete(self, name: str) -> None:
        """Remove a blob."""
        limits.check_blob_name(name)
        from azure.core.exceptions import AzureError

        try:
            await self._client(repeating=True).delete_blob(name)
        except AzureError as error:
            meant = _meant(error)
            if not isinstance(meant, BlobMissingError):
                raise meant from error

    async def create(self) -> None:
        """Create the container, unless it is there."""
        from azure.core.exceptions import AzureError, ResourceExistsError

        try:
            await self._client(repeating=True).create_container()
        except ResourceExistsError:
            return
        except AzureError as error:
            raise _meant(error) from error

    def _client(self, *, repeating: bool) -> "ContainerClient":
        return self._clients.container(self._name, repeating=repeating)


def _meant(error: "AzureError", *, appending: bool = False) -> StorageError:
    """Return what an error of the SDK means to the caller."""
    from azure.core.exceptions import HttpResponseError, ServiceRequestError

    if isinstance(error, ServiceRequestError):
        return StorageUnavailableError("storage could not be reached")
    unknown = OutcomeUnknownError if appending else StorageUnavailableError
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return unknown("storage did not answer")
    code, status = _code_of(error), error.status_code
    kind: type[StorageError] = _KINDS.get(code) or _KINDS_BY_STATUS.get(status) or StorageRequestError
    if kind is StorageRequestError and status >= _SERVER:
        kind = unknown
    return kind(f"storage did not do it ({status} {code})")


def _code_of(error: "AzureError") -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
