"""Special meals are those of the reference table, with its rules on free text."""

import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from lib.preferences.meals import MealCode, free_text_of
from lib.preferences.models import Meal

with (Path(__file__).parents[1] / "data" / "reference" / "ssr_meal_codes.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))


class TestMealCode:
    def test_is_every_code_of_the_table_and_no_other(self) -> None:
        assert sorted(MealCode) == sorted(row["code"] for row in ROWS)

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
    def test_takes_free_text_as_the_table_says(self, row: dict[str, str]) -> None:
        assert free_text_of(MealCode(row["code"])) == row["free_text"]


class TestMeal:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
    @pytest.mark.parametrize("text", [None, "no nuts"])
    def test_is_refused_exactly_when_its_text_breaks_the_rule(self, row: dict[str, str], text: str | None) -> None:
        fits = row["free_text"] == "optional" or (row["free_text"] == "mandatory") == (text is not None)

        try:
            Meal(code=MealCode(row["code"]), text=text)
        except ValidationError:
            taken = False
        else:
            taken = True

        assert taken == fits
