"""Every setting the code reads stands in the local sample, in Bicep and in every environment; and nothing else does."""

import json
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from lib.settings import Settings, read_settings
from local.infra.templates import evaluator_of
from local.infra.values import Value

_ROOT = Path(__file__).resolve().parents[2]
_APP = _ROOT / "infra" / "modules" / "function-app.bicep"
_ENVIRONMENTS = sorted((_ROOT / "infra" / "environments").glob("*.json"))
_DECLARED = {declared.metadata["name"]: declared for declared in fields(Settings)}
# One connection, two ways to say it: a connection string on one machine, addresses and an identity in Azure.
_ON_ONE_MACHINE = {"DataStorage"}
_IN_AZURE = {
    "DataStorage__tableServiceUri",
    "DataStorage__queueServiceUri",
    "DataStorage__blobServiceUri",
    "DataStorage__clientId",
}
# What the Functions host reads, and the code does not.
_OF_THE_HOST = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
# The platform sets them itself on Flex Consumption, or refuses them.
_FORBIDDEN_ON_FLEX = {"FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE"}


def _sample() -> dict[str, str]:
    return json.loads((_ROOT / "local.settings.sample.json").read_text())["Values"]


def _chosen(environment: Path) -> dict[str, str]:
    return json.loads(environment.read_text())["settings"]


def _members(variable: str) -> dict[str, Value]:
    members = evaluator_of(_APP).of(variable)[0].members or {}
    return {name: found[0] for name, found in members.items()}


def differences(declared: set[str], given: set[str]) -> list[str]:
    """Say which settings are missing and which are not read."""
    return [f"{name} is missing" for name in sorted(declared - given)] + [
        f"{name} is not read" for name in sorted(given - declared)
    ]


class TestSample:
    def test_holds_what_the_code_reads(self) -> None:
        assert differences(_DECLARED.keys() - _IN_AZURE, _sample().keys() - _OF_THE_HOST) == []

    def test_says_what_holds_anyway(self) -> None:
        read = read_settings(_sample())

        untouched = {
            declared.name: declared.default
            for declared in fields(Settings)
            if declared.default is not MISSING and declared.metadata["name"] not in _ON_ONE_MACHINE
        }

        assert replace(read, **untouched) == read


@pytest.mark.parametrize("environment", _ENVIRONMENTS, ids=lambda path: path.stem)
class TestAzure:
    def test_holds_what_the_code_reads(self, environment: Path) -> None:
        given = _members("fixedSettings").keys() | _chosen(environment).keys()

        assert differences(_DECLARED.keys() - _ON_ONE_MACHINE, given) == []

    def test_gives_each_setting_in_one_place(self, environment: Path) -> None:
        assert not _members("fixedSettings").keys() & _chosen(environment).keys()

    def test_can_be_read(self, environment: Path) -> None:
        fixed = {name: "1" if name == "MAINFRAME_PORT" else "https://x" for name in _members("fixedSettings")}

        read = read_settings(fixed | _chosen(environment))

        assert read.mainframe_tls is (environment.stem == "prod")


class TestSecrets:
    def test_come_from_the_vault(self) -> None:
        source = _APP.read_text()
        secrets = {name for name, declared in _DECLARED.items() if declared.metadata["secret"]} - _ON_ONE_MACHINE

        assert secrets
        for name in secrets:
            assert f"{name}: '@Microsoft.KeyVault(SecretUri=" in source

    def test_stand_in_no_environment_file(self) -> None:
        secrets = {name for name, declared in _DECLARED.items() if declared.metadata["secret"]}

        assert not any(secrets & _chosen(environment).keys() for environment in _ENVIRONMENTS)


class TestHostSettings:
    def test_connect_by_identity(self) -> None:
        settings = _members("hostSettings")

        assert settings["AzureWebJobsStorage__credential"].literal == "managedidentity"
        assert settings["DataStorage__credential"].literal == "managedidentity"
        assert "AzureWebJobsStorage" not in settings

    def test_leave_alone_what_flex_consumption_sets(self) -> None:
        assert not _FORBIDDEN_ON_FLEX & (_members("hostSettings").keys() | _members("fixedSettings").keys())


class TestComparison:
    @pytest.mark.parametrize("name", sorted(_DECLARED))
    def test_notices_a_setting_that_was_removed(self, name: str) -> None:
        assert differences(set(_DECLARED), _DECLARED.keys() - {name}) == [f"{name} is missing"]

    def test_notices_one_that_nobody_reads(self) -> None:
        assert differences(set(_DECLARED), {*_DECLARED, "FORGOTTEN"}) == ["FORGOTTEN is not read"]
