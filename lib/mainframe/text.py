"""Write names and addresses of every script with the characters that the mainframe has.

As border systems do it: what the code page has stays as it is; else the letter is spelled as ICAO Doc 9303 recommends;
else as anyascii romanises it. Nobody is refused for the script of their name.
"""

import re
import unicodedata
from dataclasses import dataclass

from anyascii import anyascii

from lib.mainframe.errors import UnfitError
from lib.mainframe.icao import spelling_of
from lib.mainframe.layout import CODE_PAGES

_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")
_EMOJI_WORD = re.compile(r":[a-z0-9_+-]+:")
_PAGES = {page: frozenset(bytes(range(256)).decode(page)) for page in CODE_PAGES}
_INVISIBLE = frozenset({"Cf", "Cs", "Co"})

NOTHING_REMAINS = "NOTEXT"
TOO_LONG = "TOOLONG"
NOT_IN_CODE_PAGE = "CODEPAGE"


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the mainframe can hold it, and what that took."""

    text: str
    transliterated: bool = False
    cut: bool = False

    @property
    def altered(self) -> bool:
        """Tell whether the mainframe's text is not the customer's any more."""
        return self.transliterated or self.cut


def write_text(text: str, *, width: int, field: str, code_page: str = "cp037") -> Written:
    """Return a name or an address line as the mainframe can hold it, whatever its script.

    Line breaks and control characters become spaces, marks that print nothing are dropped, and what is longer than the
    field is cut. A blank text stays blank.

    Raises:
        UnfitError: something was there and nothing of it can be written, as with a name of emoji only.
    """
    wanted = _BREAKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if _is_in(wanted, code_page):
        plain, transliterated = wanted, False
    else:
        plain, transliterated = _spelled(wanted, code_page)
        if not plain and transliterated:
            plain = _code_points(wanted)
            if not plain:
                raise UnfitError(NOTHING_REMAINS, field, "none of its characters can be written")
    if len(plain) <= width:
        return Written(plain, transliterated)
    return Written(plain[:width].rstrip(), transliterated, cut=True)


def write_identifier(text: str, *, width: int, field: str, code_page: str = "cp037") -> str:
    """Return an identifier unchanged: a number that is cut or spelled differently names something else.

    Raises:
        UnfitError: it is longer than its field, or has a character that the code page lacks.
    """
    if len(text) > width:
        raise UnfitError(TOO_LONG, field, f"longer than the mainframe's {width} characters")
    if _BREAKS.search(text) or not _is_in(text, code_page):
        raise UnfitError(NOT_IN_CODE_PAGE, field, "a character that the mainframe does not have")
    return text


def _is_in(text: str, code_page: str) -> bool:
    return _PAGES[code_page].issuperset(text)


def _spelled(text: str, code_page: str) -> tuple[str, bool]:
    """Return the text with every character that the code page lacks spelled out, and whether a visible one was."""
    parts: list[str] = []
    altered = False
    for position, char in enumerate(text):
        if _is_in(char, code_page):
            parts.append(char)
        elif unicodedata.category(char) not in _INVISIBLE:
            altered = True
            parts.append(_spelling(text, position, code_page))
    return "".join(parts).strip(), altered


def _spelling(text: str, position: int, code_page: str) -> str:
    char = text[position]
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    spelling = spelling_of(
        char,
        ends_word=not after.isalpha(),
        in_capitals=char.isupper() and (after.isupper() or (before.isupper() and not after.islower())),
    )
    if spelling is None:
        spelling = anyascii(char)
        if _EMOJI_WORD.fullmatch(spelling):
            spelling = ""  # ":grinning:" is nobody's name
    return spelling if _is_in(spelling, code_page) else ""


def _code_points(text: str) -> str:
    """Return the letters' numbers, for a name of nothing but letters that no table and no romanisation spells."""
    return " ".join(f"U+{ord(char):04X}" for char in text if char.isalpha())
