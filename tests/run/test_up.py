import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.run.guard import is_alive
from local.run.ports import StackPorts
from tests.run.asking import ask

ROOT = Path(__file__).parents[2]
VARIABLES = {
    "APP_PORT": "app",
    "AZURITE_BLOB_PORT": "blob",
    "AZURITE_QUEUE_PORT": "queue",
    "AZURITE_TABLE_PORT": "table",
    "MAINFRAME_PORT": "mainframe",
    "MAINFRAME_CONTROL_PORT": "control",
}


class Copy:
    """One `make run`, without make."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.port = int(environment["APP_PORT"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def until(self, words: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if words in line:
                return
        pytest.fail(f"it ended without saying {words!r}:\n" + "\n".join(self.lines))

    def end(self) -> int:
        """Wait until it has ended, and take its last lines."""
        self.lines += self.process.communicate(timeout=60)[0].splitlines()
        return self.process.returncode

    def children(self) -> list[int]:
        return [pid for pid, parent in processes() if parent == self.process.pid]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        return ask(self.port, method, path, body)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Free ports, and a data folder of its own."""
    ports = StackPorts.free()
    inherited = dict(os.environ)  # noqa: TID251 - a child process inherits it
    chosen = {variable: str(getattr(ports, name)) for variable, name in VARIABLES.items()}
    inherited.pop("MAKELEVEL", None)
    return inherited | chosen | {"LOCAL_DATA": str(tmp_path / "data")}


@pytest.fixture
def copy(environment: dict[str, str]) -> Iterator[Copy]:
    running = Copy(environment)
    yield running
    running.process.kill()
    running.end()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds children in /proc")
class TestServe:
    def test_ends_every_child_on_ctrl_c_and_loses_nothing(self, copy: Copy, environment: dict[str, str]) -> None:
        copy.until("Ctrl-C stops it")
        status, created = copy.ask("POST", "/api/v1/customers", {"lastName": "Lovelace", "email": "ada@example.com"})
        assert status == 201
        children = copy.children()
        assert len(children) == 4  # Azurite, the mainframe, the host and the guard

        copy.process.send_signal(signal.SIGINT)

        assert copy.end() == 0
        assert copy.lines[-1] == "Everything has stopped; the data is kept."
        assert not [pid for pid in children if is_alive(pid)]
        stops = [line.split()[0] for line in copy.lines if line.endswith(" stopped")]
        assert stops == ["app", "mainframe"]
        again = Copy(environment)
        again.until("Ctrl-C stops it")
        assert again.ask("GET", f"/api/v1/customers/{created['id']}") == (200, created)
        again.process.terminate()
        assert again.end() == 0

    def test_takes_everything_down_when_a_child_dies(self, copy: Copy, environment: dict[str, str]) -> None:
        copy.until("Ctrl-C stops it")
        second = Copy(environment)
        assert second.end() == 1
        assert "\n".join(second.lines) == (
            f"Another copy already runs on {environment['LOCAL_DATA']} (process {copy.process.pid}): "
            "stop it, or give this one its own LOCAL_DATA and ports."
        )
        children = copy.children()
        [host] = [pid for pid in children if "local.host" in command_of(pid)]

        os.kill(host, signal.SIGKILL)

        assert copy.end() == 1
        assert "app ended by itself (killed by SIGKILL). Everything else is being stopped." in copy.lines
        assert not [pid for pid in children if is_alive(pid)]

    def test_leaves_no_child_behind_when_it_is_killed(self, copy: Copy) -> None:
        copy.until("Ctrl-C stops it")
        children = copy.children()

        copy.process.kill()

        until_gone(children)

    def test_can_be_stopped_while_it_starts(self, copy: Copy) -> None:
        copy.until("mainframe listening")
        children = copy.children()

        copy.process.send_signal(signal.SIGINT)

        assert copy.end() == 0
        assert copy.lines[-1] == "Stopped before everything ran; nothing is left running."
        assert not [pid for pid in children if is_alive(pid)]


class TestRefuse:
    def test_names_the_busy_port_in_one_sentence(self, environment: dict[str, str]) -> None:
        with socket.create_server(("127.0.0.1", int(environment["MAINFRAME_PORT"]))):
            copy = Copy(environment)

            assert copy.end() == 1

        assert "\n".join(copy.lines) == (
            f"Port {environment['MAINFRAME_PORT']} for the mock mainframe is in use (MAINFRAME_PORT moves it): "
            "stop what uses it, or choose another."
        )

    def test_names_the_variable_that_is_no_port(self, environment: dict[str, str]) -> None:
        copy = Copy(environment | {"AZURITE_BLOB_PORT": "many"})

        assert copy.end() == 1
        assert copy.lines == ["AZURITE_BLOB_PORT must be a port from 1 to 65535, not 'many'."]


def processes() -> Iterator[tuple[int, int]]:
    """Every process with its parent."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                yield int(folder.name), int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"still alive: {[command_of(pid) for pid in left]}"
        time.sleep(0.02)
