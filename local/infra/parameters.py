"""Holds parameter files to the template's parameters, and the files of the environments to one shape."""

import json
import re
from pathlib import Path
from typing import Any, Final

from local.infra.findings import Findings
from local.infra.syntax import DeclarationKind, read_template
from local.infra.templates import check_fits
from local.infra.values import from_json

_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(=[^}]*)?\}")


def check_parameters(main: Path, file: Path) -> Findings:
    """Return what does not match between a template and an azd parameter file."""
    findings = Findings()
    declared = read_template(main, findings).of(DeclarationKind.PARAMETER)
    given: dict[str, Any] = json.loads(file.read_text())["parameters"]
    for name in sorted(given.keys() - declared.keys()):
        findings.add(file, 1, f"{main.name} has no parameter {name}")
    for name, parameter in declared.items():
        if name not in given:
            # azd would ask for it, or silently take the default; either way nobody could choose it.
            findings.add(file, 1, f"{name} is not given")
            continue
        value = given[name].get("value")
        if isinstance(value, str) and "${" in value:
            _check_variables(value, name, file, findings)
            if parameter.type != "string":
                findings.add(file, 1, f"{name} takes {parameter.type}, and a variable of azd is always a string")
            continue
        check_fits((from_json(value),), parameter, file, 1, findings)
    return findings


def check_environments(main: Path, folder: Path) -> Findings:
    """Return where the files of the environments differ in more than their values, and values that nobody reads."""
    findings = Findings()
    paths = sorted(folder.glob("*.json"))
    shapes = {path: _shape(json.loads(path.read_text())) for path in paths}
    every = set[str]().union(*(shape.keys() for shape in shapes.values()))
    source = main.read_text()
    for path, shape in shapes.items():
        for name in sorted(every - shape.keys()):
            findings.add(path, 1, f"{name} is given in other environments and not here")
        for name, kind in sorted(shape.items()):
            others = {other[name] for other in shapes.values() if name in other}
            if len(others) > 1:
                findings.add(path, 1, f"{name} is {kind} here and {', '.join(sorted(others - {kind}))} elsewhere")
    for name in sorted(name for name in every if "." not in name):
        if not re.search(rf"\bchosen\.{name}\b", source):
            findings.add(folder, 1, f"{name} is chosen, and {main.name} does not read it")
    return findings


def _check_variables(value: str, name: str, file: Path, findings: Findings) -> None:
    if "${" in _VARIABLE.sub("", value):
        findings.add(file, 1, f"{name} is not of the form ${{NAME}} or ${{NAME=default}}: {value}")


def _shape(data: dict[str, Any], before: str = "") -> dict[str, str]:
    shape: dict[str, str] = {}
    for name, value in data.items():
        shape[before + name] = type(value).__name__
        if isinstance(value, dict):
            shape |= _shape(value, f"{before}{name}.")
    return shape
