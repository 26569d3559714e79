"""The mock mainframe in a container: what its image copies is there, and it listens to other machines."""

import importlib.util
import re

import pytest

from local.mainframe import listener
from tests.infra.planting import ROOT

_IMAGE = ROOT / "infra" / "mainframe"


class TestDockerfile:
    def test_copies_what_is_there_and_may_travel(self) -> None:
        copied = re.findall(r"^COPY (.+) \S+$", (_IMAGE / "Dockerfile").read_text(), re.MULTILINE)
        allowed = (ROOT / ".dockerignore").read_text().splitlines()

        assert copied
        for path in " ".join(copied).split():
            assert (ROOT / path).exists()
            assert f"!{path}" in allowed

    def test_runs_as_nobody_special(self) -> None:
        source = (_IMAGE / "Dockerfile").read_text()

        assert source.index("USER mainframe") < source.index("CMD ")


class TestServe:
    def test_listens_to_other_machines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listener, "HOST", listener.HOST)
        spec = importlib.util.spec_from_file_location("serve", _IMAGE / "serve.py")
        assert spec is not None
        assert spec.loader is not None
        serve = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(serve)

        serve.open_to_the_network()
        bound = listener.bound_socket(0)

        assert bound.getsockname()[0] == "0.0.0.0"  # noqa: S104 - this is what is asked
        bound.close()
