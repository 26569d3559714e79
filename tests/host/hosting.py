"""Starts the local host as people do, in its own process, and talks to it."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[2]
MASTER = {"x-functions-key": "local-master-key"}
KEY = {"x-functions-key": "local-key"}
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass
class RunningHost:
    process: "subprocess.Popen[bytes]"
    log_path: Path
    app_dir: Path
    port: int = 0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def call(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        chunked: bool = False,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body=body, headers=dict(headers or {}), encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("GET", target, headers=headers)

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    def wait_for_log(self, text: str, seconds: float = 15.0) -> str:
        return wait_until(lambda: self.log() if text in self.log() else None, f"the log to say {text!r}", seconds)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


@contextlib.contextmanager
def running(app_dir: Path, **environment: str) -> Iterator[RunningHost]:
    """Serve the app folder on a free port until the block ends."""
    host = launch(app_dir, **environment)
    try:
        text = wait_until(lambda: _port_line(host), "the host to listen", _START_SECONDS)
        host.port = int(text)
        wait_until(lambda: _answers(host), "the host to answer", _START_SECONDS)
        yield host
    finally:
        if host.process.poll() is None:
            host.process.kill()
        host.process.wait()


def launch(app_dir: Path, **environment: str) -> RunningHost:
    """Start the process and return at once."""
    log_path = app_dir.parent / f"{app_dir.name}-{time.monotonic_ns()}.log"
    settings = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - what a started process inherits
        if not name.startswith(("LOCAL_", "APP_PORT", "LOG", "AzureWebJobs", "PYTHON_"))
    }
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.host", "--app-dir", str(app_dir), "--port", "0"],
            cwd=ROOT,
            env={**settings, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    return RunningHost(process, log_path, app_dir)


def copied(name: str, into: Path) -> Path:
    """Return a copy of a test app that may be written to."""
    return Path(shutil.copytree(APPS / name, into / name, ignore=shutil.ignore_patterns("__pycache__")))


def written(into: Path, source: str, host_json: str = '{"version": "2.0"}') -> Path:
    """Return an app folder with this source."""
    into.mkdir(parents=True, exist_ok=True)
    (into / "function_app.py").write_text(source, encoding="utf-8")
    (into / "host.json").write_text(host_json, encoding="utf-8")
    return into


def wait_until(look: Any, what: str, seconds: float = 15.0) -> Any:
    """Look again and again until there is something; fail with what was awaited."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def _port_line(host: RunningHost) -> str | None:
    if host.process.poll() is not None:
        raise AssertionError(f"the host ended with {host.process.returncode}:\n{host.log()}")
    found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", host.log())
    return found[1] if found else None


def _answers(host: RunningHost) -> bool:
    with contextlib.suppress(OSError):
        return host.get("/admin/host/ping").status == 200
    return False
