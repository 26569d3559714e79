import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.setup import bootstrap

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "local" / "setup" / "bootstrap.py"


def interpreter(folder: Path, name: str, version: str) -> str:
    """A command that says it is a Python of some version."""
    command = folder / name
    command.write_text(f"#!/bin/sh\necho {version}\n")
    command.chmod(0o755)
    return str(command)


class TestFind:
    def test_takes_the_first_that_fits(self, tmp_path: Path) -> None:
        old, new = interpreter(tmp_path, "old", "3.9.18"), interpreter(tmp_path, "new", "3.12.1")

        assert bootstrap.find(("no-such-python", old, new, sys.executable)) == (new, None)

    def test_passes_over_one_that_does_not_run(self, tmp_path: Path) -> None:
        shim = tmp_path / "python3.13"
        shim.write_text("#!/bin/sh\necho not installed here >&2\nexit 127\n")
        shim.chmod(0o755)

        assert bootstrap.find((str(shim), sys.executable)) == (sys.executable, None)

    def test_says_what_was_found_instead(self, tmp_path: Path) -> None:
        command, instead = bootstrap.find(
            (interpreter(tmp_path, "python3", "3.10.4"), interpreter(tmp_path, "python", "2.7.18"))
        )

        assert command is None
        assert instead == f"{tmp_path}/python3 3.10.4, {tmp_path}/python 2.7.18"


class TestMain:
    def test_names_the_version_needed_and_the_one_found(self) -> None:
        said = run_with(needed=(9, 9), candidates=("no-such-python",))

        version = ".".join(map(str, sys.version_info[:3]))
        assert said.returncode == 1
        assert said.stderr == (
            f"Python 9.9 or newer is needed; found: {sys.executable} {version}. "
            "Install one, or name yours: make run PYTHON=/path/to/python\n"
        )

    def test_can_be_read_by_the_pythons_it_turns_away(self) -> None:
        source = SOURCE.read_text(encoding="utf-8")

        tree = ast.parse(source, feature_version=(3, 4))  # the oldest that ast knows: no f-strings, no annotations

        assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign)]
        assert source.isascii()

    @pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
    def test_says_it_when_run_by_an_old_python(self, version: str, tmp_path: Path) -> None:
        found = shutil.which(f"python{version}")
        asked = ask(found, "-c", "import sys; print(sys.executable)") if found else None
        if asked is None or asked.returncode != 0:
            pytest.skip(f"no Python {version} here")

        # Its real place, as a chooser of versions may stand before it; and nothing else to be found.
        said = ask(asked.stdout.strip(), "-B", str(SOURCE), "local", PATH=str(tmp_path))

        assert said.returncode == 1
        assert said.stderr.startswith("Python 3.11 or newer is needed; found: ")
        assert said.stderr.count("\n") == 1


class TestMake:
    def test_says_when_there_is_no_python_at_all(self, tmp_path: Path) -> None:
        make = shutil.which("make")
        assert make is not None
        (tmp_path / "sh").symlink_to("/bin/sh")

        said = subprocess.run(
            [make, "-C", ROOT, "run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
        )

        assert said.returncode != 0
        assert said.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and no Python was found."

    def test_lists_its_commands_when_asked_for_nothing(self) -> None:
        said = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True, env=clean()).stdout

        for habit in (
            "run",
            "test",
            "bench",
            "chaos",
            "fuzz",
            "check",
            "fmt",
            "openapi",
            "demo",
            "lock",
            "clean",
            "help",
        ):
            assert f"make {habit} " in said


def clean() -> dict[str, str]:
    """This environment without what an outer make tells an inner one."""
    inherited = dict(os.environ)  # noqa: TID251 - a child process inherits it
    return {name: value for name, value in inherited.items() if not name.startswith(("MAKE", "MFLAGS"))}


def run_with(*, needed: tuple[int, int], candidates: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys, local.setup.bootstrap as b\n"
        f"b.NEEDED, b.CANDIDATES = {needed!r}, {candidates!r}\n"
        "sys.exit(b.main(['local']))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def ask(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment or None, capture_output=True, text=True, check=False)
