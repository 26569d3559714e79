"""The host's life: assemble, serve, and end without losing what is under way."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from local.host.admin import Admin
from local.host.byhand import ByHand
from local.host.console import Console
from local.host.errors import HostError
from local.host.hostjson import HostJson
from local.host.http import HttpFront
from local.host.invoke import Invoker
from local.host.keys import Keys
from local.host.loading import LoadedApp, LoadedFunction
from local.host.queues.listeners import QueueListeners
from local.host.routes.router import build_router
from local.host.settings import HostSettings
from local.host.timers.listeners import TimerListeners
from local.host.wire import HostProtocol

_LOOPBACK = "127.0.0.1"
# As long as Kestrel keeps an idle connection: shorter, and a client's next request may meet a closing socket.
_KEEP_ALIVE_SECONDS = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the host decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass
class FunctionsHost:
    """One local Functions host: `await FunctionsHost(...).run(listening_socket)`."""

    settings: HostSettings
    host_json: HostJson
    app: LoadedApp
    console: Console
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    async def run(self, sock: socket.socket) -> int:
        """Serve until a signal asks to stop, then drain: no new work, running work to its end, within the limit.

        Returns how many threads still run a function that could not be cancelled.
        """
        keys = Keys(self.settings.function_key, self.settings.master_key)
        invoker = Invoker(self.console, self.host_json.function_timeout_seconds, self.settings.thread_count)
        router = build_router(self.app, self.host_json.route_prefix)
        queues = QueueListeners(self.app, self.host_json.queues, self.settings, invoker, self.console)
        timers = TimerListeners(self.app, self.settings, invoker, self.console)
        queues.prepare()
        timers.prepare()
        by_hand = ByHand(invoker, timers, self.console)
        admin = Admin(self.app, keys, by_hand.start, self.host_json.route_prefix)
        front = HttpFront(
            router=router,
            keys=keys,
            invoker=invoker,
            console=self.console,
            admin=admin,
            body_limit_bytes=self.settings.body_limit_bytes,
            homepage_disabled=self.settings.homepage_disabled,
            app_name=self.settings.app_dir.name,
        )
        server = _Server(self._server_config(front))
        self._say_start(sock)
        self._catch_signals()
        queues.start()
        timers.start()
        serving = asyncio.create_task(server.serve(sockets=[sock]), name="http")
        admin.state = "Running"
        await self._until_stopped(serving)
        admin.state = "Stopping"
        self.console.info(f"stopping: {invoker.running} calls are running")
        server.should_exit = True
        await self._drain(serving, queues.drain(), timers.drain(), by_hand.drain())
        await queues.close()
        self.console.info("stopped")
        return invoker.close()

    def stop(self) -> None:
        """Begin the drain."""
        self._stopping.set()

    async def _until_stopped(self, serving: asyncio.Task[None]) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if serving.done():
            serving.result()

    async def _drain(self, serving: asyncio.Task[None], *parts: Coroutine[Any, Any, None]) -> None:
        waiting = {serving, *(asyncio.create_task(part) for part in parts)}
        done, late = await asyncio.wait(waiting, timeout=self.settings.drain_seconds)
        for task in late:
            task.cancel()
        if late:
            self.console.warning(
                f"the drain took longer than {self.settings.drain_seconds:g} s and was ended; "
                "messages that were running come back when their lease ends"
            )
            await asyncio.wait(late, timeout=1)
        for task in done:
            task.result()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        if self._stopping.is_set():
            self.console.warning("second signal: ending at once")
            self.console.flush()
            os._exit(128 + number)
        self.console.info(f"{signal.Signals(number).name}: draining (a second signal ends at once)")
        self.console.flush()
        self.stop()

    def _server_config(self, front: HttpFront) -> uvicorn.Config:
        return uvicorn.Config(
            front,
            http=HostProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, int(self.settings.drain_seconds)),
        )

    def _say_start(self, sock: socket.socket) -> None:
        for name, reason in self.app.errors.items():
            self.console.warning(f"function {name} is not served: {reason}")
        for function in self.app.functions:
            self.console.debug(f"serving {function.name}: {describe(function, self.host_json.route_prefix)}")
        kinds = [function.kind for function in self.app.functions]
        self.console.info(
            f"{len(kinds)} functions: {kinds.count('http')} http, {kinds.count('queue')} queue, "
            f"{kinds.count('timer')} timer"
        )
        self.console.always(f"listening on http://{_LOOPBACK}:{sock.getsockname()[1]}")


def describe(function: LoadedFunction, route_prefix: str) -> str:
    """Return what sets the function off, in a few words."""
    trigger = function.trigger
    if function.kind == "queue":
        return f"queue {trigger.get('queueName')}"
    if function.kind == "timer":
        return f"timer {trigger.get('schedule')}"
    methods = ",".join(str(method) for method in trigger.get("methods") or ("any method",))
    route = trigger.get("route") or function.name
    return f"{methods} /{route_prefix}/{route} ({str(trigger.get('authLevel', 'function')).lower()})"


def bind_port(port: int) -> socket.socket:
    """Take the port before anything is loaded. Raises HostError when somebody else has it."""
    # The protocol by name: asyncio switches Nagle's algorithm off only for sockets that say TCP, and with it on every
    # answer of two packets waits 40 ms for the caller's acknowledgement.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((_LOOPBACK, port))
    except OSError as error:
        sock.close()
        raise HostError(f"Port {port} cannot be used: {error.strerror}. Set APP_PORT or --port.") from error
    return sock
