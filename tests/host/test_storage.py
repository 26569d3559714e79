import uuid
from collections.abc import AsyncIterator

import pytest

from local.azurite import Azurite
from local.host.queues.storage import MessageLostError, StorageQueue
from tests.host.queueing import QueueBench


@pytest.fixture
async def queue(azurite: Azurite) -> AsyncIterator[StorageQueue]:
    name = f"t{uuid.uuid4().hex[:12]}"  # noqa: TID251 - a queue of its own
    bench = QueueBench(azurite.connection_string, name, seen_path=None)  # type: ignore[arg-type] - no host runs here
    bench.create("work")
    bench.send("work", "taken twice")
    one = StorageQueue(azurite.connection_string, f"{name}-work")
    yield one
    await one.close()


async def taken_twice(queue: StorageQueue) -> tuple[str, str]:
    """Return id and receipt of a message that somebody else has taken since."""
    (message,) = await queue.receive(1, 30) or ()
    await queue.renew(str(message.id), str(message.pop_receipt), 0)
    (again,) = await queue.receive(1, 30) or ()
    assert again.id == message.id
    return str(message.id), str(message.pop_receipt)


class TestRenew:
    async def test_says_that_the_message_is_somebody_elses(self, queue: StorageQueue) -> None:
        message_id, old_receipt = await taken_twice(queue)

        with pytest.raises(MessageLostError):
            await queue.renew(message_id, old_receipt, 30)


class TestDelete:
    async def test_says_that_the_message_is_somebody_elses(self, queue: StorageQueue) -> None:
        message_id, old_receipt = await taken_twice(queue)

        with pytest.raises(MessageLostError):
            await queue.delete(message_id, old_receipt)
