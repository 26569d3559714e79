"""azure.yaml and the workflows are what azd and GitHub take, and mistakes of every kind are told."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from local.infra.delivery import check_azd, check_workflows
from tests.infra.planting import ROOT, copied, plant

_SCHEMA = ROOT / "infra" / "schemas" / "azd" / "azure.yaml.json"
_AZD_MISTAKES = {
    "a hook that is none": ("preprovision:", "preprovide:", "preprovide"),
    "a host that is none": ("host: function", "host: functions", "functions"),
    "a service whose resource has no tag": ("  api:\n", "  apis:\n", "azd-service-name: apis"),
    "a file that is not there": ("infra/mainframe/Dockerfile", "infra/Dockerfile", "infra/Dockerfile is not there"),
}
_WORKFLOW_MISTAKES = {
    "a key that GitHub does not know": ("timeout-minutes: 15", "timeout-minute: 15", "timeout-minute"),
    "an action that is not pinned": (
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
        "actions/checkout@v4",
        "actions/checkout@v4 is not pinned to a commit",
    ),
    "a pin that does not say its version": (" # v4.2.2", "", "does not say which version that is"),
    "text of strangers in a script": (
        "run: make package",
        'run: echo "${{ github.event.pull_request.title }}"',
        "template-injection",
    ),
    "more rights than needed": ("permissions: {}", "permissions: write-all", "excessive-permissions"),
}


def _copied(tmp_path: Path) -> Path:
    copied(tmp_path)
    shutil.copyfile(ROOT / "azure.yaml", tmp_path / "azure.yaml")
    return tmp_path / "azure.yaml"


class TestCheckAzd:
    @pytest.mark.parametrize("mistake", _AZD_MISTAKES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        right, wrong, told = _AZD_MISTAKES[mistake]
        file = _copied(tmp_path)
        plant(file, right, wrong)

        assert told in "\n".join(map(str, check_azd(file, _SCHEMA, tmp_path / "infra").all()))


class TestCheckWorkflows:
    @pytest.mark.parametrize("mistake", _WORKFLOW_MISTAKES)
    def test_tells(self, mistake: str, tmp_path: Path) -> None:
        right, wrong, told = _WORKFLOW_MISTAKES[mistake]
        file = tmp_path / "pull-request.yml"
        shutil.copyfile(ROOT / ".github" / "workflows" / file.name, file)
        plant(file, right, wrong)

        assert told in "\n".join(map(str, check_workflows(tmp_path).all()))


class TestWorkflows:
    def test_hold_no_secret_but_the_token_of_the_run(self) -> None:
        sources = [path.read_text() for path in (ROOT / ".github").rglob("*") if path.is_file()]

        assert not [source for source in sources if "secrets." in source]

    def test_call_commands_that_there_are(self) -> None:
        called = {
            word.split()[1]
            for path in (ROOT / ".github").rglob("*")
            if path.is_file()
            for word in path.read_text().split("\n")
            for word in [word.strip().removeprefix("run: ")]
            if word.startswith("make ") and '"' not in word
        }
        makefile = (ROOT / "Makefile").read_text()

        assert {"test", "package", "smoke", "load"} <= called
        for target in called:
            assert f"\n{target}:" in makefile

    def test_ask_before_prod_and_go_back_after_a_failed_smoke_test(self) -> None:
        delivery = yaml.safe_load((ROOT / ".github" / "workflows" / "delivery.yml").read_text())["jobs"]

        assert delivery["prod"]["needs"] == "test"
        assert delivery["test"]["needs"] == "dev"
        assert delivery["prod"]["with"] == {"environment": "prod", "go-back": True}


class TestCheckChoices:
    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            ({}, ""),
            ({"ENVIRONMENT_TYPE": "test"}, ""),
            ({"ENVIRONMENT_TYPE": "prod", "MAINFRAME_HOST": "mainframe.example.com"}, ""),
            ({"ENVIRONMENT_TYPE": "staging"}, "ENVIRONMENT_TYPE is staging; it must be dev, test or prod"),
            ({"ENVIRONMENT_TYPE": "prod"}, "prod has no mock mainframe"),
        ],
    )
    def test_says_what_is_missing(self, environment: dict[str, str], said: str) -> None:
        done = subprocess.run(
            [ROOT / "infra" / "hooks" / "check-choices.sh"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert said in done.stderr
        assert done.returncode == (1 if said else 0)
