"""All queue triggers of an app."""

import asyncio
from dataclasses import dataclass, field

from local.host.console import Console
from local.host.hostjson import QueueOptions
from local.host.invoke import Invoker
from local.host.loading import LoadedApp, LoadedFunction
from local.host.queues.listener import QueueListener
from local.host.queues.processor import Processor
from local.host.queues.storage import StorageQueue
from local.host.settings import HostSettings, connection_string, resolve_names


@dataclass
class QueueListeners:
    """Starts, stops and drains a listener for every queue-triggered function."""

    app: LoadedApp
    options: QueueOptions
    settings: HostSettings
    invoker: Invoker
    console: Console
    _listeners: list[QueueListener] = field(default_factory=list, init=False, repr=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, init=False, repr=False)

    def prepare(self) -> None:
        """Read every trigger's queue and connection; one that has none leaves the app with its reason."""
        for function in [one for one in self.app.functions if one.kind == "queue" and not one.disabled]:
            try:
                queue = self._queue(function)
            except ValueError as error:
                self.app.leave_out(function.name, str(error))
            else:
                self._listeners.append(self._listener(function, queue))

    def start(self) -> None:
        """Begin to poll."""
        self._tasks = [
            asyncio.create_task(listener.run(), name=f"queue {listener.queue.name}") for listener in self._listeners
        ]

    async def drain(self) -> None:
        """Stop polling and wait for every message that runs."""
        for listener in self._listeners:
            listener.stop()
        # A poll under way is awaited: what it leased would otherwise stay hidden for the whole lease.
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(listener.drain() for listener in self._listeners))

    async def close(self) -> None:
        """Close the connections to the storage."""
        for listener in self._listeners:
            await listener.queue.close()

    def _queue(self, function: LoadedFunction) -> StorageQueue:
        setting = str(function.trigger.get("connection") or "")
        connection = connection_string(setting)
        if connection is None:
            raise ValueError(f"its connection setting '{setting or 'AzureWebJobsStorage'}' is missing.")
        try:
            name = resolve_names(str(function.trigger["queueName"]))
        except KeyError as error:
            raise ValueError(f"its queue name needs the setting {error}, which is missing.") from error
        try:
            return StorageQueue(connection, name)
        except ValueError as error:
            raise ValueError(f"its connection setting '{setting}' holds no connection string.") from error

    def _listener(self, function: LoadedFunction, queue: StorageQueue) -> QueueListener:
        lease_seconds = self.settings.queue_lease_seconds
        processor = Processor(
            function=function,
            queue=queue,
            options=self.options,
            lease_seconds=lease_seconds,
            invoker=self.invoker,
            console=self.console,
            poisoned=self._notify,
        )
        return QueueListener(queue, processor, self.options, lease_seconds, self.console)

    def _notify(self, queue_name: str) -> None:
        for listener in self._listeners:
            if listener.queue.name == queue_name:
                listener.notify()
