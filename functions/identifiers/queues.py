"""The queue function that rebuilds the index of identifiers, slice by slice."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError

blueprint = func.Blueprint()


@blueprint.function_name("rebuild_identifiers_slice")
@blueprint.queue_trigger(
    arg_name="message", queue_name=QueueName.IDENTIFIER_REBUILD_SLICES.value, connection=DATA_STORAGE
)
async def rebuild_identifiers_slice(message: func.QueueMessage) -> None:
    """Look at the next holders or rows, and order the slice behind them."""
    try:
        await platform().identifier_rebuild_runner.take(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(QueueName.IDENTIFIER_REBUILD_SLICES, message)
