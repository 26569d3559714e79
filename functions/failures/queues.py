"""Queue functions: one on each poison queue, and one that hears what became of listed failures."""

import azure.functions as func
from pydantic import ValidationError

from functions.host.queues import DATA_STORAGE, list_unreadable
from functions.host.serving import platform
from lib.mainframe.rejections import Resolution
from lib.messaging.catalogue import QueueName

blueprint = func.Blueprint()


def _importer(queue: QueueName) -> None:
    async def import_poison(message: func.QueueMessage) -> None:
        """Keep a record of what the host poisoned, or wake it again when it died only with its process."""
        await platform().intake.take(queue, message.get_body())

    name = f"import_{queue.value.replace('-', '_')}_poison"
    trigger = blueprint.queue_trigger(arg_name="message", queue_name=queue.poison, connection=DATA_STORAGE)
    blueprint.function_name(name)(trigger(import_poison))


for _queue in QueueName:
    _importer(_queue)


@blueprint.function_name("note_failure_outcome")
@blueprint.queue_trigger(arg_name="message", queue_name=QueueName.FAILURE_OUTCOMES.value, connection=DATA_STORAGE)
async def note_failure_outcome(message: func.QueueMessage) -> None:
    """Mark listed failures whose subject was delivered."""
    try:
        resolution = Resolution.model_validate_json(message.get_body())
    except ValidationError:
        await list_unreadable(QueueName.FAILURE_OUTCOMES, message)
        return
    await platform().failures.note_outcome(resolution)
