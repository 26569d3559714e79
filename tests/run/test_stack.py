import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.run.errors import ChildError, StackError
from local.run.guard import is_alive
from local.stack import LocalStack
from tests.run.asking import ask

ROOT = Path(__file__).parents[2]
# Shorter waits than in operation; what is waited for is the same.
BRISK = {"WAKE_UP_DELAY_SECONDS": "0.2", "DELIVERY_RETRY_BASE_SECONDS": "0.5", "MAINFRAME_LATENCY_MS": "5"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(environment=BRISK, function_key="stack-key") as running:
        yield running


class TestStart:
    def test_serves_the_whole_story(self, stack: LocalStack) -> None:
        ports = stack.running_ports
        environment = {
            "APP_PORT": str(ports.app),
            "MAINFRAME_CONTROL_PORT": str(ports.control),
            "LOCAL_FUNCTION_KEY": stack.function_key,
        }

        told = subprocess.run(
            [sys.executable, "-m", "local.demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

        assert told.returncode == 0, f"{told.stdout[-2000:]}\n{told.stderr}\n{stack.host_output()[-2000:]}"
        assert told.stdout.splitlines()[-1].startswith("All 32 steps as promised")

    def test_refuses_to_start_twice(self, stack: LocalStack) -> None:
        with pytest.raises(StackError, match="runs already"):
            stack.start()

    def test_leaves_nothing_behind_when_the_app_cannot_be_loaded(self, tmp_path: Path) -> None:
        (tmp_path / "host.json").write_text('{"version": "2.0"}')
        (tmp_path / "function_app.py").write_text("raise RuntimeError('no app today')")
        failing = LocalStack(app_dir=tmp_path, storage_in_memory=True)

        with pytest.raises(ChildError, match=r"app did not start \(exit code 2\)(?s:.)*no app today"):
            failing.start()

        failing.running_ports.require_free()


class TestKillHost:
    def test_ends_it_at_once_and_another_takes_over_what_is_kept(self, stack: LocalStack) -> None:
        customer = create(stack)
        pid = stack.host.pid

        stack.kill_host()
        stack.start_host()

        assert not is_alive(pid)
        assert stack.host.pid != pid
        assert get(stack, customer)["lastName"] == "Lovelace"


class TestPauseHost:
    def test_stops_it_where_it_is_until_it_is_resumed(self, stack: LocalStack) -> None:
        customer = create(stack)

        stack.pause_host()
        with pytest.raises(TimeoutError):
            get(stack, customer, timeout_seconds=0.3)
        stack.resume_host()

        assert get(stack, customer)["lastName"] == "Lovelace"


class TestRestartHost:
    def test_drains_it_and_starts_it_with_more_environment(self, stack: LocalStack) -> None:
        before = len(stack.host_output())

        stack.restart_host({"LOG": "debug"})

        said = stack.host_output()[before:]
        assert "SIGTERM: draining" in said
        assert "listening on" in said


class TestEnded:
    def test_says_nothing_while_all_run(self, stack: LocalStack) -> None:
        assert stack.ended() is None


def create(stack: LocalStack) -> str:
    status, created = ask(
        stack.running_ports.app, "POST", "/api/v1/customers", {"lastName": "Lovelace", "email": "a@b.eu"}
    )
    assert status == 201
    return created["id"]


def get(stack: LocalStack, customer: str, timeout_seconds: float = 20) -> dict[str, Any]:
    status, found = ask(
        stack.running_ports.app, "GET", f"/api/v1/customers/{customer}", timeout_seconds=timeout_seconds
    )
    assert status == 200
    return found
