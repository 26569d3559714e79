"""Holds the gateway's policies to what the gateway knows: well-formed, known elements in known sections."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from local.infra.findings import Findings

_SECTIONS: Final = ("inbound", "backend", "outbound", "on-error")
# What we use of https://learn.microsoft.com/azure/api-management/api-management-policies and the Consumption tier has.
_KNOWN: Final = {
    "base": set[str](),
    "choose": set[str](),
    "forward-request": {"timeout", "follow-redirects", "buffer-request-body"},
    "otherwise": set[str](),
    "rate-limit": {
        "calls",
        "renewal-period",
        "retry-after-header-name",
        "remaining-calls-header-name",
        "total-calls-header-name",
    },
    "return-response": set[str](),
    "set-body": set[str](),
    "set-header": {"name", "exists-action"},
    "set-status": {"code", "reason"},
    "value": set[str](),
    "when": {"condition"},
}
_REQUIRED: Final = {
    "rate-limit": {"calls", "renewal-period"},
    "set-header": {"name"},
    "set-status": {"code"},
    "when": {"condition"},
}


def check_policies(folder: Path) -> Findings:
    """Return what the gateway would refuse."""
    findings = Findings()
    for path in sorted(folder.glob("*.xml")):
        try:
            root = ET.parse(path).getroot()  # noqa: S314 - our own file
        except ET.ParseError as error:
            findings.add(path, error.position[0], f"not well-formed: {error}")
            continue
        sections = [section.tag for section in root]
        if root.tag != "policies" or sections != [name for name in _SECTIONS if name in sections]:
            findings.add(path, 1, f"the sections are {', '.join(_SECTIONS)}, in this order; not {', '.join(sections)}")
        for section in root:
            for element in section.iter():
                if element is not section:
                    _check(path, element, findings)
    return findings


def _check(path: Path, element: ET.Element, findings: Findings) -> None:
    if element.tag not in _KNOWN:
        findings.add(path, 1, f"there is no policy <{element.tag}> here")
        return
    for name in sorted(set(element.keys()) - _KNOWN[element.tag]):
        findings.add(path, 1, f"<{element.tag}> takes no {name}")
    for name in sorted(_REQUIRED.get(element.tag, set()) - set(element.keys())):
        findings.add(path, 1, f"<{element.tag}> lacks {name}")
    for expression in (*element.attrib.values(), element.text or ""):
        if expression.strip().startswith("@(") and expression.count("(") != expression.count(")"):
            findings.add(path, 1, f"brackets do not match in {expression.strip()}")
