"""Mischief on the queues themselves: copies that come late, messages withheld for a while, and garbage."""

import asyncio
import base64
import contextlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from lib.messaging.catalogue import QueueName
from lib.storage.errors import StorageError
from lib.storage.ports import Storage

# The two that carry every write.
CARRIERS: Final = (QueueName.CHANGES, QueueName.MAINFRAME_UPDATES)
_LATE_SECONDS: Final = (0.0, 2.0, 10.0, 25.0)
_WITHHELD_SECONDS: Final = 4.0
_COPIES: Final = 8
_SEND_TRIES: Final = 30
_PAUSE_SECONDS: Final = 0.3
_GONE: Final = "2020-01-01T00:00:00.000Z"
_STRANGER: Final = {
    "schemaVersion": 1,
    "subject": "customer",
    "id": "cus_00000000000000000000000000",
    "version": 1,
    "acceptedAt": _GONE,
    "deadline": _GONE,
}
GARBAGE: Final = {
    "not base64": "%%% not base64 %%%",
    "bad JSON": '{"schemaVersion": 1, "subject": ',
    "base64 of nothing": base64.b64encode(b"\x00\xff\xfe").decode(),
    "unknown schema": json.dumps(_STRANGER | {"schemaVersion": 99}),
    "unknown subject": json.dumps(_STRANGER | {"subject": "starship"}),
}
_ANYWHERE: Final = ("not base64", "bad JSON")
HARMLESS: Final = {
    "customer that is not there": json.dumps(_STRANGER),
    "unknown fields": json.dumps(_STRANGER | {"colour": "blue"}),
}
# What to send where, by name, queue and body: all of it has to be listed afterwards.
SENT_GARBAGE: Final = (
    *((what, name.value, body) for name in CARRIERS for what, body in GARBAGE.items()),
    *((what, name.value, GARBAGE[what]) for name in set(QueueName) - set(CARRIERS) for what in _ANYWHERE),
)


class GarbageNotSentError(Exception):
    """Storage took no message for a long time."""


@dataclass
class QueueMischief:
    """Meddles with the queues, past the fault proxy. `wanted` says how many copies there shall be by now."""

    storage: Storage
    random: Random
    wanted: Callable[[], int]
    counts: Counter[str] = field(default_factory=Counter[str])

    async def copies(self) -> None:
        """Send copies of what waits, some at once and some much later, behind newer ones. Runs until cancelled."""
        while True:
            with contextlib.suppress(StorageError):  # too busy to be bothered: next time
                await self._copy()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def thief(self) -> None:
        """Take messages and never finish them, so that those behind overtake. Runs until cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(1, 3))
            # Each time costs a message one of its five tries, so few are taken.
            if self.counts["queue messages withheld"] <= self.wanted() / 2:
                queue = self.storage.queue(self.random.choice(CARRIERS))
                with contextlib.suppress(StorageError):  # as above
                    taken = await queue.receive(2, lease_seconds=_WITHHELD_SECONDS)
                    self.counts["queue messages withheld"] += len(taken)

    async def garbage(self) -> None:
        """Put every kind of garbage on the queues, one piece after the other. Runs until all of it is there."""
        harmless = [(what, name.value, body) for name in CARRIERS for what, body in HARMLESS.items()]
        for what, queue, body in (*SENT_GARBAGE, *harmless):
            await asyncio.sleep(self.random.uniform(0.1, 0.8))
            await self._send(queue, body)
            self.counts[f"queue garbage: {what}"] += 1

    async def _copy(self) -> None:
        for name in CARRIERS:
            queue = self.storage.queue(name)
            # Copies are copied as well, so the number is bounded, or they would bury the others.
            room = self.wanted() - self.counts["queue copies"]
            for body in (await queue.peek())[: max(0, min(room, _COPIES))]:
                await queue.send(body, delay_seconds=self.random.choice(_LATE_SECONDS))
                self.counts["queue copies"] += 1

    async def _send(self, queue: str, body: str) -> None:
        for _ in range(_SEND_TRIES):
            try:
                await self.storage.queue(queue).send(body)
            except StorageError:
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return
        raise GarbageNotSentError
