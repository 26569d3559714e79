"""Blocked values: placeholders that systems and people write where they have nothing. They identify nobody.

Without this, everyone whose e-mail is `noreply@…` would look like one person. The rules are a table, so that adding one
is a line and no code. Values are compared in their normal form, phone numbers without their country code.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers

from lib.identifiers.models import Identifier, IdentifierType


@dataclass(frozen=True, slots=True)
class Block:
    """One rule: values that match the whole pattern are blocked, because of `why`."""

    pattern: str
    why: str


_NOBODY: Final = "null|nil|none|undefined|unknown|n/a|test|testing|dummy|default|tbd|xxx+"
_ONE_CHARACTER: Final = Block(r"(.)\1*", "one character, repeated")

BLOCKED: Final[Mapping[IdentifierType, Sequence[Block]]] = {
    IdentifierType.EMAIL: (
        Block(rf"({_NOBODY})([._-]?[0-9]{{0,4}})@.+", "stands for nobody"),
        Block(r"(no|do[._-]?not|dont)[._-]?reply([+._-].*)?@.+", "an address that nobody reads"),
        Block(r"(no|non|not|keine?|sin|pas)[._-]?(e-?mail|mail|address|provided|given)@.+", "says that there is none"),
        Block(r"(mailer-daemon|postmaster|nobody|anonymous|guest|noone|asdf+)@.+", "an address of everyone's"),
        Block(r".+@(test|none|noemail|nomail|mailinator)\.[a-z]+", "a domain for throwing away"),
        Block(r"(.)\1{2,}@.+", "one character, repeated"),
    ),
    IdentifierType.PHONE: (
        _ONE_CHARACTER,
        Block(r"0?1234567(8|89|890)?|9876543(2|21|210)?", "digits in a row"),
    ),
    IdentifierType.PASSPORT: (
        _ONE_CHARACTER,
        Block(rf"({_NOBODY.upper()})[0-9]*", "stands for nobody"),
        Block(r"0*1?234567(8|89|890)?", "digits in a row"),
        Block(r"(NO)?PASSPORT[0-9]*", "says that there is none"),
    ),
    IdentifierType.TICKET: (
        Block(r"[0-9]{3}([0-9])\1{9}", "one digit, repeated"),
        Block(r"([0-9])\1{12}", "one digit, repeated"),
        Block(r"[0-9]{3}(1234567890|0123456789)", "digits in a row"),
    ),
    IdentifierType.PNR: (
        _ONE_CHARACTER,
        Block(r"ABCDEF?G?H?|12345(6|67|678)?|(TEST|DUMMY|NOPNR)[A-Z0-9]{0,4}", "a placeholder"),
    ),
    IdentifierType.LOYALTY: (
        Block(r"[0-]+|(.)\1{2,}", "one character, repeated"),
        Block(rf"({_NOBODY.upper()})", "stands for nobody"),
    ),
    IdentifierType.EXTERNAL: (
        Block(
            rf"[^:]+:\s*(?i:{_NOBODY}|na|nan|-|-1|0+|true|false|\[object object\]|#ref!|#n/a)\s*", "stands for nobody"
        ),
    ),
}
_COMPILED: Final[Mapping[IdentifierType, Sequence[re.Pattern[str]]]] = {
    kind: [re.compile(block.pattern) for block in blocks] for kind, blocks in BLOCKED.items()
}


def is_blocked(identifier: Identifier) -> bool:
    """Tell whether a value is a placeholder that identifies nobody."""
    value = identifier.value
    if identifier.type is IdentifierType.PHONE:
        value = phonenumbers.national_significant_number(phonenumbers.parse(value, None))
    return any(pattern.fullmatch(value) for pattern in _COMPILED[identifier.type])
