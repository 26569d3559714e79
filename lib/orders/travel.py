"""The words of air travel: flight designators, booking references, ticket numbers, baggage tags, seats. Pure.

Each is kept in one canonical form, so that the same flight or ticket is found however it was typed.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from lib.identifiers.rules import IdentifierInvalidError, ticket_number

_DESIGNATOR: Final = re.compile(r"([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z]) ?([0-9]{1,4})([A-Z]?)", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_NO_PLATE_READ: Final = "0000000000"


@dataclass(frozen=True, slots=True)
class FlightDesignator:
    """An airline's code, its flight number without leading zeros, and the operational suffix if there is one."""

    airline: str
    number: int
    suffix: str = ""

    def __str__(self) -> str:
        """Return the canonical form, such as KL180 or U24511A."""
        return f"{self.airline}{self.number}{self.suffix}"


def read_designator(text: str) -> FlightDesignator:
    """Return the flight that a text names, written with or without a space, leading zeros or capitals.

    IATA SSIM: an airline code of two characters (or ICAO's three letters), one to four digits, an optional letter.

    Raises:
        ValueError: it names no flight.
    """
    found = _DESIGNATOR.fullmatch(text.strip().upper())
    if found is None or int(found[2]) == 0:
        raise ValueError("must be a flight designator, such as KL1234 or U2 350A")
    return FlightDesignator(found[1], int(found[2]), found[3])


def read_ticket(text: str) -> str:
    """Return a ticket number as its 13 digits; a check digit behind it has to be right.

    Raises:
        ValueError: it is no ticket number, or its check digit says that a digit is wrong.
    """
    try:
        return ticket_number(text)
    except IdentifierInvalidError as error:
        raise ValueError(f"is no ticket number: {error}") from None


@dataclass(frozen=True, slots=True)
class BagTag:
    """A baggage licence plate: what kind of tag it is, which airline issued it, and its serial number."""

    leading_digit: int
    issuer: str
    serial: str


def read_bag_tag(text: str) -> BagTag:
    """Return what a baggage licence plate says (IATA Resolution 740: ten digits).

    Raises:
        ValueError: it is no plate; ten zeros are what scanners write when they read none.
    """
    if len(text) != len(_NO_PLATE_READ) or not _DIGITS.fullmatch(text):
        raise ValueError("must be a baggage licence plate of ten digits")
    if text == _NO_PLATE_READ:
        raise ValueError("is what a scanner writes when it reads no plate")
    return BagTag(int(text[0]), text[1:4], text[4:])


def _bag_tag(text: str) -> str:
    read_bag_tag(text)
    return text


Designator = Annotated[
    str,
    Field(
        min_length=3,
        max_length=10,
        pattern=r"^[A-Za-z0-9]{2,3} ?[0-9]{1,4}[A-Za-z]?$",
        description="Flight designator; read back without spaces and leading zeros",
        examples=["IM204"],
    ),
    AfterValidator(lambda text: str(read_designator(text))),
]
Airport = Annotated[
    str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", description="IATA airport code", examples=["LHR"])
]
BookingReference = Annotated[
    str, Field(min_length=6, max_length=6, pattern="^[A-Z0-9]{6}$", description="PNR", examples=["K7QX2M"])
]
BookingClass = Annotated[
    str, Field(min_length=1, max_length=1, pattern="^[A-Z]$", description="Reservation booking designator (RBD)")
]
TicketNumber = Annotated[
    str,
    Field(
        max_length=15,
        pattern=r"^[0-9]{13,15}$",
        description="E-ticket number; a check digit behind it is checked. Read back as 13 digits",
        examples=["1252345678901"],
    ),
    AfterValidator(read_ticket),
]
BagTagNumber = Annotated[
    str,
    Field(
        min_length=10,
        max_length=10,
        pattern=r"^[0-9]{10}$",
        description="Baggage licence plate (IATA Resolution 740)",
        examples=["0125728359"],
    ),
    AfterValidator(_bag_tag),
]
Seat = Annotated[str, Field(min_length=2, max_length=3, pattern="^[1-9][0-9]?[A-HJ-L]$", examples=["12A"])]
Gate = Annotated[str, Field(min_length=1, max_length=5, pattern="^[A-Z0-9]{1,5}$", examples=["B42"])]
Terminal = Annotated[str, Field(min_length=1, max_length=5, pattern="^[A-Z0-9]{1,5}$", examples=["5"])]
