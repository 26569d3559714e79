"""What makes two identifiers the same, and what is no identifier at all. Pure.

The same functions normalise what is kept and what is looked up, so the two can never disagree.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from lib.errors import FieldProblem, InvalidError
from lib.identifiers.blocked import is_blocked
from lib.identifiers.models import KINDS, MOST_OF_A_SOURCE, Identifier, IdentifierType
from lib.text import plain_text

MAXIMUM_TEXT_LENGTH: Final = 300
_POINTER: Final = "/identifier"
_SYSTEM: Final = re.compile(r"[a-z][a-z0-9._-]{0,39}", re.ASCII)
_LOYALTY: Final = re.compile(r"[A-Z0-9-]{3,20}", re.ASCII)
_PASSPORT: Final = re.compile(r"[A-Z0-9]{5,20}", re.ASCII)
_PNR: Final = re.compile(r"[A-Z0-9]{5,8}", re.ASCII)
_TICKET: Final = re.compile(r"[0-9]{13,15}", re.ASCII)
_DIGITS: Final = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_DOCUMENT_DIGITS: Final = 13
_CHECK_MODULUS: Final = 7
_LONGEST_ID: Final = 100


class IdentifierInvalidError(InvalidError):
    """The text is no identifier."""

    kind = "identifier-invalid"
    title = "Not an identifier"

    def __init__(self, why: str) -> None:
        super().__init__(f"The identifier cannot be used: {why}.", [FieldProblem(_POINTER, why)])


class IdentifierBlockedError(InvalidError):
    """The value stands for nobody: a placeholder that many records share."""

    kind = "identifier-blocked"
    title = "Blocked value"

    def __init__(self, identifier_type: IdentifierType) -> None:
        super().__init__(
            f"This value is blocked for {identifier_type}: it is a placeholder, is not indexed and identifies nobody.",
            [FieldProblem(_POINTER, "is a blocked value")],
        )


def parse(text: str) -> Identifier:
    """Return the identifier that `type:value` names; a word that is no type is a system: `<system>:<id>`.

    A system that is called like a type is reached as `external:<system>:<id>`.

    Raises:
        IdentifierInvalidError: it has no such form, or the value cannot be one of its type.
        IdentifierBlockedError: the value is blocked.
    """
    word, colon, value = text.partition(":")
    word = word.strip()
    if not colon or not value:
        raise IdentifierInvalidError("write it as type:value")
    if word not in _TYPES:
        word, value = IdentifierType.EXTERNAL.value, text
    found = normalised(IdentifierType(word), value)
    if is_blocked(found):
        raise IdentifierBlockedError(found.type)
    return found


def normalised(identifier_type: IdentifierType, text: str) -> Identifier:
    """Return a value of a type in the form in which it is compared, blocked or not.

    Raises:
        IdentifierInvalidError: the value cannot be one of this type.
    """
    return Identifier(identifier_type, _NORMAL_FORMS[identifier_type](unicodedata.normalize("NFC", text)))


def external(system: str, external_id: str) -> Identifier:
    """Return a customer's id in another system, both already checked by form."""
    return Identifier(IdentifierType.EXTERNAL, f"{system}:{unicodedata.normalize('NFC', external_id)}")


def chosen(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Return which identifiers of one source are indexed: not blocked, strongest types first, within the limits.

    Of one type, those that are given first are kept.
    """
    counts: dict[IdentifierType, int] = {}
    kept: list[Identifier] = []
    usable = [one for one in dict.fromkeys(identifiers) if not KINDS[one.type].unique and not is_blocked(one)]
    for one in sorted(usable, key=lambda each: KINDS[each.type].priority):
        counts[one.type] = counts.get(one.type, 0) + 1
        if counts[one.type] <= KINDS[one.type].most:
            kept.append(one)
    return tuple(kept[:MOST_OF_A_SOURCE])


def ticket_number(text: str) -> str:
    """Return the 13 digits of an e-ticket: airline code, form and serial number (IATA Resolution 722).

    A check digit may follow (the number modulo 7), and a coupon number may stand before a number with check digit,
    which is then over all 14 digits, as printed on coupons.

    Raises:
        IdentifierInvalidError: it has not these digits, or the check digit is wrong.
    """
    digits = _without(text, " -")
    if not _TICKET.fullmatch(digits):
        raise IdentifierInvalidError("a ticket number has 13 digits, with its check digit 14")
    if len(digits) == _DOCUMENT_DIGITS:
        return digits
    if int(digits[:-1]) % _CHECK_MODULUS != int(digits[-1]):
        raise IdentifierInvalidError("the check digit of the ticket number is wrong")
    return digits[:-1][-_DOCUMENT_DIGITS:]


def _email(text: str) -> str:
    try:
        valid = validate_email(plain_text(text.strip()), check_deliverability=False)
    except (EmailNotValidError, ValueError):
        raise IdentifierInvalidError("it is no e-mail address") from None
    # RFC 5321 leaves the case of the local part to its host; no host of note tells the cases apart, and people do not
    # either. Dots and tags stay: only the host knows whether they matter.
    return unicodedata.normalize("NFC", f"{valid.local_part.casefold()}@{valid.domain.casefold()}")


def _phone(text: str) -> str:
    trimmed = text.strip()
    digits = _without(trimmed, " ().-/\u00a0")
    if digits.startswith("00"):
        trimmed = f"+{digits[2:]}"
    elif _DIGITS.fullmatch(digits):
        # A plus in an address that was not escaped arrives as a space.
        trimmed = f"+{digits}"
    try:
        number = phonenumbers.parse(trimmed, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise IdentifierInvalidError("it is no phone number with its country code, such as +442071838750")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _external(text: str) -> str:
    system, _, external_id = text.partition(":")
    if not _SYSTEM.fullmatch(system):
        raise IdentifierInvalidError("the system's name has lower-case letters, digits, dots, dashes and underscores")
    if not 0 < len(external_id) <= _LONGEST_ID:
        raise IdentifierInvalidError("write it as external:system:id, the id with up to 100 characters")
    try:
        plain_text(external_id)
    except ValueError:
        raise IdentifierInvalidError("the id holds characters that no id has") from None
    # An id of another system is that system's own: neither trimmed nor folded.
    return f"{system}:{external_id}"


def _capitals(pattern: re.Pattern[str], why: str) -> Callable[[str], str]:
    def normal(text: str) -> str:
        value = _without(text, " \u00a0").upper()
        if not pattern.fullmatch(value):
            raise IdentifierInvalidError(why)
        return value

    return normal


def _without(text: str, characters: str) -> str:
    return text.translate({ord(character): None for character in characters})


_TYPES: Final = frozenset(kind.value for kind in IdentifierType)
_NORMAL_FORMS: Final[Mapping[IdentifierType, Callable[[str], str]]] = {
    IdentifierType.EMAIL: _email,
    IdentifierType.PHONE: _phone,
    IdentifierType.LOYALTY: _capitals(_LOYALTY, "a loyalty number has 3 to 20 letters, digits and dashes"),
    IdentifierType.PASSPORT: _capitals(_PASSPORT, "a passport number has 5 to 20 letters and digits"),
    IdentifierType.TICKET: ticket_number,
    IdentifierType.PNR: _capitals(_PNR, "a PNR locator has 5 to 8 letters and digits"),
    IdentifierType.EXTERNAL: _external,
}
