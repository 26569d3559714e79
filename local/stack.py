"""The whole platform on one machine as one thing: `with LocalStack() as stack: stack.base_url`.

`make run` uses it on the usual ports; tests, demo, bench and chaos use it on free ports in a folder of its own.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from local.azurite import Azurite, AzuriteError, AzuritePorts
from local.run.child import Child, LineSink
from local.run.datafolder import DataFolder
from local.run.environment import DEFAULT_KEY, ROOT
from local.run.errors import ChildError, StackError, StartStoppedError
from local.run.guard import Guard
from local.run.ports import LOOPBACK, StackPorts
from local.run.probe import answers

_START_SECONDS = 60.0
_POLL_SECONDS = 0.02
_FREE_PORT_ATTEMPTS = 3
_DRAIN_SECONDS = 30.0
_MARGIN_SECONDS = 5.0
# In this order they end: the host finishes what it does while the other two still answer.
_HOST_RANK, _MAINFRAME_RANK, _AZURITE_RANK = 0, 1, 2

Part = TypeVar("Part")


def _never() -> bool:
    return False


@dataclass(kw_only=True)
class LocalStack:
    """Azurite, the mock mainframe and the Functions host, started together and ended in order.

    Without ports it takes free ones, without data a temporary folder that goes with it. `environment` goes to the
    host and to the mock on top of this process's own.
    """

    data: Path | None = None
    ports: StackPorts | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    function_key: str = DEFAULT_KEY
    app_dir: Path = ROOT
    host_command: tuple[str, ...] = (sys.executable, "-m", "local.host")
    storage_in_memory: bool = False
    sink: LineSink | None = None
    _folder: DataFolder | None = field(default=None, init=False, repr=False)
    _guard: Guard | None = field(default=None, init=False, repr=False)
    _azurite: Azurite | None = field(default=None, init=False, repr=False)
    _mainframe: Child | None = field(default=None, init=False, repr=False)
    _host: Child | None = field(default=None, init=False, repr=False)
    _chosen: StackPorts = field(default_factory=StackPorts, init=False, repr=False)

    @property
    def base_url(self) -> str:
        """Where the API is: `f"{base_url}/api/v1/customers"`."""
        return f"http://{LOOPBACK}:{self._chosen.app}"

    @property
    def control_url(self) -> str:
        """Where the mock mainframe is looked at and its faults are set."""
        return f"http://{LOOPBACK}:{self._chosen.control}"

    @property
    def mainframe_port(self) -> int:
        """Where the mock mainframe speaks its protocol."""
        return self._chosen.mainframe

    @property
    def connection_string(self) -> str:
        """The storage, written out with its ports."""
        return self._azurite_ports.connection_string

    @property
    def running_ports(self) -> StackPorts:
        """The ports in use."""
        return self._chosen

    @property
    def host(self) -> Child:
        """The host's process: its pid, and whether it runs."""
        return _there(self._host, "The host")

    @property
    def mainframe(self) -> Child:
        """The mock mainframe's process."""
        return _there(self._mainframe, "The mock mainframe")

    @property
    def azurite(self) -> Azurite:
        """The emulator."""
        return _there(self._azurite, "Azurite")

    @property
    def data_folder(self) -> Path:
        """Where the data is."""
        return _there(self._folder, "The data folder").path

    def start(self, *, stop_asked: Callable[[], bool] = _never) -> None:
        """Start everything and return when all of it serves; nothing is left behind when that fails.

        Raises:
            StackError: a sentence that says why not.
        """
        if self._folder is not None:
            raise StackError("This stack runs already.")
        for attempt in range(1, _FREE_PORT_ATTEMPTS + 1):
            self._chosen = self.ports or StackPorts.free()
            try:
                self._start_once(stop_asked)
            except ChildError:
                self.stop()
                # Somebody may have taken a free port between the choice and the listening: only then try others.
                if self.ports is not None or attempt == _FREE_PORT_ATTEMPTS or not self._somebody_took_a_port():
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End everything in order: the host drains, then the mock, then Azurite, which writes what it holds."""
        for child in (self._host, self._mainframe):
            if child is not None:
                self._end(child)
        if self._azurite is not None:
            pid = self._azurite.pid
            self._azurite.stop()
            if pid is not None:
                self._forget(pid)
        if self._guard is not None:
            self._guard.close()
        if self._folder is not None:
            self._folder.release()
            if self.data is None:
                shutil.rmtree(self._folder.path, ignore_errors=True)
        self._host = self._mainframe = self._azurite = self._guard = self._folder = None

    def hurry(self) -> None:
        """Kill the host and the mock at once; `stop()` still lets Azurite write. Safe in a signal handler."""
        for child in (self._host, self._mainframe):
            if child is not None:
                child.signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def kill_host(self) -> None:
        """End the host at once, as a power cut would (kill -9)."""
        self.host.kill()
        self._forget(self.host.pid)

    def pause_host(self) -> None:
        """Stop the host where it is (SIGSTOP)."""
        self.host.signal(signal.SIGSTOP)

    def resume_host(self) -> None:
        """Let a paused host go on."""
        self.host.signal(signal.SIGCONT)

    def drain_host(self) -> None:
        """Ask the host to finish what it does and end (SIGTERM), and wait until it has."""
        self._end(self.host)

    def start_host(self, environment: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        """Start the host that has ended, on the same port and data; more environment is kept for later starts."""
        host = self.host
        if environment:
            host.environment = dict(host.environment) | dict(environment)
        self._launch(host, _HOST_RANK)
        if wait:
            self.wait_until_host_serves()

    def restart_host(self, environment: Mapping[str, str] | None = None) -> None:
        """Drain the host and start it again."""
        self.drain_host()
        self.start_host(environment)

    def wait_until_host_serves(self) -> None:
        """Return when the host answers. Raises ChildError with its last words when it ends instead."""
        self._until(self.host, lambda: answers(self._chosen.app, "/admin/host/ping"), _never)

    def host_output(self) -> str:
        """Return everything the host printed so far, over all its starts (its last lines only, with a sink)."""
        host = self.host
        return host.said() if host.sink else host.log.read_text(encoding="utf-8", errors="replace")

    def ended(self) -> str | None:
        """Return a sentence about a process that ended by itself; None while all run."""
        for child in (self._host, self._mainframe):
            if child is not None and not child.running:
                return f"{child.name} ended by itself ({_how(child.exit_code)}).{_full(child.said())}"
        if self._azurite is not None and not self._azurite.running:
            said = self._azurite.said()
            return f"azurite ended by itself.{_full(said)}" + (f" It said:\n{said}" if said else "")
        return None

    def warning(self) -> str | None:
        """Return a sentence about what will go wrong if nobody acts; None while all is well."""
        return self._folder.warning() if self._folder is not None else None

    @property
    def _azurite_ports(self) -> AzuritePorts:
        return AzuritePorts(blob=self._chosen.blob, queue=self._chosen.queue, table=self._chosen.table)

    def _start_once(self, stop_asked: Callable[[], bool]) -> None:
        self._folder = DataFolder(self.data or Path(tempfile.mkdtemp(prefix="local-stack-")))
        lock = self._folder.claim()
        self._chosen.require_free()
        self._guard = Guard.start(holding=lock)
        self._azurite = Azurite(
            ports=self._azurite_ports, location=None if self.storage_in_memory else self._folder.storage
        )
        self._mainframe, self._host = self._mainframe_child(self._folder), self._host_child(self._folder)
        with ThreadPoolExecutor(1) as beside:
            azurite = beside.submit(self._azurite.start)
            self._launch(self._mainframe, _MAINFRAME_RANK)
            create_missing = _prepared()  # takes a second, which Azurite needs anyway

            self._await_azurite(azurite)
            if not stop_asked():
                beside.submit(asyncio.run, create_missing(self.connection_string)).result()
        self._until(self._mainframe, lambda: answers(self._chosen.control, "/stats"), stop_asked)
        self._launch(self._host, _HOST_RANK)
        self._until(self._host, lambda: answers(self._chosen.app, "/admin/host/ping"), stop_asked)

    def _mainframe_child(self, folder: DataFolder) -> Child:
        ports = ("--port", str(self._chosen.mainframe), "--control-port", str(self._chosen.control))
        return Child(
            name="mainframe",
            command=(sys.executable, "-m", "local.mainframe", *ports, "--data", str(folder.mainframe)),
            folder=ROOT,
            environment=self.environment,
            log=folder.path / "mainframe.log",
            sink=self.sink,
        )

    def _host_child(self, folder: DataFolder) -> Child:
        environment = {
            "LOCAL_HOST_DATA": str(folder.host),
            "LOCAL_FUNCTION_KEY": self.function_key,
            "AzureWebJobsStorage": self.connection_string,
            "DataStorage": self.connection_string,
            "MAINFRAME_HOST": LOOPBACK,
            "MAINFRAME_PORT": str(self._chosen.mainframe),
            "APP_PORT": str(self._chosen.app),
            **self.environment,
        }
        drain = environment.get("LOCAL_DRAIN_SECONDS") or os.environ.get("LOCAL_DRAIN_SECONDS") or ""
        return Child(
            name="app",
            command=(*self.host_command, "--app-dir", str(self.app_dir), "--port", str(self._chosen.app)),
            folder=ROOT,
            environment=environment,
            log=folder.path / "host.log",
            sink=self.sink,
            grace_seconds=(float(drain) if drain.isdecimal() else _DRAIN_SECONDS) + _MARGIN_SECONDS,
        )

    def _launch(self, child: Child, rank: int) -> None:
        child.start()
        self._watch(child.pid, rank, child.grace_seconds)

    def _end(self, child: Child) -> None:
        child.stop()
        if child.exit_code is not None:
            self._forget(child.pid)

    def _watch(self, pid: int, rank: int, grace_seconds: float) -> None:
        if self._guard is not None:
            self._guard.watch(pid, rank=rank, grace_seconds=grace_seconds)

    def _forget(self, pid: int) -> None:
        if self._guard is not None:
            self._guard.forget(pid)

    def _await_azurite(self, start: "Future[None]") -> None:
        """Wait until Azurite serves, and have it watched as soon as it has a process."""
        watched = None
        while True:
            done = start.done()
            pid = self.azurite.pid
            if pid is not None and pid != watched:
                watched = pid
                self._watch(pid, _AZURITE_RANK, _DRAIN_SECONDS)
            if done:
                break
            time.sleep(_POLL_SECONDS)
        try:
            start.result()
        except AzuriteError as error:
            raise ChildError(f"{error}{_full(str(error))}") from error

    def _until(self, child: Child, ready: Callable[[], bool], stop_asked: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if stop_asked():
                raise StartStoppedError("Stopped before everything ran.")
            if not child.running:
                child.wait()
                raise ChildError(f"{child.name} did not start ({_how(child.exit_code)}). It said:\n{child.said()}")
            if time.monotonic() > deadline:
                raise ChildError(f"{child.name} did not answer within {_START_SECONDS:g} s. It said:\n{child.said()}")
            time.sleep(_POLL_SECONDS)

    def _somebody_took_a_port(self) -> bool:
        try:
            self._chosen.require_free()
        except StackError:
            return True
        return False


def _prepared() -> Callable[[str], Coroutine[None, None, None]]:
    """Return what creates tables, queues and containers, with all that it needs imported."""
    from lib.messaging.catalogue import ALL_QUEUES
    from lib.storage.azure import AzureStorage, ConnectionString
    from lib.wiring import ALL_CONTAINERS, ALL_TABLES

    import_module("azure.storage.blob.aio")  # the slowest of it, else imported at its first use

    async def create_missing(connection_string: str) -> None:
        storage = AzureStorage(ConnectionString.parse(connection_string))
        try:
            await storage.create_missing(tables=ALL_TABLES, queues=ALL_QUEUES, containers=ALL_CONTAINERS)
        finally:
            await storage.close()

    return create_missing


def _there(part: Part | None, name: str) -> Part:
    if part is None:
        raise StackError(f"{name} is not there before the start and after the end.")
    return part


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _full(said: str) -> str:
    return " The disk is full: make room." if "ENOSPC" in said or "No space left on device" in said else ""
