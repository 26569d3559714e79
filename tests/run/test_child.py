import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.run.child import Child
from local.run.errors import ChildError
from local.run.guard import is_alive

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
GENTLE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def started(tmp_path: Path, lines: list[str]) -> Iterator["Starter"]:
    starter = Starter(tmp_path, lines)
    yield starter
    for child in starter.children:
        if child.running:
            child.kill()


class Starter:
    def __init__(self, folder: Path, lines: list[str]) -> None:
        self.folder, self.lines = folder, lines
        self.children: list[Child] = []

    def __call__(self, code: str, *, to_file: bool = False, grace_seconds: float = 10) -> Child:
        child = Child(
            name="child",
            command=(sys.executable, "-c", code),
            folder=self.folder,
            environment={"GREETING": "hello"},
            log=self.folder / "child.log",
            sink=None if to_file else lambda name, line: self.lines.append(f"{name}: {line}"),
            grace_seconds=grace_seconds,
        )
        self.children.append(child)
        child.start()
        return child

    def until_up(self, child: Child) -> None:
        while "up" not in child.said():
            assert child.running
            time.sleep(0.01)


class TestStart:
    def test_hands_every_line_to_the_sink(self, started: Starter, lines: list[str]) -> None:
        child = started("import os, sys; print(os.environ['GREETING']); print('no newline', end='', file=sys.stderr)")

        child.wait()

        assert lines == ["child: hello", "child: no newline"]

    def test_appends_to_the_log_at_every_start(self, started: Starter) -> None:
        child = started("print('line')", to_file=True)
        child.wait()

        child.start()
        child.wait()

        assert child.log.read_text() == "line\nline\n"

    def test_refuses_while_it_runs(self, started: Starter) -> None:
        child = started(GENTLE)

        with pytest.raises(ChildError, match="runs already"):
            child.start()

    def test_says_what_cannot_be_started(self, tmp_path: Path) -> None:
        child = Child(
            name="child", command=("no-such-program",), folder=tmp_path, environment={}, log=tmp_path / "child.log"
        )

        with pytest.raises(ChildError, match="child cannot be started: No such file"):
            child.start()


class TestStop:
    def test_lets_it_end_by_itself(self, started: Starter, lines: list[str]) -> None:
        child = started(GENTLE)
        started.until_up(child)

        gently = child.stop()

        assert gently
        assert child.exit_code == 0
        assert lines == ["child: up", "child: bye"]

    def test_kills_it_when_the_grace_is_over(self, started: Starter) -> None:
        child = started(STUBBORN, grace_seconds=0.2)
        started.until_up(child)

        gently = child.stop()

        assert not gently
        assert child.exit_code == -signal.SIGKILL
        assert not is_alive(child.pid)

    def test_is_heard_by_one_that_is_paused(self, started: Starter) -> None:
        child = started(GENTLE)
        started.until_up(child)
        child.signal(signal.SIGSTOP)

        assert child.stop()

    def test_of_one_that_has_ended_changes_nothing(self, started: Starter) -> None:
        child = started("raise SystemExit(3)")
        child.wait()

        assert child.stop()
        assert child.exit_code == 3
