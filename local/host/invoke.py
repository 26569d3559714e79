"""Runs functions: async ones on the loop, others in threads, each within the function timeout."""

import asyncio
import contextvars
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.host.console import Console, current_function
from local.host.context import InvocationContext
from local.host.loading import LoadedFunction


class FunctionTimeoutError(Exception):
    """The function ran longer than host.json's functionTimeout allows."""


class UnboundReturnError(Exception):
    """The function returned a value and has no `$return` binding to take it."""


@dataclass
class Invoker:
    """The worker's part: `await invoker.run(function, argument, context)` returns what the function returned."""

    console: Console
    timeout_seconds: float | None = None
    thread_count: int | None = None
    running: int = 0
    _threads: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = self.thread_count or min(32, (os.cpu_count() or 1) + 4)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="function")

    async def run(self, function: LoadedFunction, argument: Any, context: InvocationContext) -> Any:
        """Run it once. Whatever it raises comes out; FunctionTimeoutError when it took too long.

        On Azure a timeout also restarts the worker process, and every other run in it is lost. Here only the late
        run is cancelled (a late thread goes on unheard), and the log says what would have happened there.
        """
        arguments = {function.argument: argument}
        if function.wants_context:
            arguments["context"] = context
        self.running += 1
        named = current_function.set(function.name)
        limit = asyncio.timeout(self.timeout_seconds)
        try:
            async with limit:
                if function.is_async:
                    result = await function.call(**arguments)
                else:
                    result = await self._in_thread(function, arguments)
        except TimeoutError as error:
            if not limit.expired():
                raise
            self._say_late(function)
            raise FunctionTimeoutError(f"{function.name} ran longer than {self.timeout_seconds:g} s.") from error
        finally:
            current_function.reset(named)
            self.running -= 1
        if result is not None and not function.returns_value:
            raise UnboundReturnError(f"{function.name} returned a value, but has no $return binding.")
        return result

    def close(self) -> None:
        """Let the threads go; those that still run are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, function: LoadedFunction, arguments: dict[str, Any]) -> Any:
        within = contextvars.copy_context()
        call = functools.partial(within.run, function.call, **arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _say_late(self, function: LoadedFunction) -> None:
        others = self.running - 1
        self.console.error(
            f"{function.name} exceeded functionTimeout ({self.timeout_seconds:g} s) and was cancelled. "
            f"On Azure the worker process restarts now, and its other running calls ({others}) are lost with it."
        )
