"""What checkov finds is mended, or accepted with a reason; an acceptance that is no longer needed goes."""

from pathlib import Path

import pytest

from local.infra.security import ACCEPTED, check_security
from tests.infra.planting import copied, plant


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of three mistakes; checkov takes seconds to start, so it starts once."""
    infra = copied(tmp_path_factory.mktemp("planted"))
    plant(infra / "modules" / "host-storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false")
    plant(infra / "modules" / "identity.bicep", "param name string", "func f() string => 'x'\n\nparam name string")
    plant(infra / ACCEPTED, '"modules/function-app.bicep:plan"', '"modules/function-app.bicep:plane"')
    return "\n".join(map(str, check_security(infra).all()))


class TestCheckSecurity:
    def test_tells_of_a_weakness(self, told: str) -> None:
        assert "CKV_AZURE_3 account" in told

    def test_tells_of_a_weakness_nobody_argued(self, told: str) -> None:
        assert "CKV_AZURE_225 plan" in told

    def test_tells_of_an_argument_without_a_weakness(self, told: str) -> None:
        assert "CKV_AZURE_225 is no longer found for plane" in told

    def test_tells_of_a_file_that_was_not_looked_at(self, told: str) -> None:
        assert "identity.bicep:1: checkov cannot read this file" in told

    def test_tells_of_nothing_else(self, told: str) -> None:
        assert len(told.splitlines()) == 4


class TestAccepted:
    def test_is_always_argued(self) -> None:
        import json

        entries = json.loads((Path(__file__).resolve().parents[2] / "infra" / ACCEPTED).read_text())

        assert all(len(entry["reason"]) > 20 for entry in entries)
