"""The page on cases is under test: its commands are run, its table is the code's, its words are all there are."""

import re
import subprocess
from pathlib import Path

from lib.cases.models import CaseType, ResolutionCode
from lib.cases.rules import MAXIMUM_COMMENTS, MAXIMUM_COMMENTS_BEFORE_CUSTOMERS
from lib.cases.states import CASE_MOVES, CaseState
from local.stack import LocalStack

PAGE = (Path(__file__).parents[2] / "docs" / "cases.md").read_text("utf-8")


class TestCommands:
    def test_do_what_they_say(self, stack: LocalStack) -> None:
        blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        script = "set -e\n" + "\necho; echo '=== step ==='\n".join(blocks)
        script = script.replace("http://127.0.0.1:7071", stack.base_url).replace("local-key", stack.function_key)

        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)

        opened, looked_after, reopened = done.stdout.split("=== step ===")
        assert '"itemIds":["gift"]' in opened
        for part in ('"assignee":"j.kim"', '"visibility":"internal"', '"number":2', '"state":"resolved"'):
            assert part in looked_after
        assert "The whole lot" not in reopened.partition('"version"')[0]
        for part in ("Another one is on its way.", '"state":"open"', '"move_case_private"', "a gift for tomorrow"):
            assert part in reopened


class TestTable:
    def test_is_the_one_of_the_code(self) -> None:
        rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", PAGE, re.MULTILINE)

        told = {
            CaseState(state): {CaseState(name) for name in re.findall(r"`(\w+)`", targets)} for state, targets in rows
        }

        assert told == {state: set(targets) for state, targets in CASE_MOVES.items()}


class TestWords:
    def test_are_all_named(self) -> None:
        for word in (*CaseType, *ResolutionCode):
            assert f"`{word}`" in PAGE
        for number in (MAXIMUM_COMMENTS, MAXIMUM_COMMENTS_BEFORE_CUSTOMERS):
            assert f"{number:,}" in PAGE
