"""The templates are right as far as that can be said without the compiler, and mistakes of every kind are told."""

from pathlib import Path

import pytest

from local.infra.schemas import read_schemas
from local.infra.templates import check_templates
from tests.infra.planting import ROOT, copied, plant

_MISTAKES = {
    # Syntax
    "a brace too few": ("modules/identity.bicep", "  tags: tags\n}", "  tags: tags\n", "cannot be read"),
    "a decorator that is none": ("main.bicep", "@allowed(", "@permitted(", "there is no decorator @permitted"),
    "a name given twice": (
        "modules/identity.bicep",
        "param tags object",
        "param tags object\nparam tags object",
        "twice",
    ),
    "a property given twice": (
        "modules/identity.bicep",
        "  name: name\n",
        "  name: name\n  name: name\n",
        "given twice",
    ),
    # Symbols
    "a symbol that is not declared": ("modules/identity.bicep", "name: name", "name: nane", "nane is not declared"),
    "a symbol inside a string": ("main.bicep", "'id-api-${token}'", "'id-api-${tokem}'", "tokem is not declared"),
    "a function that is none": ("main.bicep", "toLower(", "lower(", "there is no function lower"),
    "a function out of place": ("main.bicep", "toLower(uniqueString(", "newGuid(uniqueString(", "only in the default"),
    "a parameter nobody uses": (
        "modules/identity.bicep",
        "param name string",
        "param name string\nparam x int",
        "x is not used",
    ),
    "a loop variable outside its loop": (
        "modules/data-storage.bicep",
        "level: 'CanNotDelete'",
        "level: table",
        "table is not declared",
    ),
    "a member that is not in the JSON": (
        "modules/data-storage.bicep",
        "names.tables",
        "names.table",
        "no member table",
    ),
    "a member that an element lacks": ("modules/alerts.bicep", "rule.threshold", "rule.limit", "no member limit"),
    "a member of a resource": ("modules/identity.bicep", "identity.id", "identity.ident", "a resource has no ident"),
    "a file that is not there": ("modules/gateway.bicep", "public-api.xml", "public.xml", "is not there"),
    # Modules
    "a module that is not there": ("main.bicep", "modules/identity.bicep", "modules/identities.bicep", "is not there"),
    "a parameter the module lacks": (
        "main.bicep",
        "hubNetworkId: hubNetworkId",
        "hub: hubNetworkId",
        "no parameter hub",
    ),
    "a parameter left out": ("main.bicep", "    hubNetworkId: hubNetworkId\n", "", "lacks its parameter hubNetworkId"),
    "a parameter of another type": ("main.bicep", "lock: chosen.locks", "lock: 'yes'", "lock takes bool, not string"),
    "a value that is not allowed": (
        "environments/dev.json",
        '"instanceMemoryMB": 2048',
        '"instanceMemoryMB": 1024',
        "1024",
    ),
    "a value that is too small": (
        "environments/dev.json",
        '"maximumInstanceCount": 40',
        '"maximumInstanceCount": 4',
        "at least 40",
    ),
    "an output that the module lacks": ("main.bicep", "outputs.vaultId", "outputs.vault", "has no output vault"),
    "an output of another type": (
        "modules/identity.bicep",
        "output clientId string",
        "output clientId int",
        "takes string",
    ),
    # Resources
    "a resource type without a schema": (
        "main.bicep",
        "resourceGroups@2025-04-01",
        "resourceGroups@2019-04-01",
        "no schema",
    ),
    "a property that is none": (
        "modules/host-storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeys: false",
        "has no property allowSharedKeys",
    ),
    "a property of another type": (
        "modules/host-storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: 'no'",
        "must be bool, not string",
    ),
    "a required property left out": (
        "modules/key-vault.bicep",
        "    tenantId: tenant().tenantId\n",
        "",
        "lacks tenantId",
    ),
    "a word that is not in the enumeration": (
        "modules/key-vault.bicep",
        "name: 'standard'",
        "name: 'standart'",
        "not standart",
    ),
    "a word of a hand-written schema": ("modules/key-vault.bicep", "'CanNotDelete'", "'Forever'", "not Forever"),
    "an object where an array belongs": (
        "modules/alerts.bicep",
        "scopes: [workspaceId]",
        "scopes: workspaceId",
        "an array",
    ),
    "a kind that is told apart": ("modules/function-app.bicep", "name: 'ftp'", "name: 'sftp'", "cannot be sftp"),
    "a property added by hand": (
        "modules/function-app.bicep",
        "siteUpdateStrategy: {",
        "siteUpdatePlan: {",
        "siteUpdatePlan",
    ),
    "a child without its parent": ("modules/key-vault.bicep", "  parent: vault\n", "", "names no parent"),
    "a value for an existing resource": (
        "modules/gateway.bicep",
        "  name: vaultName\n",
        "  name: vaultName\n  tags: tags\n",
        "an existing resource takes no tags",
    ),
}


class TestCheckTemplates:
    def test_finds_nothing_in_ours(self) -> None:
        found = check_templates(ROOT / "infra" / "main.bicep", read_schemas(ROOT / "infra" / "schemas"))

        assert found.all() == []

    @pytest.mark.parametrize("mistake", _MISTAKES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        file, right, wrong, told = _MISTAKES[mistake]
        infra = copied(tmp_path)
        plant(infra / file, right, wrong)

        found = check_templates(infra / "main.bicep", read_schemas(ROOT / "infra" / "schemas"))

        assert told in "\n".join(map(str, found.all()))

    def test_tells_of_a_module_that_nobody_uses(self, tmp_path: Path) -> None:
        infra = copied(tmp_path)
        (infra / "modules" / "forgotten.bicep").write_text("output x string = 'x'\n")

        found = check_templates(infra / "main.bicep", read_schemas(ROOT / "infra" / "schemas"))

        assert [finding.text for finding in found.all()] == ["no template uses this module"]

    def test_says_where(self, tmp_path: Path) -> None:
        infra = copied(tmp_path)
        plant(infra / "modules" / "identity.bicep", "location: location", "location: locatoin")

        found = check_templates(infra / "main.bicep", read_schemas(ROOT / "infra" / "schemas"))

        told = {str(finding).removeprefix(str(infra) + "/") for finding in found.all()}
        assert "modules/identity.bicep:9: locatoin is not declared" in told
