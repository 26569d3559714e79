"""The slice that is due, and how the process dies in one."""

from datetime import timedelta

from lib.reconciliation.models import SliceOrder
from tests.reconciliation.drifting import Sides


class DiedError(Exception):
    """The process died here."""


async def slice_due(sides: Sides) -> str:
    queue = sides.world.storage.queue("reconciliation-slices")
    sides.world.clock.advance(3)
    [message] = await queue.receive(1, lease_seconds=1)
    await queue.delete(message)
    assert SliceOrder.model_validate_json(message.body).sent_at <= sides.world.clock.now() - timedelta(seconds=2)
    return message.body
