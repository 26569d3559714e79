"""What the documents on deployment and architecture name is there, and their numbers are the templates'."""

import json
import re
from pathlib import Path

import pytest

from tests.infra.planting import ROOT

_DOCUMENTS = ("docs/deployment.md", "docs/architecture.md")
_PATH = re.compile(r"`((?:\.github|docs|infra|lib|local|tests|functions)/[\w./-]+)`")
_TARGET = re.compile(r"`make (\w+)`")
_ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<dev>[^|]+) \| (?P<test>[^|]+) \| (?P<prod>[^|]+) \|", re.MULTILINE)


@pytest.mark.parametrize("document", _DOCUMENTS)
class TestDocument:
    def test_names_files_that_there_are(self, document: str) -> None:
        named = _PATH.findall((ROOT / document).read_text(encoding="utf-8"))

        assert named
        assert [path for path in named if not (ROOT / path).exists()] == []

    def test_names_commands_that_there_are(self, document: str) -> None:
        named = set(_TARGET.findall((ROOT / document).read_text(encoding="utf-8")))
        makefile = (ROOT / "Makefile").read_text()

        assert named
        assert [target for target in named if f"\n{target}:" not in makefile] == []


class TestEnvironments:
    @pytest.mark.parametrize("environment", ["dev", "test", "prod"])
    def test_are_as_the_table_says(self, environment: str) -> None:
        rows = _ROW.finditer((ROOT / "docs" / "deployment.md").read_text(encoding="utf-8"))
        said = {row["name"]: row[environment].strip() for row in rows}

        values = json.loads(Path(ROOT / "infra" / "environments" / f"{environment}.json").read_text())

        del values["settings"]
        assert said == {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


class TestAlerts:
    def test_are_named_as_they_are(self) -> None:
        named = set(re.findall(r"alert `([\w-]+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")))
        source = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()

        assert named
        assert [name for name in named if f"name: '{name}'" not in source] == []


class TestReadme:
    def test_deploys_in_five_lines(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        section = readme.split("## Deploy it to Azure\n", 1)[1].split("\n## ", 1)[0]

        lines = section.split("```text\n", 1)[1].split("\n```", 1)[0].splitlines()

        assert "azd up" in lines
        assert len(lines) == 5
