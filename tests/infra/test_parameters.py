"""Parameter files match parameters, and the environments differ in values only."""

from pathlib import Path

import pytest

from local.infra.parameters import check_environments, check_parameters
from tests.infra.planting import ROOT, copied, plant

_MISTAKES = {
    "a parameter that is none": ('"environmentType"', '"environmentKind"', "has no parameter environmentKind"),
    "a parameter left out": ('"environmentType"', '"environmentKind"', "environmentType is not given"),
    "a value that is not allowed": ("${ENVIRONMENT_TYPE=dev}", "staging", "environmentType cannot be staging"),
    "a value of another type": ('"${MAINFRAME_PORT=7080}"', "7080", "mainframePort takes string, not int"),
    "a variable that is badly written": ("${AZURE_LOCATION}", "${AZURE_LOCATION", "is not of the form"),
}
_DIFFERENCES = {
    "a value that others have": ('  "locks": false,\n', "", "locks is given in other environments and not here"),
    "a setting that others have": ('    "BREAKER_FAILURES": "5",\n', "", "settings.BREAKER_FAILURES is given in other"),
    "a value of another type": ('"locks": false', '"locks": "no"', "locks is str here and bool elsewhere"),
    "a value that nobody reads": ('"locks": false', '"locks": false, "colour": "red"', "does not read it"),
}


class TestCheckParameters:
    def test_finds_nothing_in_ours(self) -> None:
        infra = ROOT / "infra"

        assert check_parameters(infra / "main.bicep", infra / "main.parameters.json").all() == []

    @pytest.mark.parametrize("mistake", _MISTAKES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        right, wrong, told = _MISTAKES[mistake]
        infra = copied(tmp_path)
        plant(infra / "main.parameters.json", right, wrong)

        found = check_parameters(infra / "main.bicep", infra / "main.parameters.json")

        assert told in "\n".join(map(str, found.all()))


class TestCheckEnvironments:
    def test_finds_nothing_in_ours(self) -> None:
        assert check_environments(ROOT / "infra" / "main.bicep", ROOT / "infra" / "environments").all() == []

    @pytest.mark.parametrize("mistake", _DIFFERENCES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        right, wrong, told = _DIFFERENCES[mistake]
        infra = copied(tmp_path)
        plant(infra / "environments" / "dev.json", right, wrong)

        found = check_environments(infra / "main.bicep", infra / "environments")

        assert told in "\n".join(map(str, found.all()))
