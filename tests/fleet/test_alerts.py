"""Alerts and scaling name things of the code: log events and functions. They must be there."""

import re
from pathlib import Path

import pytest

from functions.assembly import assemble
from local.infra.templates import evaluator_of
from local.infra.values import elements_of

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = _ROOT / "infra" / "modules"
_EVENT = re.compile(r'entry\.event\) == "(?P<event>[\w.]+)"')
_FIELD = re.compile(r"entry\.(?P<field>\w+)")


def _written() -> str:
    return "\n".join(path.read_text() for room in ("lib", "functions") for path in (_ROOT / room).rglob("*.py"))


def _events() -> list[str]:
    return sorted(set(_EVENT.findall((_MODULES / "alerts.bicep").read_text())))


class TestAlerts:
    @pytest.mark.parametrize("event", _events())
    def test_ask_for_events_that_the_code_writes(self, event: str) -> None:
        assert f'"{event}"' in _written()

    def test_cover_every_promise(self) -> None:
        rules = elements_of(evaluator_of(_MODULES / "alerts.bicep").of("rules"))

        names = {str(rule.members["name"][0].literal) for rule in rules if rule.members}

        assert names == {
            "oldest-undelivered",
            "failures",
            "poison-depth",
            "server-errors",
            "read-latency",
            "write-latency",
        }

    def test_hold_latency_to_what_was_promised(self) -> None:
        rules = elements_of(evaluator_of(_MODULES / "alerts.bicep").of("rules"))

        limits = {
            str(rule.members["name"][0].literal): rule.members["threshold"][0].literal for rule in rules if rule.members
        }

        assert (limits["read-latency"], limits["write-latency"]) == (700, 1200)


class TestAlwaysReady:
    def test_names_functions_that_there_are(self) -> None:
        source = (_MODULES / "function-app.bicep").read_text()
        named = set(re.findall(r"'function:(\w+)'", source))

        functions = {function.get_function_name() for function in assemble().get_functions()}

        assert named
        assert named <= functions
