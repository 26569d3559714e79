"""JSON that has one meaning: what parsers read differently is refused before anything looks at it."""

import json
import math
from typing import Any, Final

from lib.errors import MalformedRequestError

BOM: Final = b"\xef\xbb\xbf"
_MAXIMUM_DIGITS: Final = 40


class UnreadableJsonError(MalformedRequestError):
    """The text is not JSON that has one meaning."""

    kind = "unreadable-body"
    title = "The body cannot be read"


class _TrapError(Exception):
    """What makes the JSON ambiguous, as the end of a sentence."""


def read_json(text: bytes, *, what: str = "body") -> Any:
    """Return what a JSON text holds; `what` it is begins the sentence of a refusal.

    Raises:
        UnreadableJsonError: it is not UTF-8, begins with a byte order mark, or is not JSON with one meaning.
    """
    if text.startswith(BOM):
        raise UnreadableJsonError(f"The {what} begins with a byte order mark; leave it out (RFC 8259 section 8.1).")
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_integer,
        )
    except _TrapError as trap:
        reason = str(trap)
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    except RecursionError:
        reason = "is nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"is not JSON: see line {error.lineno}, column {error.colno}"
    raise UnreadableJsonError(f"The {what} {reason}.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _TrapError("names a member twice in one object")
    for name in members:
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                raise _TrapError("has a member name that is not Unicode text") from None
    return members


def _no_constant(_: str) -> float:
    raise _TrapError("holds NaN or Infinity, which JSON does not have")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _TrapError("holds a number that is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > _MAXIMUM_DIGITS:
        raise _TrapError("holds a number that is too large")
    return int(text)
