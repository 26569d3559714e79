"""Money: a decimal as text and an ISO 4217 currency, exact to the currency's smallest unit and never a float."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from lib.currencies import MINOR_UNITS
from lib.parts import Part

AMOUNT_PATTERN: Final = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,3})?$"
_AMOUNT: Final = re.compile(AMOUNT_PATTERN, re.ASCII)


def _currency(value: str) -> str:
    if value not in MINOR_UNITS:
        raise ValueError("must be an ISO 4217 currency code in capitals")
    return value


def _amount(value: str) -> str:
    if not _AMOUNT.fullmatch(value):
        raise ValueError("must be a decimal as text, such as 12.50, not below zero")
    return value


Currency = Annotated[
    str,
    Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"]),
    AfterValidator(_currency),
]
Amount = Annotated[
    str,
    Field(max_length=22, pattern=AMOUNT_PATTERN, description="A decimal as text", examples=["12.50"]),
    AfterValidator(_amount),
]


class Money(Part):
    """An amount of a currency, with as many decimals as the currency has."""

    amount: Amount
    currency: Currency

    @model_validator(mode="before")
    @classmethod
    def _in_minor_units(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        amount, decimals = value.get("amount"), MINOR_UNITS.get(str(value.get("currency")))
        if decimals is None or not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
            return value  # the fields say what is wrong
        if len(amount.partition(".")[2].rstrip("0")) > decimals:
            raise ValueError(f"this currency has at most {decimals} decimals")
        return {**value, "amount": _written(Decimal(amount), decimals)}

    @property
    def value(self) -> Decimal:
        """The amount to reckon with."""
        return Decimal(self.amount)

    @classmethod
    def of(cls, value: Decimal, currency: str) -> Self:
        """Return an amount that is whole in the currency's smallest units."""
        return cls(amount=_written(value, MINOR_UNITS[currency]), currency=currency)


def total(parts: Iterable[Decimal], currency: str) -> Money:
    """Return the exact sum of amounts of one currency."""
    return Money.of(sum(parts, Decimal(0)), currency)


def _written(value: Decimal, decimals: int) -> str:
    return f"{value:.{decimals}f}"
