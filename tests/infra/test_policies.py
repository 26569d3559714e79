"""The gateway's policies are what the gateway takes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from functions.host.bodies import MAXIMUM_BODY_BYTES
from local.infra.policies import check_policies
from tests.infra.planting import ROOT, copied, plant

_POLICY = ROOT / "infra" / "policies" / "public-api.xml"
_MISTAKES = {
    "XML that is not well-formed": ("</inbound>", "</inbond>", "not well-formed"),
    "a policy that is none": ("<rate-limit ", "<rate-limits ", "there is no policy <rate-limits>"),
    "an attribute that is none": ("renewal-period=", "renewal-time=", "takes no renewal-time"),
    "an attribute left out": ('calls="600" ', "", "<rate-limit> lacks calls"),
    "a section that is none": ("<outbound>", "<outgoing>", "not well-formed"),
    "brackets that do not match": ("@(context.RequestId.ToString())", "@(context.RequestId.ToString()", "brackets"),
}


def _policy() -> ET.Element:
    return ET.parse(_POLICY).getroot()  # noqa: S314 - our own file


class TestCheckPolicies:
    def test_finds_nothing_in_ours(self) -> None:
        assert check_policies(_POLICY.parent).all() == []

    @pytest.mark.parametrize("mistake", _MISTAKES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        right, wrong, told = _MISTAKES[mistake]
        infra = copied(tmp_path)
        plant(infra / "policies" / _POLICY.name, right, wrong)

        assert told in "\n".join(map(str, check_policies(infra / "policies").all()))


class TestPublicApi:
    def test_shows_the_app_the_key_that_it_demands(self) -> None:
        headers = {header.get("name"): header for header in _policy().iter("set-header")}

        assert headers["X-Gateway-Key"].get("exists-action") == "override"
        assert headers["X-Gateway-Key"].findtext("value") == "{{gateway-key}}"

    def test_takes_no_word_for_who_is_calling(self) -> None:
        headers = {header.get("name"): header for header in _policy().iter("set-header")}

        assert headers["X-MS-CLIENT-PRINCIPAL-ID"].get("exists-action") == "delete"
        assert headers["x-functions-key"].get("exists-action") == "delete"

    def test_refuses_bodies_that_the_app_refuses(self) -> None:
        assert f"> {MAXIMUM_BODY_BYTES})" in (_policy().find(".//when") or ET.Element("")).get("condition", "")
