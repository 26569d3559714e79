"""Polls one queue: every message at once as its own task, a pause while too many run, back-off while it is empty."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from local.host.console import Console
from local.host.hostjson import QueueOptions
from local.host.queues.backoff import Backoff
from local.host.queues.processor import Processor
from local.host.queues.storage import QueueUnavailableError, StorageQueue


@dataclass
class QueueListener:
    """One queue trigger at work: `run()` until `stop()`, then `drain()`."""

    queue: StorageQueue
    processor: Processor
    options: QueueOptions
    lease_seconds: int
    console: Console
    _backoff: Backoff = field(init=False, repr=False)
    _running: set[asyncio.Task[None]] = field(default_factory=set, init=False, repr=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _stopping: bool = field(default=False, init=False)
    _known_to_exist: bool = field(default=False, init=False)
    _found_since_last_wait: bool = field(default=False, init=False)
    _trouble: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.options.max_polling_interval_seconds)

    async def run(self) -> None:
        """Poll until stopped. A storage outage only makes it wait; it never ends the host."""
        while not self._stopping:
            if await self._poll():
                self._found_since_last_wait = True
                await self._until_room()
            else:
                await self._wait()

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping = True
        self._wake.set()

    def notify(self) -> None:
        """End the current wait: something was just put into this queue."""
        self._wake.set()

    async def drain(self) -> None:
        """Wait for the messages that run; when cancelled, cancel them."""
        try:
            while self._running:
                await asyncio.wait(set(self._running))
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            raise

    async def _poll(self) -> bool:
        """Return whether messages were found and started."""
        try:
            if not self._known_to_exist and not await self.queue.exists():
                self._say_trouble("it does not exist yet")
                return False
            self._known_to_exist = True
            messages = await self.queue.receive(min(self.options.batch_size, 32), self.lease_seconds)
        except QueueUnavailableError as error:
            self._known_to_exist = False
            self._say_trouble(f"the storage failed: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, the trigger must live on; the log has the stack
            self._known_to_exist = False
            self.console.error(f"queue={self.queue.name} could not be polled", error)
            return False
        if messages is None:
            self._known_to_exist = False
            self._say_trouble("it does not exist any more")
            return False
        self._say_trouble(None)
        for message in messages:
            task = asyncio.create_task(self.processor.process(message), name=f"message {self.queue.name}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        return bool(messages)

    async def _until_room(self) -> None:
        while len(self._running) > self.options.new_batch_threshold and not self._stopping:
            await asyncio.wait(set(self._running), return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self) -> None:
        seconds = self._backoff.next_delay(found_since_last=self._found_since_last_wait)
        self._found_since_last_wait = False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        if not self._stopping:
            self._wake.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.console.error(f"queue={self.queue.name}: a message could not be processed", error)

    def _say_trouble(self, trouble: str | None) -> None:
        """Say it once when trouble begins or changes, and once when it ends."""
        if trouble != self._trouble:
            self.console.warning(f"queue={self.queue.name} {trouble or 'can be read again'}; looking again")
            self._trouble = trouble
