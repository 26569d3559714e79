"""Makes `infra/schemas/` anew from what `azmcp bicepschema get` printed: `python -m local.infra.export FOLDER`.

FOLDER holds one file of printed JSON per resource type (`infra/schemas/README.md` says how to make them). Kept is what
a template may write: descriptions, read-only properties and types that nothing refers to are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

SCHEMAS: Final = Path("infra/schemas")
SOURCE: Final = "npm @azure/mcp-linux-x64 2.0.5, azmcp bicepschema get"


def main(arguments: list[str]) -> int:
    """Write one schema file per resource type. Returns the exit status."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    for path in sorted(Path(arguments[0]).glob("*.json")):
        try:
            printed = json.loads(path.read_text())
        except json.JSONDecodeError:
            print(f"{path.name}: not known to the tool; write a short schema by hand")
            continue
        (SCHEMAS / path.name).write_text(shorten(printed["results"]["BicepSchemaResult"]))
    return 0


def shorten(found: list[dict[str, Any]]) -> str:
    """Return the compact schema of one resource type."""
    resource = next(item for item in found if item["$type"] == "Resource")
    given = {item["name"]: item for item in found if item["$type"] in ("Object", "DiscriminatedObject")}
    kept: dict[str, dict[str, Any]] = {}
    wanted = [resource["bodyType"]]
    while wanted:
        current = wanted.pop()
        if current["name"] in kept:
            continue
        kept[current["name"]] = _type(current)
        if current["$type"] == "DiscriminatedObject":
            kept.update({_key(element, current): _type(element) for element in current["elements"]})
        wanted.extend(given[word] for word in _words(current) if word in given)
    head = f'{{"source": "{SOURCE}",\n"resource": "{resource["name"]}",\n"body": "{resource["bodyType"]["name"]}",\n'
    types = ",\n".join(f"{json.dumps(name)}: {json.dumps(kind)}" for name, kind in sorted(kept.items()))
    return f'{head}"types": {{\n{types}\n}}}}\n'


def _type(item: dict[str, Any]) -> dict[str, Any]:
    if item["$type"] == "DiscriminatedObject":
        return {
            "by": item["discriminator"],
            "properties": _properties(item["baseProperties"]),
            "elements": [_key(element, item) for element in item["elements"]],
        }
    short: dict[str, Any] = {"properties": _properties(item["properties"])}
    if "additionalPropertiesType" in item:
        short["others"] = item["additionalPropertiesType"]
    return short


def _properties(properties: list[dict[str, Any]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for item in properties:
        flags = item.get("flags") or ""
        if "ReadOnly" not in flags:
            kept[item["name"]] = item["type"] + ("!" if "Required" in flags else "")
    return kept


def _words(item: dict[str, Any]) -> list[str]:
    short = _type(item)
    kinds = [*short["properties"].values(), short.get("others", "")]
    for element in item.get("elements", ()):
        kinds.extend(_type(element)["properties"].values())
    return [kind.rstrip("!").removesuffix("[]") for kind in kinds]


def _key(element: dict[str, Any], item: dict[str, Any]) -> str:
    # The kinds of one type often share a name; what tells them apart is part of it here.
    told = next(found for found in element["properties"] if found["name"] == item["discriminator"])
    return f"{element['name']}:{told['type']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
