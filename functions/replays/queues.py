"""The queue function that runs replays; operations may drop a request on its queue with any storage tool."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError

blueprint = func.Blueprint()


@blueprint.function_name("run_replays")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.REPLAY_REQUESTS.value, connection=DATA_STORAGE)
async def run_replays(message: func.QueueMessage) -> None:
    """Do the next slice of a replay, or start the one that was asked for."""
    try:
        await platform().replay_runner.take(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(QueueName.REPLAY_REQUESTS, message)
