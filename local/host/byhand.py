"""Runs one function because a person asked for it at /admin/functions/{name}."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from local.host.console import Console
from local.host.context import InvocationContext
from local.host.invoke import FunctionTimeoutError, Invoker
from local.host.loading import LoadedFunction
from local.host.queues.messages import message_by_hand
from local.host.request import build_request
from local.host.timers.listeners import TimerListeners


@dataclass
class ByHand:
    """Starts functions outside of their triggers; the caller does not wait for them."""

    invoker: Invoker
    timers: TimerListeners
    console: Console
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False, repr=False)

    def start(self, function: LoadedFunction, text: str) -> None:
        """Start the function with the text as its message or body; a timer needs none."""
        task = asyncio.create_task(self._run(function, self._argument(function, text)), name=f"by hand {function.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait for what was started."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _argument(self, function: LoadedFunction, text: str) -> Any:
        if function.kind == "queue":
            return message_by_hand(text)
        if function.kind == "timer":
            return self.timers.request_by_hand(function)
        scope = {"method": "POST", "scheme": "http"}
        headers = {"host": "localhost", "content-type": "text/plain; charset=utf-8"}
        path = f"/admin/functions/{function.name}"
        return build_request(scope, url_path=path, query="", headers=headers, route_values={}, body=text.encode())

    async def _run(self, function: LoadedFunction, argument: Any) -> None:
        context = InvocationContext(name=function.name, directory=function.directory)
        try:
            await self.invoker.run(function, argument, context)
        except FunctionTimeoutError:
            pass  # the invoker has said it
        except Exception as error:  # noqa: BLE001 - the host's edge: nobody waits for this call, so the log must say it
            self.console.error(f"{function.name}, run by hand, failed ({context.invocation_id})", error)
        else:
            self.console.info(f"{function.name}, run by hand, is done ({context.invocation_id})")
