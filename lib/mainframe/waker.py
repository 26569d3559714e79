"""Wakes what waits: parked deliveries at a bounded rate, oldest first, and retries whose message never came."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lib.clock import Clock
from lib.mainframe.breaker import Breaker, BreakerState
from lib.mainframe.undelivered import UndeliveredStore, WaitingRow, WaitState
from lib.messaging.envelope import WakeUp
from lib.storage.ports import Queue
from lib.telemetry import event_log

INTERVAL_SECONDS: Final = 5
# Longer than the host hides a message whose handler died (10 minutes), so that such a message is seen first.
_OVERDUE: Final = timedelta(minutes=15)

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
        """Wake what is due and return how many; in every state of the breaker, so that nothing waits for ever.

        Raises:
            StorageError: what was not woken is still kept.
        """
        now = self.clock.now()
        waiting = await self.undelivered.waiting()
        parked = [one for one in waiting if one.delivery.state is WaitState.PARKED]
        lost = [one for one in waiting if one.delivery.state is WaitState.RETRYING and _overdue(one, now)]
        chosen = [*parked[: await self._room()], *lost]
        for one in chosen:
            await self._wake(one, now)
        if chosen:
            _log.info("deliveries.woken", parked=len(chosen) - len(lost), lost=len(lost), waiting=len(waiting))
        return len(chosen)

    async def _room(self) -> int:
        state = (await self.breaker.view()).state
        return max(1, round(self.rate_per_second * INTERVAL_SECONDS)) if state is BreakerState.CLOSED else 1

    async def _wake(self, one: WaitingRow, now: datetime) -> None:
        delivery = one.delivery
        wake_up = WakeUp(
            subject=delivery.subject,
            id=delivery.id,
            version=delivery.version,
            accepted_at=delivery.accepted_at,
            deadline=now + timedelta(seconds=self.window_seconds),
            trace=delivery.trace,
            waited=True,
        )
        await self.queue.send(wake_up.body())
        # The row stays until the acknowledgement. Changed since it was read: it was parked again, and stays parked.
        await self.undelivered.replace(
            one, replace(delivery, state=WaitState.RETRYING, next_attempt_at=now, reason="woken")
        )


def _overdue(one: WaitingRow, now: datetime) -> bool:
    following = one.delivery.next_attempt_at
    return following is not None and now - following > _OVERDUE
