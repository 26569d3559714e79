"""The kinds of values a profile is made of: what each looks like on the wire, and what is refused."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lib.clock import rfc3339
from lib.countries import COUNTRY_CODES
from lib.pan import without_card_numbers
from lib.text import plain_text, prose

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LANGUAGE = re.compile(
    r"(?i:[a-z]{2,3}(-[a-z]{3}){0,3}|[a-z]{4,8})(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?"
    r"(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[0-9a-wy-z](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.ASCII | re.IGNORECASE,
)
_EARLIEST_BIRTH: Final = date(1875, 1, 1)
_EARLIEST_DATE: Final = date(1900, 1, 1)
_EARLIEST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)

MASK: Final = "*"
_SHOWN: Final = 3


def masked(value: str) -> str:
    """Return a sensitive value as it is read back: all but the last three characters hidden."""
    return MASK * (len(value) - _SHOWN) + value[-_SHOWN:]


def _only_dates(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date as YYYY-MM-DD")
    return value


def _birth(value: date) -> date:
    if value < _EARLIEST_BIRTH:
        raise ValueError("is too long ago for a living customer")
    return value


def _kept_date(value: date) -> date:
    if value < _EARLIEST_DATE:
        raise ValueError("is before 1900")
    return value


def _only_moments(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be a time as RFC 3339 with an offset, such as 2026-01-31T09:30:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        moment = value.astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueError("is outside the years 1970 to 9999") from None
    if moment < _EARLIEST_MOMENT:
        raise ValueError("is outside the years 1970 to 9999")
    return moment


def _email(value: str) -> str:
    try:
        validate_email(plain_text(value), check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None
    return value


def _phone(value: str) -> str:
    if _E164.fullmatch(value):
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(value)):
                return value
        except phonenumbers.NumberParseException:
            pass
    raise ValueError("must be a phone number in E.164 form, such as +442071838750")


def _country(value: str) -> str:
    if value not in COUNTRY_CODES:
        raise ValueError("must be an ISO 3166-1 alpha-2 country code in capitals")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError("must be a language tag (BCP 47), such as en or pt-BR")
    return value


_PLAIN = AfterValidator(plain_text)
Title = Annotated[str, Field(min_length=1, max_length=20), _PLAIN]
ShortText = Annotated[str, Field(min_length=1, max_length=40), _PLAIN]
Text = Annotated[str, Field(min_length=1, max_length=100), _PLAIN]
# What people write freely, with card numbers masked before anything sees it (PCI DSS): one line, and several.
REDACTED: Final = AfterValidator(without_card_numbers)
FreeLine = Annotated[str, Field(min_length=1, max_length=200), _PLAIN, REDACTED]
Prose = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(prose), REDACTED]
PostalCode = Annotated[str, Field(min_length=1, max_length=20), _PLAIN]
Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ada@example.com"]), AfterValidator(_email)]
Phone = Annotated[str, Field(max_length=16, pattern=r"^\+[1-9][0-9]{6,14}$"), AfterValidator(_phone)]
Country = Annotated[
    str,
    Field(min_length=2, max_length=2, pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2"),
    AfterValidator(_country),
]
Language = Annotated[
    str, Field(min_length=2, max_length=35, description="BCP 47 language tag"), AfterValidator(_language)
]
_DATE_SCHEMA: Final = {"type": "string", "format": "date", "maxLength": 10}
_MOMENT_SCHEMA: Final = {"type": "string", "format": "date-time", "maxLength": 35}
BirthDate = Annotated[date, BeforeValidator(_only_dates), AfterValidator(_birth), WithJsonSchema(_DATE_SCHEMA)]
Date = Annotated[date, BeforeValidator(_only_dates), AfterValidator(_kept_date), WithJsonSchema(_DATE_SCHEMA)]
Moment = Annotated[
    datetime,
    BeforeValidator(_only_moments),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema(_MOMENT_SCHEMA),
]
