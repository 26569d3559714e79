"""The queue function that runs reconciliations, slice by slice."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError

blueprint = func.Blueprint()


@blueprint.function_name("reconcile_slice")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.RECONCILIATION_SLICES.value, connection=DATA_STORAGE)
async def reconcile_slice(message: func.QueueMessage) -> None:
    """Compare the next keys of both sides, and order the slice behind them."""
    try:
        await platform().slice_runner.take(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(QueueName.RECONCILIATION_SLICES, message)
