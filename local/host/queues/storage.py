"""The one place of the host that talks to the storage queue: few calls, short timeouts, plain answers."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage as StoredMessage
from azure.storage.queue.aio import QueueClient

from local.azurite import AzuritePorts

# The SDK's own defaults keep a call for 81 seconds when nobody listens.
_CONNECT_SECONDS = 3
_READ_SECONDS = 10
_RETRIES = 2
_LONGEST_QUEUE_NAME = 63
_POISON_SUFFIX = "-poison"
_BAD_REQUEST, _NOT_FOUND, _CONFLICT = 400, 404, 409
_SERVER_ERROR = 500


class QueueUnavailableError(Exception):
    """The storage did not answer, or refused; the message names the kind of failure and no address or key."""


class MessageLostError(Exception):
    """The message is not ours any more: deleted, or taken again by somebody else."""


@dataclass
class StorageQueue:
    """One queue as the listener needs it."""

    connection: str
    name: str
    _client: QueueClient = field(init=False, repr=False)
    _poison: "QueueClient | None" = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._client = self._open(self.name)
        if self.poison_name is not None:
            self._poison = self._open(self.poison_name)

    @property
    def poison_name(self) -> str | None:
        """Where messages go that nobody can work off; None for a poison queue itself, or when the name is too long."""
        name = f"{self.name}{_POISON_SUFFIX}"
        return None if self.name.endswith(_POISON_SUFFIX) or len(name) > _LONGEST_QUEUE_NAME else name

    async def exists(self) -> bool:
        """Whether the queue is there."""
        with _plain_errors():
            try:
                await self._client.get_queue_properties(retry_total=0)
            except ResourceNotFoundError:
                return False
        return True

    async def receive(self, count: int, lease_seconds: int) -> list[StoredMessage] | None:
        """Lease up to `count` messages; None when the queue is not there."""
        with _plain_errors():
            try:
                pages = self._client.receive_messages(
                    messages_per_page=count, visibility_timeout=lease_seconds, retry_total=0
                ).by_page()
                # One page, one call: were a second one to fail, the first one's messages would be leased and forgotten.
                found: list[StoredMessage] = []
                async for page in pages:
                    found = [message async for message in page]
                    break
            except ResourceNotFoundError:
                return None
            return found

    async def renew(self, message_id: str, pop_receipt: str, visibility_seconds: float) -> str:
        """Set when the message shows again and return its new receipt. Raises MessageLostError when it is not ours."""
        with _plain_errors():
            try:
                # By id and not by object: an object would be sent with its body and written anew.
                changed = await self._client.update_message(
                    message_id, pop_receipt, visibility_timeout=round(visibility_seconds)
                )
            except HttpResponseError as error:
                _raise_if_lost(error)
                raise
            return str(changed.pop_receipt)

    async def delete(self, message_id: str, pop_receipt: str) -> None:
        """Delete the message. Raises MessageLostError when it is not ours any more."""
        with _plain_errors():
            try:
                await self._client.delete_message(message_id, pop_receipt)
            except HttpResponseError as error:
                _raise_if_lost(error)
                raise

    async def copy_to_poison(self, text: str) -> None:
        """Send the body as it is stored, and nothing else, to the poison queue, which is created when missing."""
        if self._poison is None:
            raise AssertionError(f"{self.name} has no poison queue")
        with _plain_errors():
            try:
                await self._poison.send_message(text)
            except ResourceNotFoundError:
                with contextlib.suppress(ResourceExistsError):
                    await self._poison.create_queue()
                await self._poison.send_message(text)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._poison is not None:
            await self._poison.close()

    def _open(self, name: str) -> QueueClient:
        options: dict[str, Any] = {
            "retry_total": _RETRIES,
            "initial_backoff": 1,
            "increment_base": 2,
            "connection_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
        }
        return QueueClient.from_connection_string(expand_connection(self.connection), name, **options)


def expand_connection(connection: str) -> str:
    """Write `UseDevelopmentStorage=true` out, which the Python SDK does not know."""
    if "usedevelopmentstorage=true" in connection.lower().replace(" ", ""):
        return AzuritePorts().connection_string
    return connection


def _raise_if_lost(error: HttpResponseError) -> None:
    code = _code(error)
    if error.status_code in (_NOT_FOUND, _CONFLICT) or "PopReceipt" in code or "MessageNotFound" in code:
        raise MessageLostError(code or str(error.status_code)) from error


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)
    # An enum, whose text would be the name in Python and not the one on the wire.
    return str(getattr(code, "value", code) or "")


@contextlib.contextmanager
def _plain_errors() -> Generator[None]:
    try:
        yield
    except HttpResponseError as error:
        said = _code(error) or type(error).__name__
        raise QueueUnavailableError(f"{said} ({error.status_code or 'no answer'})") from error
    except (AzureError, OSError, TimeoutError) as error:
        raise QueueUnavailableError(type(error).__name__) from error
