"""What is deployed: small, without tests, stand-ins and secrets, and enough to index the app with requirements.txt."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.infra.package import build
from tests.infra.planting import ROOT

_LIMIT_BYTES = 5_000_000
_INDEX = """
import json, os, sys
os.environ["DataStorage"] = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:1/a"
os.environ["PLATFORM_SECRET"] = "made up"
from function_app import app
print(json.dumps(sorted(function.get_function_name() for function in app.get_functions())))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The package as it would be deployed."""
    target = tmp_path_factory.mktemp("package") / "app.zip"
    build(target)
    return zipfile.ZipFile(target)


class TestBuild:
    def test_stays_small(self, package: zipfile.ZipFile) -> None:
        assert Path(package.filename or "").stat().st_size < _LIMIT_BYTES

    def test_holds_what_the_host_reads(self, package: zipfile.ZipFile) -> None:
        assert {"function_app.py", "host.json", "requirements.txt"} <= set(package.namelist())

    def test_holds_the_documents_that_operations_send(self, package: zipfile.ZipFile) -> None:
        assert {"docs/openapi/public.json", "docs/openapi/private.json"} <= set(package.namelist())

    def test_holds_nothing_else(self, package: zipfile.ZipFile) -> None:
        tops = {name.split("/")[0] for name in package.namelist()}

        assert tops == {"docs", "function_app.py", "functions", "host.json", "lib", "requirements.txt"}
        assert not [
            name for name in package.namelist() if name.startswith("docs/") and not name.startswith("docs/openapi/")
        ]

    def test_holds_no_secret(self, package: zipfile.ZipFile) -> None:
        # The key of the storage emulator is public, and still has no business in Azure.
        for word in (b"AccountKey=", b"Eby8vdM02xNOcqFlqUwJ", b"BEGIN PRIVATE KEY", b"SharedAccessSignature="):
            assert not [name for name in package.namelist() if word in package.read(name)]

    def test_is_the_same_every_time(self, tmp_path: Path, package: zipfile.ZipFile) -> None:
        build(tmp_path / "again.zip")

        assert (tmp_path / "again.zip").read_bytes() == Path(package.filename or "").read_bytes()

    def test_leaves_out_local_files_that_git_does_not_know(self, tmp_path: Path) -> None:
        for name in (".funcignore", ".gitignore"):
            shutil.copyfile(ROOT / name, tmp_path / name)
        for name in (
            "host.json",
            "local.settings.json",
            "local.settings.prod.json",
            ".env",
            "lib/new.py",
            "tests/test_x.py",
        ):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

        assert build(tmp_path / "out" / "app.zip", tmp_path) == ["host.json", "lib/new.py"]


class TestPackage:
    @pytest.mark.timeout(240)
    def test_indexes_with_its_requirements_alone(self, tmp_path: Path, package: zipfile.ZipFile) -> None:
        package.extractall(tmp_path / "app")
        uv = Path(sys.executable).parent / "uv"
        python = tmp_path / "venv" / "bin" / "python"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
        requirements = ["--require-hashes", "-r", tmp_path / "app" / "requirements.txt"]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True)

        done = subprocess.run([python, "-c", _INDEX], cwd=tmp_path / "app", capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert '"deliver_to_mainframe"' in done.stdout
        assert '"get_health"' in done.stdout
