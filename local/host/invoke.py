"""Runs functions: async ones on the loop, others in threads, each within the function timeout."""

import asyncio
import contextvars
import functools
import math
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
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
class _Run:
    """One run under way: whom to cancel, and whether it was the timeout that did."""

    ends_at: float
    task: "asyncio.Task[Any]"
    late: bool = False


@dataclass
class Invoker:
    """The worker's part: `await invoker.run(function, argument, context)` returns what the function returned."""

    console: Console
    timeout_seconds: float | None = None
    thread_count: int | None = None
    _threads: ThreadPoolExecutor = field(init=False, repr=False)
    # In the order of their start, which is that of their ends as well: they all have the same time.
    _runs: dict[int, _Run] = field(default_factory=dict, init=False, repr=False)
    _watching: bool = field(default=False, init=False, repr=False)
    _last: int = field(default=0, init=False, repr=False)
    _in_threads: int = field(default=0, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        count = self.thread_count or min(32, (os.cpu_count() or 1) + 4)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="function")

    @property
    def running(self) -> int:
        """How many calls are under way."""
        return len(self._runs)

    async def run(self, function: LoadedFunction, argument: Any, context: InvocationContext) -> Any:
        """Run it once. Whatever it raises comes out; FunctionTimeoutError when it took too long.

        On Azure a timeout also restarts the worker process, and every other run in it is lost. Here only the late
        run is cancelled (a late thread goes on unheard), and the log says what would have happened there.
        """
        arguments = {function.argument: argument}
        if function.wants_context:
            arguments["context"] = context
        number, run = self._begin()
        named = current_function.set(function.name)
        try:
            if function.is_async:
                result = await function.call(**arguments)
            else:
                result = await self._in_thread(function, arguments)
        except asyncio.CancelledError:
            if not run.late:
                raise
            self._say_late(function)
            raise FunctionTimeoutError(f"{function.name} ran longer than {self.timeout_seconds:g} s.") from None
        finally:
            current_function.reset(named)
            del self._runs[number]
            if run.late:
                run.task.uncancel()
        if result is not None and not function.returns_value:
            raise UnboundReturnError(f"{function.name} returned a value, but has no $return binding.")
        return result

    def close(self) -> int:
        """Let the threads go without waiting, and return how many are still in a function: nobody can stop those."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        return self._in_threads

    def _begin(self) -> tuple[int, _Run]:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise AssertionError("functions run within tasks")
        ends_at = math.inf if self.timeout_seconds is None else loop.time() + self.timeout_seconds
        self._last += 1
        run = self._runs[self._last] = _Run(ends_at, task)
        if not self._watching and self.timeout_seconds is not None:
            # One watch for all runs instead of a timer for each: a timer costs every request as much as its routing.
            self._watching = True
            loop.call_at(ends_at, self._watch, loop)
        return self._last, run

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel what is late, and look again when the oldest of the others would be."""
        self._watching = False
        for run in list(self._runs.values()):
            if run.ends_at > loop.time():
                self._watching = True
                loop.call_at(run.ends_at, self._watch, loop)
                break
            if not run.late:
                run.late = True
                run.task.cancel()

    async def _in_thread(self, function: LoadedFunction, arguments: dict[str, Any]) -> Any:
        within = contextvars.copy_context()
        call = functools.partial(within.run, function.call, **arguments)
        with self._lock:
            self._in_threads += 1
        future = self._threads.submit(call)
        future.add_done_callback(self._thread_ended)
        return await asyncio.wrap_future(future)

    def _thread_ended(self, _: "Future[Any]") -> None:
        with self._lock:
            self._in_threads -= 1

    def _say_late(self, function: LoadedFunction) -> None:
        others = self.running - 1
        self.console.error(
            f"{function.name} exceeded functionTimeout ({self.timeout_seconds:g} s) and was cancelled. "
            f"On Azure the worker process restarts now, and its other running calls ({others}) are lost with it."
        )
