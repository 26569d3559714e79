"""The typed schemas of the resource types: which properties there are, which are demanded, what they may hold."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PRIMITIVES: Final = frozenset({"string", "int", "bool", "any", "object", "array", "null"})
_ADDITIONS: Final = "additions.json"


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a type."""

    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object: its properties, what it takes beside them, or by which property its kinds are told apart."""

    properties: dict[str, Property]
    others: str | None
    by: str | None
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of one resource type at one version."""

    resource: str
    body: str
    types: dict[str, ObjectType]

    def is_literal(self, word: str) -> bool:
        """Return whether a word of a type stands for itself."""
        return word not in _PRIMITIVES and word not in self.types


def read_schemas(folder: Path) -> dict[str, Schema]:
    """Return the schemas by resource type and version, as in `Microsoft.Web/sites@2024-11-01`."""
    additions: dict[str, Any] = {}
    if (folder / _ADDITIONS).is_file():
        additions = json.loads((folder / _ADDITIONS).read_text())
    schemas: dict[str, Schema] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name == _ADDITIONS:
            continue
        read = json.loads(path.read_text())
        for name, more in additions.get(read["resource"], {}).get("types", {}).items():
            read["types"].setdefault(name, {"properties": {}})["properties"].update(more["properties"])
        schemas[read["resource"]] = Schema(
            resource=read["resource"],
            body=read["body"],
            types={name: _object_type(kind) for name, kind in read["types"].items()},
        )
    return schemas


def _object_type(read: dict[str, Any]) -> ObjectType:
    return ObjectType(
        properties={
            name: Property(type=kind.removesuffix("!"), required=kind.endswith("!"))
            for name, kind in read["properties"].items()
        },
        others=read.get("others"),
        by=read.get("by"),
        elements=tuple(read.get("elements", ())),
    )
