"""Queue functions: the relay on `changes`, and the mainframe delivery on `mainframe-updates`."""

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
