"""The small words of orders: names inside one order, quantities, and text that people write freely."""

from typing import Annotated

from pydantic import AfterValidator, Field

from lib.pan import without_card_numbers
from lib.text import plain_text

ItemId = Annotated[str, Field(min_length=1, max_length=20, pattern="^[A-Za-z0-9][A-Za-z0-9-]{0,19}$", examples=["out"])]
PassengerId = Annotated[
    str, Field(min_length=1, max_length=20, pattern="^[A-Za-z0-9][A-Za-z0-9-]{0,19}$", examples=["P1"])
]
Quantity = Annotated[int, Field(strict=True, ge=1, le=9999, json_schema_extra={"format": "int32"})]
Plain = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(plain_text), AfterValidator(without_card_numbers)
]
FreeText = Annotated[
    str,
    Field(min_length=1, max_length=500, description="Free text; card numbers in it are masked"),
    AfterValidator(plain_text),
    AfterValidator(without_card_numbers),
]
