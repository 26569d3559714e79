"""The other edge: what a message's outcome means to the host.

A function that returns is done with its message. One that raises has it run again, and after five times moved to the
poison queue. So only what must run again raises: back-off is a new message, and lives in the row.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import azure.functions as func

from functions.host.serving import platform
from lib.changes.relay import EntityKeepsChangingError
from lib.failures.store import FailureContendedError
from lib.identifiers.index import IndexContendedError
from lib.mainframe.delivery import DeliveryContendedError
from lib.mainframe.undelivered import UndeliveredContendedError
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError, WakeUp
from lib.replays.items import ItemContendedError
from lib.storage.errors import StorageError
from lib.telemetry import Trace, enter_trace, event_log

DATA_STORAGE: Final = "DataStorage"
# What heals by running again. Everything else is a defect, and noted, so that its message is listed and not revived.
PASSING: Final = (
    StorageError,
    DeliveryContendedError,
    EntityKeepsChangingError,
    FailureContendedError,
    IndexContendedError,
    ItemContendedError,
    UndeliveredContendedError,
)

_log = event_log("queues")


async def handle_wake_up(
    queue: QueueName, message: func.QueueMessage, work: Callable[[WakeUp], Awaitable[str]]
) -> None:
    """Handle a wake-up within its trace, log what became of it, and note a defect before it is raised.

    A message that cannot be read will not be readable later: it is listed as a failure at once, byte for byte.

    Raises:
        Exception: the host shall run the message again.
    """
    try:
        wake_up = WakeUp.read(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(queue, message)
        return
    enter_trace(Trace.join(wake_up.trace))
    about = {
        "queue": queue.value,
        "subject": wake_up.subject.value,
        "id": wake_up.id,
        "version": wake_up.version,
        "dequeueCount": message.dequeue_count,
    }
    try:
        outcome = await work(wake_up)
    except PASSING as error:
        _log.warning("message.again", **about, reason=type(error).__name__)
        raise
    except Exception as error:
        _log.defect("message.defect", **about, reason=type(error).__name__)
        await platform().defects.note(queue, wake_up, error)
        raise
    _log.info("message.done", **about, outcome=outcome)


async def list_unreadable(queue: QueueName, message: func.QueueMessage) -> None:
    """Keep a record of a message that nobody can read; the host deletes it only after that.

    Raises:
        StorageError: the host shall run the message again; it ends on the poison queue, and is listed from there.
    """
    await platform().intake.list_unreadable(queue, message.get_body())
    _log.warning("message.unreadable", queue=queue.value, dequeueCount=message.dequeue_count)
