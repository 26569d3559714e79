"""Holds azure.yaml and the workflows to their schemas, and to what they name: folders, tags, pinned actions."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from local.infra.findings import Findings
from local.infra.tools import run, tool

_PINNED: Final = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
_REPORTED_LINE: Final = re.compile(r"^\s*--> (?P<path>[^:]+):(?P<line>\d+)", re.MULTILINE)


def check_azd(file: Path, schema: Path, infra: Path) -> Findings:
    """Return what azd would refuse, and services whose resource no template tags."""
    findings = Findings()
    _validate([str(schema)], ["--schemafile"], file, findings)
    services: dict[str, Any] = (yaml.safe_load(file.read_text()) or {}).get("services") or {}
    templates = "\n".join(path.read_text() for path in sorted(infra.rglob("*.bicep")))
    for name, service in services.items():
        if f"'azd-service-name': '{name}'" not in templates:
            findings.add(file, 1, f"no resource carries the tag azd-service-name: {name}")
        for path in (service.get("project"), (service.get("docker") or {}).get("path")):
            if path and not (file.parent / path).exists():
                findings.add(file, 1, f"{path} is not there")
    return findings


def check_workflows(folder: Path) -> Findings:
    """Return what GitHub would refuse, what zizmor warns of, and actions that are not pinned to a commit."""
    findings = Findings()
    files = sorted(folder.glob("*.yml"))
    for file in files:
        _validate(["vendor.github-workflows"], ["--builtin-schema"], file, findings)
        _check_pins(file, findings)
    if files:
        settings = folder.parent / "zizmor.yml"
        choice: list[str | Path] = ["--config", settings] if settings.is_file() else ["--no-config"]
        options = ["--offline", "--persona", "pedantic", "--no-progress", "--color", "never"]
        done = run([tool("zizmor"), *options, *choice, *files, *sorted(folder.parent.glob("dependabot.yml"))])
        if done.returncode:
            places = list(_REPORTED_LINE.finditer(done.stdout))
            text = done.stdout.strip() or done.stderr.strip()
            findings.add(folder, int(places[0]["line"]) if places else 1, f"zizmor:\n{text}")
    return findings


def _validate(schema: list[str], option: list[str], file: Path, findings: Findings) -> None:
    done = run([tool("check-jsonschema"), *option, *schema, file.resolve()])
    if done.returncode:
        findings.add(file, 1, done.stdout.strip() or done.stderr.strip())


def _check_pins(file: Path, findings: Findings) -> None:
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        match = re.match(r"\s*(?:- )?uses:\s*(?P<used>\S+)(?P<rest>.*)", line)
        if match is None or match["used"].startswith("./"):
            continue
        if not _PINNED.match(match["used"]):
            findings.add(file, number, f"{match['used']} is not pinned to a commit")
        elif not re.match(r"\s+# v\d", match["rest"]):
            findings.add(file, number, f"{match['used']} does not say which version that is")
