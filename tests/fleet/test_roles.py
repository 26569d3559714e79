"""The app's identity holds exactly the roles that the code and its host need, on exactly the resources they use."""

from pathlib import Path
from typing import Any

import pytest

import lib.wiring
from lib.messaging.catalogue import ALL_QUEUES
from lib.wiring import ALL_TABLES
from local.infra.evaluate import Evaluator
from local.infra.syntax import DeclarationKind, children_of, property_of, text_of
from local.infra.templates import evaluator_of
from local.infra.values import Value, elements_of

_MODULES = Path(__file__).resolve().parents[2] / "infra" / "modules"
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
_ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
}


def granted(module: str, source: str | None = None, folder: Path = _MODULES) -> set[tuple[str, str]]:
    """Return scope and role of every role assignment in a module."""
    path = folder / f"{module}.bicep"
    if source is not None:
        path.write_text(source)
    evaluator = evaluator_of(path)
    found: set[tuple[str, str]] = set()
    for declaration in evaluator.template.of(DeclarationKind.RESOURCE).values():
        if declaration.type.startswith("Microsoft.Authorization/roleAssignments@"):
            body: Any = declaration.value
            loop = _loop_variable(evaluator, body)
            properties = _properties(body if loop is None else children_of(body)[2])
            role = children_of(children_of(_properties(properties["properties"])["roleDefinitionId"])[1])[1]
            values = evaluator.evaluate(role, loop or {})
            found |= {(text_of(properties["scope"]), _ROLES[str(value.literal)]) for value in values}
    return found


def _loop_variable(evaluator: Evaluator, body: Any) -> dict[str, tuple[Value, ...]] | None:
    if body.type != "for_statement":
        return None
    head, iterable, _ = children_of(body)
    return {text_of(head): elements_of(evaluator.evaluate(iterable, {}))}


def _properties(node: Any) -> dict[str, Any]:
    return {str(name): value for name, _, value in map(property_of, children_of(node))}


def _needed_on_data() -> set[str]:
    needed = {"Storage Table Data Contributor"} if ALL_TABLES else set[str]()
    needed |= {"Storage Queue Data Contributor"} if ALL_QUEUES else set()
    # Granted by the template only where storage-names.json has a container; it knows of both possibilities here.
    return needed | {"Storage Blob Data Contributor"}


class TestDataStorage:
    def test_grants_what_the_code_needs(self) -> None:
        assert granted("data-storage") == {("account", role) for role in _needed_on_data()}

    def test_grants_blobs_only_when_there_are_containers(self) -> None:
        source = (_MODULES / "data-storage.bicep").read_text()

        assert "var roles = empty(names.containers) ? rolesAlways : concat(" in source
        assert bool(getattr(lib.wiring, "ALL_CONTAINERS", ())) == ('"containers": []' not in _storage_names())


class TestHostStorage:
    def test_grants_what_the_host_needs(self) -> None:
        assert granted("host-storage") == {
            ("account", "Storage Blob Data Owner"),
            ("account", "Storage Queue Data Contributor"),
            ("account", "Storage Table Data Contributor"),
        }


class TestVault:
    def test_grants_reading_of_secrets(self) -> None:
        assert granted("key-vault") == {("vault", "Key Vault Secrets User")}


class TestMonitoring:
    def test_grants_sending(self) -> None:
        assert granted("monitoring") == {("insights", "Monitoring Metrics Publisher")}


class TestGateway:
    def test_reads_its_key_and_sends_telemetry(self) -> None:
        assert granted("gateway") == {("vault", "Key Vault Secrets User"), ("insights", "Monitoring Metrics Publisher")}


class TestMockMainframe:
    def test_pulls_its_image(self) -> None:
        assert granted("mock-mainframe") == {("registry", "AcrPull")}


class TestEverywhere:
    def test_no_other_module_grants_anything(self) -> None:
        granting = {path.stem for path in _MODULES.glob("*.bicep") if "roleAssignments@" in path.read_text()}

        assert granting == {"data-storage", "host-storage", "key-vault", "monitoring", "gateway", "mock-mainframe"}

    def test_nobody_may_use_a_shared_key(self) -> None:
        sources = {path.stem: path.read_text() for path in _MODULES.glob("*.bicep")}

        assert not [name for name, source in sources.items() if "listKeys" in source]
        for name in ("host-storage", "data-storage"):
            assert "allowSharedKeyAccess: false" in sources[name]
        assert sources["monitoring"].count("ocalAuth: true") == 2

    @pytest.mark.parametrize("module", ["data-storage", "host-storage"])
    def test_a_removed_role_is_noticed(self, module: str, tmp_path: Path) -> None:
        (tmp_path / "modules").mkdir()
        (tmp_path / "storage-names.json").write_text(_storage_names())
        source = (_MODULES / f"{module}.bicep").read_text()
        source = source.replace(
            "[storageTableDataContributor, storageQueueDataContributor]", "[storageTableDataContributor]"
        )
        source = source.replace("  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue", "  // Storage Queue")

        assert granted(module, source, tmp_path / "modules") == granted(module) - {
            ("account", "Storage Queue Data Contributor")
        }


def _storage_names() -> str:
    return (_MODULES.parent / "storage-names.json").read_text()
