import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.setup import errors
from local.setup.errors import DiskFullError, SetupError, ToolError, UnreachableError, explained
from local.setup.packages import require_modules, require_space
from local.setup.plan import Plan

ROOT = Path(__file__).parents[2]
MB = 1_000_000


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that needs no packages at all."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "local" / "setup", root / "local" / "setup", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "local" / "__init__.py", root / "local")
    for name in ("local", "dev"):
        (root / f"requirements-{name}.txt").touch()
    return root


@pytest.fixture
def installed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as it looks when everything was installed."""
    monkeypatch.delenv("AZURITE_HOME", raising=False)
    plan = Plan(checkout, "dev")
    plan.python.parent.mkdir(parents=True)
    plan.python.touch()
    plan.azurite_script.parent.mkdir(parents=True)
    plan.azurite_script.touch()
    plan.stamp.note(venv=str(plan.venv), local=plan.lock_digest("local"), dev=plan.lock_digest("dev"))
    plan.azurite_stamp.note(lock=plan.azurite_digest)
    return checkout


class TestPlan:
    def test_finds_everything_to_do_in_a_fresh_checkout(self, checkout: Path) -> None:
        plan = Plan(checkout, "local")

        assert not any((plan.environment_done, plan.packages_done, plan.azurite_done))

    @pytest.mark.parametrize("wanted", ["local", "dev"])
    def test_finds_nothing_to_do_afterwards(self, installed: Path, wanted: str) -> None:
        assert Plan(installed, wanted).done

    def test_installs_again_when_the_locked_versions_changed(self, installed: Path) -> None:
        (installed / "requirements-dev.txt").write_text("fresh==1.0\n")

        assert not Plan(installed, "dev").done
        assert Plan(installed, "local").done

    def test_installs_azurite_again_when_its_lock_changed(self, installed: Path) -> None:
        lock = installed / "local" / "setup" / "azurite" / "package-lock.json"
        lock.write_text(lock.read_text() + "\n")

        assert not Plan(installed, "local").azurite_done

    def test_makes_the_environment_anew_when_the_checkout_moved(self, installed: Path, tmp_path: Path) -> None:
        moved = installed.rename(tmp_path / "elsewhere")

        assert not Plan(moved, "local").environment_done

    def test_makes_the_environment_anew_when_its_python_is_gone(self, installed: Path) -> None:
        python = Plan(installed, "local").python
        python.unlink()
        python.symlink_to(installed / "removed-python")

        assert not Plan(installed, "local").environment_done

    def test_survives_a_note_that_was_cut_off(self, installed: Path) -> None:
        Plan(installed, "local").stamp.path.write_text('{"venv": "/ho')

        assert not Plan(installed, "local").done

    def test_uses_another_azurite_as_it_is(
        self, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = tmp_path / "mine" / "dist" / "src" / "azurite.js"
        script.parent.mkdir(parents=True)
        script.touch()
        monkeypatch.setenv("AZURITE_HOME", str(tmp_path / "mine"))

        assert Plan(checkout, "local").azurite_done


class TestExplained:
    @pytest.mark.parametrize(
        ("said", "kind", "words"),
        [
            (
                "error: failed to copy file\n  Caused by: No space left on device (os error 28)",
                DiskFullError,
                "is full",
            ),
            ("npm error code ENOSPC\nnpm error syscall write", DiskFullError, "is full"),
            (
                "Failed to establish a new connection: [Errno 111] Connection refused",
                UnreachableError,
                "cannot be reached",
            ),
            (
                "error: Request failed\n  Caused by: dns error: failed to lookup address",
                UnreachableError,
                "cannot be reached",
            ),
            ("npm error code ENOTFOUND\nnpm error network request", UnreachableError, "cannot be reached"),
            ("ERROR: Hash mismatch for fastapi", ToolError, "Hash mismatch"),
            ("", ToolError, "nothing"),
        ],
    )
    def test_reads_what_a_tool_said(self, said: str, kind: type[SetupError], words: str) -> None:
        error = explained("installing things", "The registry", said)

        assert type(error) is kind
        assert words in str(error)

    def test_shows_only_the_end_of_what_a_tool_said(self) -> None:
        error = explained("installing things", "The registry", "\n".join(f"line {at}" for at in range(1, 101)))

        assert "line 100" in str(error)
        assert "line 50" not in str(error)


class TestRequireSpace:
    def test_refuses_before_anything_is_half_installed(self, checkout: Path) -> None:
        with pytest.raises(errors.DiskFullError) as refused:
            require_space(Plan(checkout, "local"), lambda _: 12 * MB)

        assert str(refused.value) == (
            f"The disk holding {checkout} is too full: setting up needs about 700 MB, 12 MB are free."
        )

    def test_is_content_with_enough(self, checkout: Path) -> None:
        require_space(Plan(checkout, "dev"), lambda _: 5000 * MB)


class TestRequireModules:
    def test_names_what_the_python_lacks_and_how_to_get_it(self) -> None:
        with pytest.raises(SetupError, match=r"comes without no_such_module.*apt install python3\.\d+-venv"):
            require_modules("venv", "no_such_module")


class TestMain:
    def test_says_when_the_registry_cannot_be_reached(self, checkout: Path) -> None:
        nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_INDEX_URL": "http://127.0.0.1:9/simple"}

        said = bootstrap(checkout, nowhere)

        assert said.returncode == 1
        assert said.stderr == (
            "The Python package registry cannot be reached, so installing uv failed: "
            "check the network or the proxy settings and run this again.\n"
        )
        assert not Plan(checkout, "local").packages_done

    def test_says_when_azurite_home_is_wrong(self, installed: Path) -> None:
        said = bootstrap(installed, {"AZURITE_HOME": "/no/such/folder"})

        assert said.returncode == 1
        assert said.stderr.startswith("AZURITE_HOME names no Azurite")

    def test_waits_for_another_setup(self, checkout: Path) -> None:
        (checkout / ".local").mkdir()
        with (checkout / ".local" / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

            with subprocess.Popen(command(checkout), stdout=subprocess.PIPE, text=True) as waiting:
                assert waiting.stdout is not None
                first = waiting.stdout.readline()
                waiting.kill()

        assert first == "Another setup is under way here; waiting for it.\n"

    def test_does_nothing_when_all_is_done(self, installed: Path) -> None:
        said = bootstrap(installed, {})

        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def command(checkout: Path) -> list[str]:
    return [sys.executable, "-u", str(checkout / "local" / "setup" / "bootstrap.py"), "local"]


def bootstrap(checkout: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ) | environment  # noqa: TID251 - a child process inherits it
    if "AZURITE_HOME" not in environment:
        env.pop("AZURITE_HOME", None)
    return subprocess.run(command(checkout), env=env, capture_output=True, text=True, check=False, timeout=100)
