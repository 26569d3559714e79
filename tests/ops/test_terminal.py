"""What a person at a terminal gets, and nobody else: colour, a bar, a question. And `./ops` itself."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from local.ops.screen import printable, seconds
from tests.ops.conftest import Ops, Rejected

ROOT = Path(__file__).parents[2]


def at_a_terminal(ops: Ops, *arguments: str, answer: bytes = b"") -> tuple[int, str]:
    """Give a command at a terminal, and return how it ended and what was seen there."""
    ours, theirs = pty.openpty()
    inherited = dict(os.environ)  # noqa: TID251 - a child process inherits it
    process = subprocess.Popen(
        [sys.executable, "-m", "local.ops", *arguments],
        cwd=ROOT,
        env={**inherited, **ops.environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, answer)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(timeout=30), seen.decode()


class TestTerminal:
    def test_is_asked_and_shown_a_bar_in_colour(self, ops: Ops, rejected: Rejected) -> None:
        failure_id = rejected.take()
        words = (failure_id, "--reason", "r", "--ticket", "t", "--canary", "0")

        refused, _ = at_a_terminal(ops, "replay", "start", *words, answer=b"n\n")
        left = ops("failures", "show", failure_id, "--json").document
        agreed, seen = at_a_terminal(ops, "replay", "start", *words, "--watch", answer=b"y\n")

        assert (refused, agreed) == (1, 0)
        assert (left["state"], left["replays"]) == ("open", 0)
        assert "Send 1 again? [y/N]" in seen
        assert "would be sent" in seen
        assert "1 of 1, 0 failed again, 0 wait" in seen
        assert "━" in seen
        assert "\x1b[32mcompleted" in seen

    def test_alone_gets_colour(self, ops: Ops) -> None:
        assert "\x1b[" in at_a_terminal(ops, "mainframe", "status")[1]
        assert "\x1b" not in ops("mainframe", "status").out


class TestPrintable:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\x1b[31mb", "a\\x1b[31mb"),
            ("a\nb\r", "a\\x0ab\\x0d"),
            ("[red]ü[/red]", "[red]ü[/red]"),
            ("\u202e", "\\x202e"),
        ],
    )
    def test_lets_nothing_command_the_terminal(self, text: str, shown: str) -> None:
        assert printable(text) == shown


class TestSeconds:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7260, "2 h 1 min"), (None, "")],
    )
    def test_says_it_as_people_do(self, value: float | None, shown: str) -> None:
        assert seconds(value) == shown


class TestOps:
    def test_runs_from_any_folder_and_passes_its_exit_code_on(self, ops: Ops, tmp_path: Path) -> None:
        inherited = dict(os.environ)  # noqa: TID251 - a child process inherits it
        environment = {**inherited, **ops.environment, "OPS_KEY": "wrong"}

        done = subprocess.run(
            [ROOT / "ops", "status", "--json"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, done.stdout) == (3, "")
        assert "refused the key" in done.stderr
