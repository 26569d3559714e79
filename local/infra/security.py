"""Holds the templates to checkov's rules: what it finds is mended, or accepted with a reason that is written down."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.infra.findings import Findings, InfraError
from local.infra.tools import ROOT, run, tool

ACCEPTED: Final = "accepted-findings.json"
# checkov's parser is older than this decorator and would skip the file; it says nothing about the resource's content.
_TOO_NEW: Final = "@onlyIfNotExists()"


@dataclass(frozen=True, slots=True, order=True)
class Accepted:
    """A rule that does not hold for a resource, known and argued."""

    check: str
    file: str
    resource: str


def check_security(folder: Path) -> Findings:
    """Return what checkov finds in the templates of a folder and nobody has argued, and arguments without a finding."""
    findings = Findings()
    accepted = _accepted(folder / ACCEPTED, findings)
    met: set[Accepted] = set()
    with tempfile.TemporaryDirectory() as copy:
        _copy_readable(folder, Path(copy))
        done = run([tool("python"), ROOT / "local" / "infra" / "scan.py", copy])
    if done.returncode:
        raise InfraError(f"checkov failed: {done.stderr.strip()[-2000:]}")
    report = json.loads(done.stdout.splitlines()[-1])
    for path in report["unread"]:
        findings.add(Path(path).name, 1, "checkov cannot read this file")
    for found in report["failed"]:
        key = Accepted(found["check"], found["file"], found["resource"])
        met.add(key)
        if key not in accepted:
            findings.add(folder / key.file, found["line"], f"{key.check} {key.resource}: {found['says']}")
    for key in sorted(accepted.keys() - met):
        findings.add(folder / ACCEPTED, 1, f"{key.check} is no longer found for {key.resource} in {key.file}")
    return findings


def _accepted(path: Path, findings: Findings) -> dict[Accepted, str]:
    entries = json.loads(path.read_text()) if path.is_file() else []
    accepted: dict[Accepted, str] = {}
    for entry in entries:
        for resource in entry["resources"]:
            file, _, name = resource.partition(":")
            accepted[Accepted(entry["check"], file, name)] = entry["reason"]
        if not entry["reason"].strip():
            findings.add(path, 1, f"{entry['check']} is accepted without a reason")
    return accepted


def _copy_readable(source: Path, target: Path) -> None:
    for path in source.rglob("*.bicep"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        # An empty line in its place, so that line numbers stay.
        copy.write_text(path.read_text().replace(f"{_TOO_NEW}\n", "\n"))
