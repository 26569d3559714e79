"""The queue function that runs imports, slice by slice."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError

blueprint = func.Blueprint()


@blueprint.function_name("import_slice")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.IMPORT_SLICES.value, connection=DATA_STORAGE)
async def import_slice(message: func.QueueMessage) -> None:
    """Take the next rows of an import, and order the slice behind them."""
    try:
        await platform().import_runner.take(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(QueueName.IMPORT_SLICES, message)
