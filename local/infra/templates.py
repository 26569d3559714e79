"""Checks templates as a whole: every symbol, module parameter and output resolves, and nothing is left over."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.infra.evaluate import Evaluator, module_path
from local.infra.findings import Findings
from local.infra.resources import check_resource
from local.infra.schemas import Schema
from local.infra.syntax import (
    Declaration,
    DeclarationKind,
    Template,
    elements_of_array,
    plain_text,
    read_template,
    text_of,
)
from local.infra.values import Alternatives, Value

_MODULES_OWN: Final = frozenset({"params", "scope", "name", "dependsOn"})
_TYPES: Final = frozenset({"string", "int", "bool", "object", "array"})


def check_templates(main: Path, schemas: dict[str, Schema]) -> Findings:
    """Return what is wrong with a template and the modules that it uses, however deep."""
    findings = Findings()
    read: dict[Path, Template] = {}
    evaluators: dict[Path, Evaluator] = {}
    waiting = [main]
    while waiting:
        path = waiting.pop()
        if path.resolve() in evaluators:
            continue
        template = _read(path, read, findings)
        modules = _modules_of(template, read, findings)
        evaluators[path.resolve()] = _check(template, modules, schemas, findings)
        waiting.extend(module.path for module in modules.values())
    for path in sorted(main.parent.rglob("*.bicep")):
        if path.resolve() not in evaluators:
            findings.add(path, 1, "no template uses this module")
    return findings


def evaluator_of(path: Path) -> Evaluator:
    """Return the evaluator of one template, for who wants to know what it creates."""
    findings = Findings()
    read: dict[Path, Template] = {}
    template = _read(path, read, findings)
    return Evaluator(template, _modules_of(template, read, findings), findings)


def _read(path: Path, read: dict[Path, Template], findings: Findings) -> Template:
    key = path.resolve()
    if key not in read:
        read[key] = read_template(path, findings)
    return read[key]


def _modules_of(template: Template, read: dict[Path, Template], findings: Findings) -> dict[str, Template]:
    modules: dict[str, Template] = {}
    for name, declaration in template.of(DeclarationKind.MODULE).items():
        path = module_path(template, declaration)
        if path.is_file():
            modules[name] = _read(path, read, findings)
        else:
            findings.add(template.path, declaration.line, f"{declaration.type} is not there")
    return modules


def _check(
    template: Template, modules: Mapping[str, Template], schemas: dict[str, Schema], findings: Findings
) -> Evaluator:
    evaluator = Evaluator(template, modules, findings)
    for declaration in template.declarations:
        evaluator.check_decorators(declaration)
        _check_type(template, declaration, findings)
        match declaration.kind:
            case DeclarationKind.RESOURCE:
                check_resource(declaration, evaluator, schemas, findings)
            case DeclarationKind.MODULE:
                _check_module(declaration, evaluator, modules, findings)
            case DeclarationKind.OUTPUT | DeclarationKind.PARAMETER:
                check_fits(evaluator.body(declaration), declaration, template.path, declaration.line, findings)
            case DeclarationKind.VARIABLE:
                evaluator.body(declaration)
    for declaration in template.declarations:
        needless = declaration.kind in {DeclarationKind.PARAMETER, DeclarationKind.VARIABLE} or declaration.existing
        if needless and declaration.name not in evaluator.used:
            findings.add(template.path, declaration.line, f"{declaration.name} is not used")
    return evaluator


def _check_type(template: Template, declaration: Declaration, findings: Findings) -> None:
    typed = declaration.kind in {DeclarationKind.PARAMETER, DeclarationKind.OUTPUT}
    if typed and declaration.type not in _TYPES:
        findings.add(template.path, declaration.line, f"{declaration.name} has no known type: {declaration.type!r}")


def _check_module(
    declaration: Declaration, evaluator: Evaluator, modules: Mapping[str, Template], findings: Findings
) -> None:
    path = evaluator.template.path
    for body in evaluator.body(declaration):
        members = body.members or {}
        for name in sorted(members.keys() - _MODULES_OWN):
            findings.add(path, declaration.line, f"a module takes no {name}")
        if declaration.name not in modules:
            continue
        wanted = modules[declaration.name].of(DeclarationKind.PARAMETER)
        given = next(iter(members.get("params", ())), Value(kind="object", members={})).members or {}
        for name in sorted(given.keys() - wanted.keys()):
            findings.add(path, declaration.line, f"the module {declaration.name} has no parameter {name}")
        for name, parameter in wanted.items():
            if name in given:
                check_fits(given[name], parameter, path, declaration.line, findings)
            elif parameter.value is None:
                findings.add(path, declaration.line, f"the module {declaration.name} lacks its parameter {name}")


def check_fits(
    alternatives: Alternatives, declaration: Declaration, path: Path | str, line: int, findings: Findings
) -> None:
    """Report values that a parameter or output cannot take: of another type, not allowed, too small or too large."""
    for value in alternatives:
        if value.kind in {"any", "resource", "null"}:
            continue
        if value.kind != declaration.type:
            findings.add(path, value.line or line, f"{declaration.name} takes {declaration.type}, not {value.kind}")
        elif value.literal is not None and (wrong := _out_of_bounds(value.literal, declaration)):
            findings.add(path, value.line or line, wrong)


def _out_of_bounds(literal: str | int | bool, declaration: Declaration) -> str | None:
    allowed = _literals(declaration, "allowed")
    if allowed and literal not in allowed:
        return f"{declaration.name} cannot be {literal}"
    if isinstance(literal, int) and not isinstance(literal, bool):
        smallest, largest = _literals(declaration, "minValue"), _literals(declaration, "maxValue")
        if smallest and literal < int(smallest[0]):
            return f"{declaration.name} is at least {smallest[0]}, not {literal}"
        if largest and literal > int(largest[0]):
            return f"{declaration.name} is at most {largest[0]}, not {literal}"
    return None


def _literals(declaration: Declaration, decorator: str) -> list[str | int]:
    found: list[str | int] = []
    for argument in declaration.decorators.get(decorator, ()):
        for node in elements_of_array(argument) if argument.type == "array" else [argument]:
            text = plain_text(node)
            found.append(int(text_of(node)) if text is None else text)
    return found
