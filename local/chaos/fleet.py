"""What is put to the test: Azurite, a fault proxy before it, the mock mainframe, and one or two Functions hosts."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from local.azurite import AzuritePorts
from local.chaos.nursery import HostProcess, Nursery
from local.chaos.trap import FOLDER_VARIABLE, TrapDoor
from local.run.child import Child
from local.run.environment import DEFAULT_KEY, ROOT
from local.run.errors import ChildError
from local.run.guard import Guard
from local.run.ports import LOOPBACK, StackPorts
from local.run.probe import answers
from local.stack import LocalStack

# Every wait is scaled down so that hours pass in minutes; which is longer than which stays. Printed by each run.
SCALED: Final[Mapping[str, str]] = {
    "LOCAL_QUEUE_LEASE_SECONDS": "3",
    "LOCAL_DRAIN_SECONDS": "5",
    "WAKE_UP_DELAY_SECONDS": "0.3",
    "COMMIT_WINDOW_SECONDS": "5",
    "MAINFRAME_CONNECT_TIMEOUT_SECONDS": "0.5",
    "MAINFRAME_CALL_TIMEOUT_SECONDS": "1",
    "DELIVERY_RETRY_BASE_SECONDS": "0.2",
    "DELIVERY_RETRY_CAP_SECONDS": "3",
    "BREAKER_OPEN_SECONDS": "1",
    "WAKE_RATE_PER_SECOND": "40",
    "MAINFRAME_LATENCY_MS": "uniform:2:20",
    "PLATFORM_SECRET": "chaos",
    "LOG": "warning",
}
APP_FOLDER: Final = Path(__file__).parent / "app"
_SERVE_SECONDS = 60.0
_LOOK_SECONDS = 0.03
_GRACE_SECONDS = 12.0
_HOST_RANK, _PROXY_RANK = 0, 1


@dataclass
class Host:
    """One Functions host, and how it is brought down and back."""

    name: str
    child: HostProcess
    port: int
    door: TrapDoor
    guard: Guard
    starts: int = 0

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start it and return when it serves. Raises ChildError with its last words when it does not."""
        await asyncio.to_thread(self.child.start)
        self.guard.watch(self.child.pid, rank=_HOST_RANK, grace_seconds=_GRACE_SECONDS)
        self.starts += 1
        deadline = time.monotonic() + _SERVE_SECONDS
        while not await asyncio.to_thread(answers, self.port, "/admin/host/ping"):
            if not self.child.running or time.monotonic() > deadline:
                raise ChildError(f"{self.name} does not serve. It said:\n{self.child.said()}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def ended(self, *, within_seconds: float = 20.0) -> None:
        """Return when its process is gone. Raises ChildError when it is not in time."""
        deadline = time.monotonic() + within_seconds
        while self.child.running:
            if time.monotonic() > deadline:
                raise ChildError(f"{self.name} did not end.")
            await asyncio.sleep(_LOOK_SECONDS)
        self.guard.forget(self.child.pid)

    async def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.child.signal(signal.SIGKILL)
        await self.ended()

    async def drain(self) -> None:
        """Ask it to end (SIGTERM), and wait until it has; it is killed when it takes too long."""
        await asyncio.to_thread(self.child.stop)
        self.guard.forget(self.child.pid)

    def pause(self) -> None:
        """Stop it where it is (SIGSTOP)."""
        self.child.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self.child.signal(signal.SIGCONT)

    def said(self) -> str:
        """Return everything it printed, over all its starts."""
        return self.child.log.read_text(encoding="utf-8", errors="replace") if self.child.log.exists() else ""


@dataclass
class Fleet:
    """`async with Fleet(hosts=2, proxied=True) as fleet:`; everything is on free ports and in a temporary folder."""

    hosts_wanted: int = 2
    proxied: bool = True
    seed: int = 0
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    function_key: str = DEFAULT_KEY
    hosts: list[Host] = field(default_factory=list[Host], init=False)
    proxy_control: str = field(default="", init=False)
    _stack: LocalStack = field(init=False, repr=False)
    _guard: Guard = field(init=False, repr=False)
    _proxy: Child | None = field(default=None, init=False, repr=False)
    _nursery: Nursery | None = field(default=None, init=False, repr=False)
    _folder: "tempfile.TemporaryDirectory[str]" = field(init=False, repr=False)

    @property
    def connection_string(self) -> str:
        """The storage itself, past the proxy."""
        return self._stack.connection_string

    @property
    def control_url(self) -> str:
        """Where the mock mainframe is looked at and its faults are set."""
        return self._stack.control_url

    @property
    def settings(self) -> Mapping[str, str]:
        """What hosts and mock run with."""
        return {**SCALED, **self.environment}

    @property
    def patience_seconds(self) -> float:
        """How long a lost step can wait to be taken again: a queue lease, a delivery lease, a commit window."""
        wanted = self.settings
        call = float(wanted["MAINFRAME_CONNECT_TIMEOUT_SECONDS"]) + float(wanted["MAINFRAME_CALL_TIMEOUT_SECONDS"])
        return float(wanted["LOCAL_QUEUE_LEASE_SECONDS"]) + call + 5.0 + float(wanted["COMMIT_WINDOW_SECONDS"])

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chaos-")
        folder = Path(self._folder.name)
        lock = os.open(folder, os.O_RDONLY)
        try:
            self._guard = Guard.start(holding=lock)
        finally:
            os.close(lock)
        try:
            await self._start(folder)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(asyncio.to_thread(host.child.stop) for host in self.hosts))
        if hasattr(self, "_stack"):
            await asyncio.to_thread(self._stack.stop)
        if self._proxy is not None:
            await asyncio.to_thread(self._proxy.stop)
        if self._nursery is not None:
            await asyncio.to_thread(self._nursery.close)
        await asyncio.to_thread(self._guard.close)
        self._folder.cleanup()

    def ended(self) -> Sequence[str]:
        """Return the names of hosts that do not run."""
        return [host.name for host in self.hosts if not host.child.running]

    def keep_logs(self) -> Path:
        """Copy what the hosts printed to where it can be read after the run."""
        kept = ROOT / ".local" / "chaos"
        kept.mkdir(parents=True, exist_ok=True)
        for host in self.hosts:
            (kept / f"{host.name}.log").write_text(host.said(), encoding="utf-8")
        return kept

    async def _start(self, folder: Path) -> None:
        ports = StackPorts.free()
        environment = dict(self.settings) | {FOLDER_VARIABLE: str(folder / "traps-0")}
        if self.proxied:
            said = await self._start_proxy(folder, ports)
            environment |= dict.fromkeys(("DataStorage", "AzureWebJobsStorage"), said["connectionString"])
            self.proxy_control = said["control"]
        self._stack = LocalStack(
            ports=ports,
            environment=environment,
            function_key=self.function_key,
            app_dir=APP_FOLDER,
            storage_in_memory=True,
        )
        self._nursery = await asyncio.to_thread(Nursery)
        self._guard.watch(self._nursery.pid, rank=_PROXY_RANK, grace_seconds=_GRACE_SECONDS)
        await asyncio.to_thread(self._stack.start)
        # The stack's own host has shown that all of it serves; those that are put to the test can start faster.
        await asyncio.to_thread(self._stack.kill_host)
        for number in range(1, self.hosts_wanted + 1):
            self.hosts.append(self._host(number, folder, self._nursery))
        await asyncio.gather(*(host.start() for host in self.hosts))

    def _host(self, number: int, folder: Path, nursery: Nursery) -> Host:
        pattern = self._stack.host
        port = self._stack.running_ports.app if number == 1 else StackPorts.free().app
        traps = folder / f"traps-{number}"
        more = {"APP_PORT": str(port), "LOCAL_HOST_DATA": str(folder / f"host-{number}"), FOLDER_VARIABLE: str(traps)}
        process = HostProcess(
            name=f"host-{number}",
            nursery=nursery,
            arguments=("--app-dir", str(APP_FOLDER), "--port", str(port)),
            environment={**pattern.environment, **more},
            log=folder / f"host-{number}.log",
            grace_seconds=_GRACE_SECONDS,
        )
        return Host(process.name, process, port, TrapDoor(traps), self._guard)

    async def _start_proxy(self, folder: Path, ports: StackPorts) -> dict[str, Any]:
        azurite = AzuritePorts(blob=ports.blob, queue=ports.queue, table=ports.table)
        self._proxy = Child(
            name="proxy",
            command=(
                sys.executable,
                "-m",
                "local.faults.control",
                azurite.connection_string,
                "--seed",
                str(self.seed),
            ),
            folder=ROOT,
            environment={},
            log=folder / "proxy.log",
        )
        await asyncio.to_thread(self._proxy.start)
        self._guard.watch(self._proxy.pid, rank=_PROXY_RANK, grace_seconds=_GRACE_SECONDS)
        deadline = time.monotonic() + _SERVE_SECONDS
        while not (said := self._proxy.said()).endswith("}"):
            if not self._proxy.running or time.monotonic() > deadline:
                raise ChildError(f"The fault proxy does not serve. It said:\n{said}")
            await asyncio.sleep(_LOOK_SECONDS)
        return json.loads(said.splitlines()[0])
