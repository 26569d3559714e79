"""What counts as text that a person may send: kept as given, without characters that hide or break things."""

import unicodedata
from typing import Final

# Bidirectional overrides and isolates reorder what readers see; marks (U+200E, U+200F) and joiners stay allowed,
# because Arabic, Persian and Indic names need them. See Unicode Technical Report 36, section 2.8.
_REORDERING: Final[frozenset[str]] = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORBIDDEN_CATEGORIES: Final[frozenset[str]] = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LAYOUT: Final = str.maketrans("\t\n\r", "   ")
_PLANE_SIZE: Final = 0x10000
_NONCHARACTER_TAIL: Final = 0xFFFE
_NONCHARACTER_BLOCK: Final = range(0xFDD0, 0xFDF0)


def same_text(one: str, other: str) -> bool:
    """Tell whether two texts are the same to a reader: equal in Unicode normalization form C."""
    return one == other or unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def plain_text(text: str) -> str:
    """Return the text as given.

    Raises:
        ValueError: it is blank, or holds control characters, line or paragraph separators, lone surrogates,
            noncharacters or characters that reorder what is read.
    """
    if text.isascii():
        if not text.isprintable():
            raise ValueError("must not hold control characters")
    elif any(_forbidden(character) for character in text):
        raise ValueError("must not hold control, reordering or invalid characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def prose(text: str) -> str:
    """Return a text of several lines as given: as `plain_text`, with line breaks and tabs.

    Raises:
        ValueError: as `plain_text`.
    """
    plain_text(text.translate(_LAYOUT))
    return text


def _forbidden(character: str) -> bool:
    if character in _REORDERING or unicodedata.category(character) in _FORBIDDEN_CATEGORIES:
        return True
    code = ord(character)
    return code in _NONCHARACTER_BLOCK or code % _PLANE_SIZE >= _NONCHARACTER_TAIL
