"""Numbers as a mainframe keeps them: zoned, the sign punched over the last digit, or packed two digits to a byte.

Readers take every sign that hardware writes (A, C, E, F plus; B, D minus); writers write the preferred ones (C plus,
D minus, F for a picture without S).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lib.mainframe.errors import RecordError
from lib.mainframe.items import Number

_PLUS = "{ABCDEFGHI"  # bytes C0 to C9 in every code page we allow
_MINUS = "}JKLMNOPQR"  # bytes D0 to D9
_POSITIVE_SIGNS = frozenset({"a", "c", "e", "f"})
_NEGATIVE_SIGNS = frozenset({"b", "d"})


def number_reader(number: Number, path: str, start: int) -> Callable[[str, bytes], int | Decimal]:
    """Return the function that takes a number out of a record."""
    end = start + number.size
    digits_of = _packed_digits if number.packed else _zoned_digits

    def read(_: str, record: bytes) -> int | Decimal:
        return _value(number, digits_of(number, path, record[start:end]))

    if number.packed or number.signed or number.has_point:
        return read
    piece = slice(start, end)

    def read_plain(text: str, record: bytes) -> int | Decimal:
        digits = text[piece]
        if digits.isascii() and digits.isdigit():
            return int(digits)
        return read(text, record)

    return read_plain


def _zoned_digits(number: Number, path: str, field: bytes) -> str:
    """Return sign and digits; the sign is the upper half of the last byte."""
    nibbles = field.hex()
    digits, zones = nibbles[1::2], nibbles[0::2]
    if zones[:-1].strip("f") or not digits.isdigit():
        raise RecordError(path, "not a zoned number")
    return _sign(number, path, zones[-1]) + digits


def _packed_digits(number: Number, path: str, field: bytes) -> str:
    """Return sign and digits; the sign is the last nibble, and an even count of digits has a spare one in front."""
    nibbles = field.hex()
    digits = nibbles[:-1]
    if not digits.isdigit():
        raise RecordError(path, "not a packed number")
    if len(digits) > number.digits and digits[0] != "0":
        raise RecordError(path, f"more than {number.digits} digits")
    return _sign(number, path, nibbles[-1]) + digits


def _sign(number: Number, path: str, nibble: str) -> str:
    if nibble in _POSITIVE_SIGNS:
        return ""
    if nibble not in _NEGATIVE_SIGNS:
        raise RecordError(path, "no valid sign")
    if not number.signed:
        raise RecordError(path, "negative, though its picture has no sign")
    return "-"


def _value(number: Number, digits: str) -> int | Decimal:
    if not number.has_point:
        return int(digits)
    if not number.scale:
        return Decimal(int(digits))
    whole = int(digits)  # minus zero is zero
    sign = "-" if whole < 0 else ""
    text = str(abs(whole)).zfill(number.scale + 1)
    return Decimal(f"{sign}{text[: -number.scale]}.{text[-number.scale :]}")


def number_writer(number: Number, path: str, code_page: str) -> Callable[[Any], str]:
    """Return the function that makes a number the text whose bytes, in this code page, are the field."""
    digits, signed = number.digits, number.signed
    finish = _packer(signed=signed, code_page=code_page) if number.packed else _zoner(signed=signed)
    limit = 10**digits
    padded = digits + 1 - digits % 2 if number.packed else digits

    def write(value: Any) -> str:
        whole = value if type(value) is int else _scaled(number, path, value)
        if number.scale and whole is value:
            whole = value * 10**number.scale
        if whole < 0 and not signed:
            raise RecordError(path, "negative, though its picture has no sign")
        if not -limit < whole < limit:
            raise RecordError(path, f"more than {digits} digits")
        return finish(str(abs(whole)).zfill(padded), whole < 0)

    return write


def _scaled(number: Number, path: str, value: Any) -> int:
    """Return a decimal as the whole number that its digits make; nothing is rounded away."""
    if not isinstance(value, Decimal):
        raise RecordError(path, f"{type(value).__name__} instead of a whole number or Decimal")
    if not value.is_finite():
        raise RecordError(path, "not a number")
    if not value:
        return 0
    if value.adjusted() >= number.digits - number.scale:
        raise RecordError(path, f"more than {number.digits - number.scale} digits before the point")
    sign, places, exponent = value.as_tuple()
    written = "".join(map(str, places))
    significant = written.rstrip("0")
    shift = int(exponent) + number.scale + len(written) - len(significant)
    if shift < 0:
        raise RecordError(path, f"more than {number.scale} digits behind the point")
    whole = int(significant) * 10**shift
    return -whole if sign else whole


def _zoner(*, signed: bool) -> Callable[[str, bool], str]:
    if not signed:
        return lambda text, _: text
    return lambda text, negative: text[:-1] + (_MINUS if negative else _PLUS)[int(text[-1])]


def _packer(*, signed: bool, code_page: str) -> Callable[[str, bool], str]:
    def pack(text: str, negative: bool) -> str:
        sign = "f" if not signed else "d" if negative else "c"
        return bytes.fromhex(text + sign).decode(code_page)

    return pack
