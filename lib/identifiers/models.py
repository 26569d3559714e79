"""What an identifier is: a type and a value in the one form in which it is compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class IdentifierType(StrEnum):
    """The kinds of identifiers, by the word before the colon."""

    EMAIL = "email"
    PHONE = "phone"
    LOYALTY = "loyalty"
    PASSPORT = "passport"
    TICKET = "ticket"
    PNR = "pnr"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier in its normal form; an external one's value is `<system>:<id>`. Its `repr` shows no value."""

    type: IdentifierType
    value: str

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"

    def __repr__(self) -> str:
        return f"Identifier({self.type}:…)"


@dataclass(frozen=True, slots=True)
class Kind:
    """What holds for one type.

    `most` is how many of one source (a profile, an order) are indexed; `priority` tells which types go first when a
    source has too many altogether, and which counts for more when two disagree (1 is the strongest). A `unique` value
    belongs to one customer: it is found by its claim, at once, and needs no index row.
    """

    priority: int
    most: int
    unique: bool = False


KINDS: Final[Mapping[IdentifierType, Kind]] = {
    IdentifierType.EXTERNAL: Kind(priority=1, most=20, unique=True),
    IdentifierType.LOYALTY: Kind(priority=2, most=1, unique=True),
    IdentifierType.PASSPORT: Kind(priority=3, most=5),
    IdentifierType.TICKET: Kind(priority=4, most=20),
    IdentifierType.PNR: Kind(priority=5, most=10),
    IdentifierType.EMAIL: Kind(priority=6, most=5),
    IdentifierType.PHONE: Kind(priority=7, most=5),
}
SENSITIVE: Final = frozenset({IdentifierType.PASSPORT})
"""Kept as keyed digests only, and not taken in addresses, which are logged on their way."""
MOST_OF_A_SOURCE: Final = 30
MOST_CUSTOMERS: Final = 200
"""A value that more customers share tells nobody apart: a lookup lists so many, and says that there are more."""
