"""What an instance's functions do with a message, as `functions/*/queues.py` bind them to their queues."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeAlias

from functions.host.queues import PASSING
from lib.errors import UnavailableError
from lib.mainframe.backoff import Backoff
from lib.mainframe.rejections import Resolution
from lib.messaging.catalogue import QueueName
from lib.messaging.envelope import WakeUp
from lib.wiring import Platform

HANDLED: Final = (
    QueueName.CHANGES,
    QueueName.MAINFRAME_UPDATES,
    QueueName.FAILURE_OUTCOMES,
    QueueName.REPLAY_REQUESTS,
    QueueName.FLIGHT_EVENTS,
)
# What heals by running again; whatever else a handler raises is a defect.
HEALING: Final = (*PASSING, UnavailableError)

Handler: TypeAlias = Callable[[str], Awaitable[object]]


def handler_of(queue: QueueName, platform: Platform, draw: Callable[[], float]) -> Handler:
    """Return what is done with the messages of a queue. Jitter comes from the seed here, as everything does."""
    if queue is QueueName.CHANGES:
        return lambda body: platform.relay.relay(WakeUp.read(body))
    if queue is QueueName.FAILURE_OUTCOMES:
        return lambda body: platform.failures.note_outcome(Resolution.model_validate_json(body))
    if queue is QueueName.REPLAY_REQUESTS:
        return platform.replay_runner.take
    if queue is QueueName.FLIGHT_EVENTS:
        return platform.flight_runner.take
    settings = platform.settings
    backoff = Backoff(settings.retry_base_seconds, settings.retry_cap_seconds, draw=draw)
    delivery = replace(platform.delivery, backoff=backoff)
    return lambda body: delivery.deliver(WakeUp.read(body))


def importer_of(queue: QueueName, platform: Platform) -> Handler:
    """Return what is done with what the host moved from a queue to its poison queue."""
    return lambda body: platform.intake.take(queue, body.encode())
