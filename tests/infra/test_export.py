"""The exported schemas keep what a template may write."""

import json
from pathlib import Path

from local.infra.export import shorten
from local.infra.schemas import read_schemas
from tests.infra.planting import ROOT

_PRINTED = [
    {
        "$type": "Resource",
        "name": "Some/things@2025-01-01",
        "bodyType": {
            "$type": "Object",
            "name": "Some/things",
            "properties": [
                {"name": "id", "type": "string", "flags": "ReadOnly, DeployTimeConstant"},
                {"name": "name", "type": "string", "description": "Its name.", "flags": "Required, DeployTimeConstant"},
                {"name": "parts", "type": "Part[]"},
                {"name": "kind", "type": "Kind"},
            ],
        },
    },
    {"$type": "Object", "name": "Part", "properties": [{"name": "size", "type": "int"}]},
    {"$type": "Object", "name": "Forgotten", "properties": []},
    {"$type": "ResourceInstanceFunction", "name": "listKeys"},
    {
        "$type": "DiscriminatedObject",
        "name": "Kind",
        "discriminator": "by",
        "baseProperties": [],
        "elements": [
            {"$type": "Object", "name": "Kind", "properties": [{"name": "by", "type": "red", "flags": "Required"}]},
            {"$type": "Object", "name": "Kind", "properties": [{"name": "by", "type": "blue", "flags": "Required"}]},
        ],
    },
]


class TestShorten:
    def test_keeps_what_may_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "things.json").write_text(shorten(_PRINTED))

        schema = read_schemas(tmp_path)["Some/things@2025-01-01"]

        assert set(schema.types) == {"Some/things", "Part", "Kind", "Kind:red", "Kind:blue"}
        assert set(schema.types[schema.body].properties) == {"name", "parts", "kind"}
        assert schema.types[schema.body].properties["name"].required
        assert schema.types["Kind"].elements == ("Kind:red", "Kind:blue")


class TestSchemas:
    def test_say_where_they_come_from(self) -> None:
        sources = {
            path.name: json.loads(path.read_text())["source"]
            for path in (ROOT / "infra" / "schemas").glob("*.json")
            if path.name != "additions.json"
        }

        by_hand = {name.removesuffix(".json") for name, source in sources.items() if source.startswith("by hand")}
        listed = (ROOT / "infra" / "schemas" / "README.md").read_text()
        assert by_hand
        for name in by_hand:
            assert name.split("_")[-1] in listed
        assert all(
            "2.0.5" in sources[f"{name}.json"]
            for name in (path.removesuffix(".json") for path in sources)
            if name not in by_hand
        )
