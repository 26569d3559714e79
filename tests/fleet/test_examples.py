"""Every example in the OpenAPI documents is one that its schema takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from local.openapi import FOLDER

_DOCUMENTS = {name: json.loads((FOLDER / name).read_text("utf-8")) for name in ("public.json", "private.json")}
_JSON = {"application/json", "application/merge-patch+json"}


def _examples() -> Iterator[Any]:
    for name, document in _DOCUMENTS.items():
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                for place, schema, example in _of(name, operation):
                    yield pytest.param(name, schema, example, id=f"{name}:{method} {path} {place}")


def _of(name: str, operation: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        model = _DOCUMENTS[name]["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        found = [
            *schema.get("examples", ()),
            *model.get("examples", ()),
            *(each["value"] for each in content.get("examples", {}).values()),
        ]
        for number, example in enumerate(found):
            yield f"{kind} {number}", schema, example
    for parameter in operation.get("parameters", ()):
        for number, example in enumerate(parameter["schema"].get("examples", ())):
            yield f"{parameter['name']} {number}", parameter["schema"], example


def _check(name: str, schema: Any, example: Any) -> bool:
    whole = {**schema, "components": _DOCUMENTS[name]["components"]}
    return Draft202012Validator(whole, validate_formats=True).is_valid(example)


class TestExamples:
    @pytest.mark.parametrize(("name", "schema", "example"), list(_examples()))
    def test_fit_their_schema(self, name: str, schema: Any, example: Any) -> None:
        assert _check(name, schema, example)

    @pytest.mark.parametrize("name", _DOCUMENTS)
    def test_are_given_for_every_json_body(self, name: str) -> None:
        without = [
            f"{method} {path}"
            for path, methods in _DOCUMENTS[name]["paths"].items()
            for method, operation in methods.items()
            if operation.get("requestBody", {}).get("required")
            and _JSON & operation["requestBody"]["content"].keys()
            and not any(place.startswith("application") for place, _, _ in _of(name, operation))
        ]

        assert without == []

    def test_that_are_wrong_would_be_seen(self) -> None:
        schema = {"$ref": "#/components/schemas/CustomerDetails"}

        assert not _check("public.json", schema, {"firstName": "Ada"})
        assert _check("public.json", schema, {"lastName": "Lovelace"})
