"""Bulk deliveries: the same protocol as for all others, but only a few at a time in one instance."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from lib.mainframe.delivery import Delivered, Delivery
from lib.messaging.envelope import WakeUp

_AT_ONCE: Final = 4
# Not longer, as the host counts the wait as part of the function's time.
_WAIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class BulkDelivery:
    """Delivers what may wait."""

    delivery: Delivery
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def deliver(self, wake_up: WakeUp) -> Delivered:
        """Bring a subject up to date when one of the few places is free; else see to it that it comes again.

        Raises:
            DeliveryContendedError, StorageError: the host shall run the message again.
        """
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self.turn.acquire()
        except TimeoutError:
            return await self.delivery.later(wake_up, seconds=_WAIT_SECONDS)
        try:
            return await self.delivery.deliver(wake_up)
        finally:
            self.turn.release()
