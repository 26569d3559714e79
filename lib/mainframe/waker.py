"""Wakes what waits: parked deliveries at a bounded rate, oldest first, and retries whose message never came.

One pass reads and wakes no more than its share of the rate, however many wait.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lib.clock import Clock
from lib.mainframe.breaker import Breaker, BreakerState
from lib.mainframe.undelivered import Place, UndeliveredStore, WaitState
from lib.messaging.envelope import WakeUp
from lib.storage.ports import Queue
from lib.telemetry import event_log

INTERVAL_SECONDS: Final = 5
# Longer than the host hides a message whose handler died (10 minutes), so that such a message is seen first.
_OVERDUE: Final = timedelta(minutes=15)
_AT_ONCE: Final = 8

_log = event_log("mainframe")


@dataclass(frozen=True, slots=True)
class Waker:
    """Sends the messages of waiting deliveries."""

    undelivered: UndeliveredStore
    breaker: Breaker
    queue: Queue
    clock: Clock
    rate_per_second: float
    window_seconds: float

    async def wake(self) -> int:
        """Wake what is due and return how many were woken.

        Parked deliveries are woken in every state of the breaker, so that nothing waits for ever; only while somebody
        paused deliveries, nothing is.

        Raises:
            StorageError: what was not woken is still kept.
        """
        now = self.clock.now()
        state = (await self.breaker.view()).state_at(now)
        if state is BreakerState.PAUSED:
            return 0
        share = max(1, round(self.rate_per_second * INTERVAL_SECONDS))
        parked, lost = await asyncio.gather(
            self.undelivered.parked(at_most=share if state is BreakerState.CLOSED else 1),
            self.undelivered.overdue(now - _OVERDUE, at_most=share),
        )
        woken = 0
        # What is lost goes first: its rows wait the longest. Both together keep to the share.
        chosen = [*lost, *parked][:share]
        for start in range(0, len(chosen), _AT_ONCE):
            places = chosen[start : start + _AT_ONCE]
            woken += sum(await asyncio.gather(*(self._wake(place, now) for place in places)))
        if woken:
            _log.info("deliveries.woken", woken=woken, lost=len(lost), breaker=state)
        return woken

    async def _wake(self, place: Place, now: datetime) -> bool:
        waiting = await self.undelivered.at(place)
        if waiting is None or not _due(waiting.delivery.state, waiting.delivery.next_attempt_at, now):
            return False  # it moved on since its place was read
        delivery = waiting.delivery
        wake_up = WakeUp(
            subject=delivery.subject,
            id=delivery.id,
            owner=delivery.owner,
            version=delivery.version,
            accepted_at=delivery.accepted_at,
            deadline=now + timedelta(seconds=self.window_seconds),
            trace=delivery.trace,
            waited=True,
        )
        await self.queue.send(wake_up.body())
        # The row stays until the acknowledgement. Changed since it was read: it was parked again, and stays parked.
        await self.undelivered.replace(
            waiting, replace(delivery, state=WaitState.RETRYING, next_attempt_at=now, reason="woken")
        )
        return True


def _due(state: WaitState, next_attempt_at: datetime | None, now: datetime) -> bool:
    return state is WaitState.PARKED or (next_attempt_at is not None and now - next_attempt_at > _OVERDUE)
