"""The queue function that brings orders up to date with their flights."""

import azure.functions as func

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import UnreadableMessageError

blueprint = func.Blueprint()


@blueprint.function_name("tell_orders_of_flight")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.FLIGHT_EVENTS.value, connection=DATA_STORAGE)
async def tell_orders_of_flight(message: func.QueueMessage) -> None:
    """Bring the next orders of a flight up to date, and order the slice behind them."""
    try:
        await platform().flight_runner.take(message.get_body())
    except UnreadableMessageError:
        await list_unreadable(QueueName.FLIGHT_EVENTS, message)
