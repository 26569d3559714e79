"""Queue functions: the relay and the mainframe delivery, each with a twin for bulk changes, which may wait."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, handle_wake_up
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName

blueprint = func.Blueprint()


@blueprint.function_name("relay_changes")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.CHANGES.value, connection=DATA_STORAGE)
async def relay_changes(message: func.QueueMessage) -> None:
    """Tell everyone who must know that a promised version was committed."""
    await handle_wake_up(QueueName.CHANGES, message, platform().relay.relay)


@blueprint.function_name("deliver_to_mainframe")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.MAINFRAME_UPDATES.value, connection=DATA_STORAGE)
async def deliver_to_mainframe(message: func.QueueMessage) -> None:
    """Bring one subject at the mainframe up to date."""
    await handle_wake_up(QueueName.MAINFRAME_UPDATES, message, platform().delivery.deliver)


@blueprint.function_name("relay_bulk_changes")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.CHANGES_BULK.value, connection=DATA_STORAGE)
async def relay_bulk_changes(message: func.QueueMessage) -> None:
    """Tell everyone who must know that a promised version was committed in bulk."""
    await handle_wake_up(QueueName.CHANGES_BULK, message, platform().relay.relay)


@blueprint.function_name("deliver_bulk_to_mainframe")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.MAINFRAME_UPDATES_BULK.value, connection=DATA_STORAGE)
async def deliver_bulk_to_mainframe(message: func.QueueMessage) -> None:
    """Bring one subject at the mainframe up to date, a few at a time and when its time has come."""
    await handle_wake_up(QueueName.MAINFRAME_UPDATES_BULK, message, platform().bulk_delivery.deliver)
