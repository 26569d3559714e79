"""One message from lease to end: run the function, keep the lease, then delete, retry or poison."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from azure.storage.queue import QueueMessage as StoredMessage

from local.host.console import Console
from local.host.context import InvocationContext
from local.host.hostjson import QueueOptions
from local.host.invoke import FunctionTimeoutError, Invoker
from local.host.loading import LoadedFunction
from local.host.queues.messages import UndecodableError, trigger_message
from local.host.queues.storage import MessageLostError, QueueUnavailableError, StorageQueue

# After a failed renewal the next is tried sooner, but not more often than this.
_LEAST_RENEWAL_SECONDS = 60.0


@dataclass
class Lease:
    """One message we hold, with the newest receipt for it."""

    queue: StorageQueue
    message: StoredMessage
    lease_seconds: int
    pop_receipt: str = field(init=False)
    _finished: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def __post_init__(self) -> None:
        self.pop_receipt = str(self.message.pop_receipt)

    async def keep(self) -> None:
        """Renew at half of the lease, again and again, until `finish` or until the message is lost."""
        half = self.lease_seconds / 2
        wait = half
        while not await self._finished_within(wait):
            try:
                self.pop_receipt = await self.queue.renew(str(self.message.id), self.pop_receipt, self.lease_seconds)
                wait = half
            except MessageLostError:
                return
            except QueueUnavailableError:
                wait = max(wait / 2, min(_LEAST_RENEWAL_SECONDS, half / 4))

    def finish(self) -> None:
        """Stop renewing. A renewal under way is still awaited, for its receipt is then the only one that counts."""
        self._finished.set()

    async def _finished_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._finished.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass
class Processor:
    """Takes the messages of one function's queue to their end."""

    function: LoadedFunction
    queue: StorageQueue
    options: QueueOptions
    lease_seconds: int
    invoker: Invoker
    console: Console
    poisoned: Callable[[str], None]

    async def process(self, message: StoredMessage) -> None:
        """Work one leased message off. Storage failures end in the log: the lease runs out and the message returns."""
        started = time.perf_counter()
        lease = Lease(self.queue, message, self.lease_seconds)
        try:
            outcome = await self._outcome(lease)
        except MessageLostError:
            outcome = "done, but the lease was lost: it runs again"
        except QueueUnavailableError as error:
            outcome = f"storage failed afterwards: {error}; it runs again when the lease ends"
        except asyncio.CancelledError:
            self._say(lease, "cancelled; it runs again when the lease ends", started)
            raise
        self._say(lease, outcome, started)

    async def _outcome(self, lease: Lease) -> str:
        count, most = lease.message.dequeue_count or 0, self.options.max_dequeue_count
        if count > most and self.queue.poison_name is not None:
            # Whoever died while running it never reported back, so the count is the only witness.
            return await self._poison(lease, "not run")
        failure = await self._run(lease)
        if failure is None:
            await self.queue.delete(str(lease.message.id), lease.pop_receipt)
            return "done"
        if self.queue.poison_name is None:
            return f"{failure}; left invisible, as there is no poison queue for it"
        if failure == "undecodable" or count >= most:
            return await self._poison(lease, failure)
        seconds = self.options.visibility_timeout_seconds
        await self.queue.renew(str(lease.message.id), lease.pop_receipt, seconds)
        return f"{failure}; again in {seconds:g} s"

    async def _run(self, lease: Lease) -> str | None:
        """Return how it failed, or None."""
        try:
            argument = trigger_message(lease.message, self.options.message_encoding)
        except UndecodableError:
            self.console.warning(
                f"{self.function.name}: message {lease.message.id} is not base64; "
                "send with TextBase64EncodePolicy, or set messageEncoding to none on both ends"
            )
            return "undecodable"
        context = InvocationContext(name=self.function.name, directory=self.function.directory)
        keeping = asyncio.create_task(lease.keep())
        try:
            await self.invoker.run(self.function, argument, context)
        except FunctionTimeoutError:
            return "timed out"  # the invoker has said it
        except Exception as error:  # noqa: BLE001 - the host's edge: any failure means retry or poison, and the log has the stack
            self.console.error(f"{self.function.name} failed on message {lease.message.id}", error)
            return "failed"
        finally:
            lease.finish()
            await keeping
        return None

    async def _poison(self, lease: Lease, why: str) -> str:
        poison_name = self.queue.poison_name
        if poison_name is None:
            raise AssertionError(f"{self.queue.name} has no poison queue")
        if why != "undecodable":
            self.console.warning(
                f"Message has reached MaxDequeueCount of {self.options.max_dequeue_count}. "
                f"Moving message to queue '{poison_name}'."
            )
        # Copy, then delete: a crash between the two leaves a duplicate, never a loss.
        await self.queue.copy_to_poison(str(lease.message.content))
        await self.queue.delete(str(lease.message.id), lease.pop_receipt)
        self.poisoned(poison_name)
        return f"{why}; moved to {poison_name}"

    def _say(self, lease: Lease, outcome: str, started: float) -> None:
        self.console.message(
            queue=self.queue.name,
            function=self.function.name,
            message_id=str(lease.message.id),
            dequeue_count=lease.message.dequeue_count or 0,
            outcome=outcome,
            elapsed_seconds=time.perf_counter() - started,
        )
