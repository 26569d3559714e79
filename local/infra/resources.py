"""Holds the resources of a template to the schemas of their types."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.infra.evaluate import Evaluator
from local.infra.findings import Findings
from local.infra.schemas import ObjectType, Schema
from local.infra.syntax import Declaration
from local.infra.values import ANY, Alternatives, Value

# What Bicep itself takes in the body of a resource.
_BICEPS_OWN: Final = frozenset({"parent", "scope", "dependsOn"})
_SCALARS: Final = {"string": "string", "int": "int", "bool": "bool"}


def check_resource(
    declaration: Declaration, evaluator: Evaluator, schemas: dict[str, Schema], findings: Findings
) -> None:
    """Report what the schema of a resource's type does not allow."""
    path = evaluator.template.path
    schema = schemas.get(declaration.type)
    if schema is None:
        findings.add(path, declaration.line, f"there is no schema for {declaration.type}")
        return
    check = _Check(path, schema, findings)
    for body in evaluator.body(declaration):
        if body.members is None:
            continue
        given = {name: found for name, found in body.members.items() if name not in _BICEPS_OWN}
        if declaration.existing:
            for name in sorted(given.keys() - {"name"}):
                findings.add(path, declaration.line, f"an existing resource takes no {name}")
            continue
        _check_parent(declaration, body, findings, path)
        check.value(
            (Value(kind="object", line=body.line or declaration.line, members=given, open=body.open),),
            schema.body,
            declaration.name,
        )


def _check_parent(declaration: Declaration, body: Value, findings: Findings, path: Path) -> None:
    is_child = declaration.type.split("@")[0].count("/") > 1
    if is_child and "parent" not in (body.members or {}):
        findings.add(path, declaration.line, f"{declaration.name} is a child resource and names no parent")


@dataclass(frozen=True, slots=True)
class _Check:
    path: Path
    schema: Schema
    findings: Findings

    def value(self, alternatives: Alternatives, wanted: str, where: str) -> None:
        for value in alternatives:
            if value.kind in {"any", "null", "resource"}:
                continue
            if wanted.endswith("[]"):
                self._array(value, wanted.removesuffix("[]"), where)
            else:
                self._single(value, wanted, where)

    def _array(self, value: Value, element: str, where: str) -> None:
        if value.kind != "array":
            self._report(value, f"{where} must be an array, not {value.kind}")
            return
        for item in value.items or ():
            self.value(item, element, f"{where}[]")

    def _single(self, value: Value, wanted: str, where: str) -> None:
        words = wanted.split(" | ")
        if "any" in words:
            return
        if words[0] in self.schema.types:
            self._object(value, self.schema.types[words[0]], words[0], where)
            return
        literals = [word for word in words if self.schema.is_literal(word)]
        kinds = {_SCALARS.get(word, word) for word in words if not self.schema.is_literal(word)}
        if value.kind in kinds:
            return
        if literals and value.kind == "string":
            if value.literal is not None and value.literal not in literals:
                self._report(value, f"{where} may be {', '.join(literals)}; not {value.literal}")
            return
        self._report(value, f"{where} must be {' or '.join(sorted(kinds)) or 'string'}, not {value.kind}")

    def _object(self, value: Value, wanted: ObjectType, name: str, where: str) -> None:
        if value.kind != "object":
            self._report(value, f"{where} must be an object, not {value.kind}")
        elif wanted.by is not None:
            self._kind_of(value, wanted, where)
        elif value.members is not None:
            for given, found in value.members.items():
                self._member(given, found, wanted, f"{where}.{given}", f"{name} has no property {given} ({where})")
            missing = {key for key, known in wanted.properties.items() if known.required} - value.members.keys()
            for key in sorted(missing) if not value.open else ():
                self._report(value, f"{where} lacks {key}")

    def _member(self, given: str, found: Alternatives, wanted: ObjectType, where: str, complaint: str) -> None:
        known = wanted.properties.get(given)
        if known is not None:
            self.value(found, known.type, where)
        elif wanted.others is not None:
            self.value(found, wanted.others, where)
        else:
            self._report(found[0] if found else ANY, complaint)

    def _kind_of(self, value: Value, wanted: ObjectType, where: str) -> None:
        chosen = (value.members or {}).get(wanted.by or "", ())
        for alternative in chosen:
            name = self._element(alternative.literal, wanted)
            if name is None:
                self._report(alternative, f"{where}.{wanted.by} cannot be {alternative.literal}")
            else:
                self._object(value, self.schema.types[name], name, where)
        if not chosen:
            self._report(value, f"{where} lacks {wanted.by}")

    def _element(self, literal: object, wanted: ObjectType) -> str | None:
        for name in wanted.elements:
            told_by = self.schema.types[name].properties.get(wanted.by or "")
            if literal == name or (told_by is not None and told_by.type == literal):
                return name
        return None

    def _report(self, value: Value, text: str) -> None:
        self.findings.add(self.path, value.line, text)
