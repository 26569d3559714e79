"""Payment card numbers in free text: found by rule, and never kept whole.

PCI DSS 4.0 requirements 3.4 and 3.5: a primary account number (PAN) may be shown with at most its first six and last
four digits. Every text that people write passes `without_card_numbers` before it is kept. What is found: 13 to 19
digits of any script, written together or with spaces, dashes or dots between them, that begin as an issuer's numbers
do, have a length that this issuer uses, and pass the Luhn check (ISO/IEC 7812-1, annex B).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

MASK: Final = "*"
SHORTEST: Final = 13
LONGEST: Final = 19
_SHOWN_FIRST: Final = 6
_SHOWN_LAST: Final = 4
_BASE: Final = 10
_ROUNDS: Final = 8

# Digits that are no decimal digits to Unicode but look like them: superscripts, subscripts, circled and the like.
_DIGIT: Final = (
    r"[\d\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd"
    r"\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\U0001f101-\U0001f10a]"
)
# What people put between the digits: spaces and line breaks, dashes, dots, underscores, slashes, and what is not seen.
_BETWEEN: Final = (
    r"[\s\-._/\u00ad\u00b7\u058a\u1806\u2010-\u2015\u2022\u2043\u2212\u30fb\ufe58\ufe63\uff0d\uff0e\u180e\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
_RUN: Final = re.compile(rf"{_DIGIT}(?:{_BETWEEN}{{0,3}}{_DIGIT}){{{SHORTEST - 1},}}")
_ASCII_RUN: Final = re.compile(rf"[0-9](?:[\s\-._/]{{0,3}}[0-9]){{{SHORTEST - 1},}}", re.ASCII)
_GROUP: Final = re.compile(rf"{_DIGIT}+")


@dataclass(frozen=True, slots=True)
class _Issuer:
    """A range of leading digits, and how long the numbers are that begin so."""

    first: int
    last: int
    digits: int
    lengths: frozenset[int]


def _issuer(first: int, last: int, *lengths: int) -> _Issuer:
    return _Issuer(first, last, len(str(first)), frozenset(lengths))


_FROM_16: Final = (16, 17, 18, 19)
# Ranges as the schemes publish them. 1 is UATP, whose cards buy air travel.
_ISSUERS: Final = (
    _issuer(4, 4, 13, 16, 18, 19),  # Visa
    _issuer(51, 55, 16),  # Mastercard
    _issuer(2221, 2720, 16),
    _issuer(34, 34, 15),  # American Express
    _issuer(37, 37, 15),
    _issuer(300, 305, 14, *_FROM_16),  # Diners Club
    _issuer(3095, 3095, 14, *_FROM_16),
    _issuer(36, 36, 14, 15, *_FROM_16),
    _issuer(38, 39, 14, *_FROM_16),
    _issuer(6011, 6011, *_FROM_16),  # Discover
    _issuer(644, 659, *_FROM_16),
    _issuer(62, 62, *_FROM_16),  # UnionPay
    _issuer(81, 82, *_FROM_16),  # UnionPay, RuPay
    _issuer(3528, 3589, *_FROM_16),  # JCB
    _issuer(2200, 2204, *_FROM_16),  # Mir
    _issuer(50, 50, 13, 14, 15, *_FROM_16),  # Maestro, RuPay, Verve, Elo
    _issuer(56, 58, 13, 14, 15, *_FROM_16),  # Maestro
    _issuer(60, 60, 16),  # RuPay
    _issuer(6304, 6304, 13, 14, 15, *_FROM_16),  # Maestro, Laser
    _issuer(6759, 6763, 13, 14, 15, *_FROM_16),  # Maestro, Switch
    _issuer(636, 639, 16, 18, 19),  # Maestro, InstaPayment, Elo
    _issuer(9792, 9792, 16),  # Troy
    _issuer(1, 1, 15),  # UATP
)


@dataclass(frozen=True, slots=True)
class _Digits:
    """The digits of one run: their values, where each stands in the text, and where numbers may begin and end.

    `phone` is where a telephone number begins, when the run begins like one: after a plus sign or 00.
    """

    values: str
    places: Sequence[int]
    starts: Sequence[int]
    ends: frozenset[int]
    phone: int | None


def without_card_numbers(text: str) -> str:
    """Return the text with every card number masked but for its first six and last four digits.

    What was not masked is as it was, separators among it, and so is the length of the text. A second pass changes
    nothing.
    """
    for _ in range(_ROUNDS):
        spans = list(_hidden(text))
        if not spans:
            return text
        text = _masked(text, spans)
    # A text made so that masking one number lays bare another, over and over: nothing of its runs is worth showing.
    return _RUN.sub(lambda run: _GROUP.sub(lambda group: MASK * len(group[0]), run[0]), text)


def _masked(text: str, places: Sequence[Sequence[int]]) -> str:
    characters = list(text)
    for hidden in places:
        for place in hidden:
            characters[place] = MASK
    return "".join(characters)


def _hidden(text: str) -> Iterator[Sequence[int]]:
    """Give the places of the digits to hide, card number by card number."""
    # Most texts are ASCII, where the smaller character classes take a fifth of the time.
    for run in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
        digits = _digits_of(run[0], run.start(), international=text[max(run.start() - 1, 0)] == "+")
        for start, end in _numbers(digits):
            yield digits.places[start + _SHOWN_FIRST : end - _SHOWN_LAST]


def _digits_of(run: str, offset: int, *, international: bool) -> _Digits:
    """Return the digits of a run. Numbers begin and end where a group does, leading zeros aside.

    A group longer than any card number may be several written together: there they begin and end anywhere.
    """
    values: list[str] = []
    places: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    for group in _GROUP.finditer(run):
        first = len(values)
        values.extend(str(unicodedata.digit(character)) for character in group[0])
        places.extend(range(offset + group.start(), offset + group.end()))
        last = len(values)
        if last - first > LONGEST:
            starts.extend(range(first, last))
            ends.extend(range(first + 1, last + 1))
            continue
        starts.append(first)
        ends.append(last)
        padding = next((index for index in range(first, last) if values[index] != "0"), first)
        if padding != first:
            starts.append(padding)
    digits = "".join(values)
    phone = 0 if international else 2 if digits.startswith("00") else None
    return _Digits(digits, places, starts, frozenset(ends), phone)


def _numbers(digits: _Digits) -> Iterator[tuple[int, int]]:
    """Give where card numbers begin and end among the digits of a run."""
    passes = _luhn(digits.values)
    for start in digits.starts:
        for issuer in _ISSUERS:
            head = digits.values[start : start + issuer.digits]
            if len(head) < issuer.digits or not issuer.first <= int(head) <= issuer.last:
                continue
            for length in issuer.lengths:
                end = start + length
                # Telephone numbers of central Europe have thirteen digits too, of which the first is a 4. Cards have
                # had sixteen for decades.
                if start == digits.phone and length == SHORTEST:
                    continue
                if end in digits.ends and passes(start, end):
                    yield start, end


def _luhn(values: str) -> Callable[[int, int], bool]:
    """Return a check of any stretch of these digits at the same cost, so that a long text of digits stays cheap."""
    plain = [int(value) for value in values]
    doubled = [2 * value - 9 if value >= _BASE // 2 else 2 * value for value in plain]
    # Every second digit from the right is doubled: the last one before an end is not.
    even = list(accumulate((doubled[i] if i % 2 == 0 else plain[i] for i in range(len(plain))), initial=0))
    odd = list(accumulate((doubled[i] if i % 2 else plain[i] for i in range(len(plain))), initial=0))

    def passes(start: int, end: int) -> bool:
        sums = even if end % 2 == 0 else odd
        return (sums[end] - sums[start]) % _BASE == 0

    return passes
