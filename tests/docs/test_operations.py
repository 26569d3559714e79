"""The runbook is under test: its commands exist, its tables name every state, its links lead somewhere."""

import json
import re
import shlex
from enum import StrEnum
from pathlib import Path

import pytest
import typer.main

from lib.failures.models import FailureKind, FailureState
from lib.mainframe.breaker import BreakerState
from lib.mainframe.status import DeliveryStatusState
from lib.reconciliation.models import ReconciliationState, Verdict
from lib.replays.models import ReplayRequest, ReplayState
from local.ops.app import app
from local.ops.exits import Exit

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text("utf-8")
HEADINGS = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
_PROMPTS = re.findall(r"^\$ (\./ops .+)$", RUNBOOK, re.MULTILINE)
_SHELL = [
    line.partition("#")[0]
    for block in re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("./ops")
]
_INLINE = re.findall(r"`(\./ops [^`]+)`", RUNBOOK)
COMMANDS = sorted({command.strip() for command in (*_PROMPTS, *_SHELL, *_INLINE)})


def words_of(command: str) -> list[str]:
    plain = command.replace("…", "").replace("|", ";").partition(" > ")[0].partition(";")[0]
    return shlex.split(plain)[1:]


def defects_of(command: str) -> list[str]:
    """Return the words of a command that the command line does not know."""
    words = words_of(command)
    tree = typer.main.get_command(app)
    while words and (known := getattr(tree, "commands", None)):
        if words[0] not in known:
            return [words[0]]
        tree = known[words.pop(0)]
    options = {option for parameter in tree.params for option in parameter.opts} | {"--help"}
    return [word for word in words if word.startswith("--") and word not in options]


class TestCommands:
    def test_are_found(self) -> None:
        assert len(COMMANDS) > 30

    @pytest.mark.parametrize("command", COMMANDS)
    def test_exist_with_their_options(self, command: str) -> None:
        if "COMMAND" not in command:
            assert defects_of(command) == []

    @pytest.mark.parametrize(
        "command", ["./ops statsu", "./ops replay start --dry", "./ops failures list --colour red"]
    )
    def test_that_do_not_exist_would_be_noticed(self, command: str) -> None:
        assert defects_of(command)

    def test_are_all_there(self) -> None:
        told = {tuple(words_of(command)[:2]) for command in COMMANDS}
        groups = {str(one.typer_instance.info.name): one.typer_instance for one in app.registered_groups}

        untold = [
            (name, command.name)
            for name, group in groups.items()
            for command in group.registered_commands
            if (name, command.name) not in told
        ]

        assert untold == []


class TestStates:
    @pytest.mark.parametrize(
        "states",
        [DeliveryStatusState, BreakerState, FailureKind, FailureState, ReplayState, ReconciliationState],
        ids=lambda states: states.__name__,
    )
    def test_are_all_explained(self, states: type[StrEnum]) -> None:
        meaning = RUNBOOK.split("## What each state means")[1].split("\n## ")[0]

        assert [state.value for state in states if f"`{state.value}`" not in meaning] == []

    def test_of_drift_are_all_explained(self) -> None:
        section = RUNBOOK.split("## Both sides differ")[1].split("\n## ")[0]

        assert [verdict.value for verdict in Verdict if verdict.drifted and f"`{verdict.value}`" not in section] == []

    def test_of_an_ending_command_are_the_exit_codes(self) -> None:
        table = RUNBOOK.split("| Exit code |")[1].split("\n\n")[0]

        assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set(Exit)


class TestAlerts:
    def test_are_those_that_are_provisioned_oldest_undelivered_first(self) -> None:
        rules = (ROOT / "infra" / "modules" / "alerts.bicep").read_text().split("var rules = [")[1].split("\n]")[0]
        table = RUNBOOK.split("## Alerts to set")[1].split("\n## ")[0]

        told = [
            name for cell in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall("`(.+?)`", cell)
        ]

        assert set(re.findall(r"name: '(.+)'", rules)) <= set(told)
        assert told[0] == "oldest-undelivered"

    def test_send_people_to_sections_that_there_are(self) -> None:
        alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()

        for title in re.findall(r'docs/operations\.md, "(.+?)"', alerts):
            assert title in HEADINGS


class TestRequest:
    def test_for_the_queue_is_one(self) -> None:
        [request] = re.findall(r"```json\n(.*?)```", RUNBOOK, re.DOTALL)

        assert ReplayRequest.model_validate(json.loads(request)).ticket == "OPS-1742"


class TestLinks:
    @pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", RUNBOOK))))
    def test_lead_somewhere(self, link: str) -> None:
        path, _, anchor = link.partition("#")

        assert not path or (ROOT / "docs" / path).exists()
        assert not anchor or anchor in {title.lower().replace(" ", "-") for title in HEADINGS}
