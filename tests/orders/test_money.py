"""Money is exact, in the smallest units of its currency."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from lib.currencies import MINOR_UNITS
from lib.money import Money, total


class TestMoney:
    @pytest.mark.parametrize(
        ("given", "currency", "kept"),
        [("12.5", "EUR", "12.50"), ("0", "USD", "0.00"), ("700", "JPY", "700"), ("1.5", "KWD", "1.500")],
    )
    def test_is_written_with_the_decimals_of_its_currency(self, given: str, currency: str, kept: str) -> None:
        assert Money(amount=given, currency=currency).amount == kept

    @pytest.mark.parametrize(
        ("amount", "currency"),
        [
            ("0.005", "EUR"),
            ("1.5", "JPY"),
            ("-1", "EUR"),
            ("1e3", "EUR"),
            ("01", "EUR"),
            ("NaN", "EUR"),
            ("1", "EURO"),
            ("1", "XXX"),
            ("1", "eur"),
            ("1,50", "EUR"),
            ("\u0661", "EUR"),
        ],
    )
    def test_refuses_what_is_no_amount(self, amount: str, currency: str) -> None:
        with pytest.raises(ValidationError):
            Money(amount=amount, currency=currency)

    def test_never_is_a_number(self) -> None:
        with pytest.raises(ValidationError):
            Money.model_validate({"amount": 12.5, "currency": "EUR"})

    def test_zeros_behind_the_last_decimal_say_nothing(self) -> None:
        assert Money(amount="5.00", currency="JPY").amount == "5"


class TestTotal:
    def test_is_exact_where_floats_are_not(self) -> None:
        assert total([Decimal("0.10")] * 3, "EUR").amount == "0.30"

    def test_of_nothing_is_nothing(self) -> None:
        assert total([], "BHD").amount == "0.000"


class TestMinorUnits:
    def test_are_those_of_the_standard(self) -> None:
        by_units = {units: sorted(code for code, kept in MINOR_UNITS.items() if kept == units) for units in (0, 3)}

        assert len(by_units[0]) == 16
        assert by_units[3] == ["BHD", "IQD", "JOD", "KWD", "LYD", "OMN", "TND"]
        assert all(len(code) == 3 for code in MINOR_UNITS)
