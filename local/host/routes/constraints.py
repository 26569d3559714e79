"""The inline constraints of route templates: `{id:int}`, `{name:maxlength(20)}` and their kin."""

import contextlib
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

Constraint: TypeAlias = Callable[[str], bool]

_INT32 = (-(2**31), 2**31 - 1)
_INT64 = (-(2**63), 2**63 - 1)
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_PLAIN_NUMBER = re.compile(r"\s*[+-]?(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)[+-]?\s*")
_GUID = re.compile(
    r"\s*(?:[0-9a-fA-F]{32}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"
    r"|\([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\))\s*"
)
_ALPHA = re.compile(r"[a-zA-Z]*")
_DECIMAL_LIMIT = Decimal(2) ** 96
# .NET reads dates in many forms; these are the ones that a URL of ours could carry.
_DATE_FORMS = ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%d %B %Y", "%H:%M", "%H:%M:%S")


def parse_constraint(text: str) -> Constraint:
    """Return the test that one constraint stands for. Raises ValueError when there is no such constraint."""
    name, bracket, rest = text.partition("(")
    if not bracket:
        plain = _PLAIN.get(name.lower())
        if plain is None:
            raise ValueError(f"the route constraint '{text}' is unknown.")
        return plain
    if not rest.endswith(")"):
        raise ValueError(f"the route constraint '{text}' lacks its closing bracket.")
    argument = rest[:-1]
    if name.lower() == "regex":
        return _regex(argument)
    try:
        numbers = [int(part) for part in argument.split(",")]
    except ValueError:
        raise ValueError(f"the route constraint '{text}' needs whole numbers.") from None
    made = _with_numbers(name.lower(), numbers)
    if made is None:
        raise ValueError(f"the route constraint '{text}' is unknown.")
    return made


def _with_numbers(name: str, numbers: list[int]) -> Constraint | None:
    match name, numbers:
        case "length", [exact]:
            return _of_length(exact, exact)
        case "length", [least, most]:
            return _of_length(least, most)
        case "range", [least, most]:
            return _between(least, most)
        case _, [limit]:
            return _with_one_limit(name, limit)
        case _:
            return None


def _with_one_limit(name: str, limit: int) -> Constraint | None:
    makers: dict[str, Callable[[], Constraint]] = {
        "minlength": lambda: _of_length(limit, None),
        "maxlength": lambda: _of_length(0, limit),
        "min": lambda: _between(limit, _INT64[1]),
        "max": lambda: _between(_INT64[0], limit),
    }
    maker = makers.get(name)
    return maker() if maker else None


def _of_length(least: int, most: int | None) -> Constraint:
    return lambda value: least <= len(value) and (most is None or len(value) <= most)


def _between(least: int, most: int) -> Constraint:
    return lambda value: _is_integer(value, (least, most))


def _is_integer(value: str, limits: tuple[int, int]) -> bool:
    # The length first: Python refuses to read numbers of thousands of digits, with an error instead of an answer.
    return len(value) < 64 and bool(_INTEGER.fullmatch(value)) and limits[0] <= int(value) <= limits[1]  # noqa: PLR2004


def _is_float(value: str) -> bool:
    return bool(_NUMBER.fullmatch(value)) or value.strip().lower() in ("nan", "infinity", "-infinity", "∞", "-∞")


def _is_decimal(value: str) -> bool:
    if not _PLAIN_NUMBER.fullmatch(value):
        return False
    with contextlib.suppress(InvalidOperation):
        return abs(Decimal(value.strip().strip("+-").replace(",", ""))) < _DECIMAL_LIMIT
    return False


def _is_datetime(value: str) -> bool:
    with contextlib.suppress(ValueError):
        dt.datetime.fromisoformat(value.strip())
        return True
    for form in _DATE_FORMS:
        with contextlib.suppress(ValueError):
            dt.datetime.strptime(value.strip(), form)  # noqa: DTZ007 - only whether it is one
            return True
    return False


def _regex(pattern: str) -> Constraint:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"the route constraint regex({pattern}) is no regular expression: {error}.") from error
    return lambda value: compiled.search(value) is not None


_PLAIN: dict[str, Constraint] = {
    "alpha": lambda value: _ALPHA.fullmatch(value) is not None,
    "bool": lambda value: value.strip().lower() in ("true", "false"),
    "datetime": _is_datetime,
    "decimal": _is_decimal,
    "double": _is_float,
    "float": _is_float,
    "guid": lambda value: _GUID.fullmatch(value) is not None,
    "int": lambda value: _is_integer(value, _INT32),
    "long": lambda value: _is_integer(value, _INT64),
    "required": bool,
}
