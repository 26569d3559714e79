"""Queue functions: the relay on `changes`, and the mainframe delivery on `mainframe-updates`."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, handled
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import WakeUp

blueprint = func.Blueprint()


@blueprint.function_name("relay_changes")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.CHANGES.value, connection=DATA_STORAGE)
async def relay_changes(message: func.QueueMessage) -> None:
    """Tell everyone who must know that a promised version was committed."""
    wake_up = WakeUp.read(message.get_body())
    with handled("relay_changes", message, wake_up) as outcome:
        outcome.say(await platform().relay.relay(wake_up))


@blueprint.function_name("deliver_to_mainframe")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.MAINFRAME_UPDATES.value, connection=DATA_STORAGE)
async def deliver_to_mainframe(message: func.QueueMessage) -> None:
    """Bring one subject at the mainframe up to date."""
    wake_up = WakeUp.read(message.get_body())
    with handled("deliver_to_mainframe", message, wake_up) as outcome:
        outcome.say(await platform().delivery.deliver(wake_up))
