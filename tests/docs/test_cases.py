"""The page on cases is under test: its table is the code's, its codes and states are all there are."""

import re
from pathlib import Path

from lib.cases.models import CaseType, ResolutionCode
from lib.cases.states import CASE_MOVES, CaseState

PAGE = (Path(__file__).parents[2] / "docs" / "cases.md").read_text("utf-8")


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
