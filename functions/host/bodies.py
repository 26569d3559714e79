"""What a JSON body must be before anything looks at it: small, UTF-8, and JSON without traps."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from lib.errors import MalformedRequestError, TooLargeError, UnsupportedMediaTypeError

MAXIMUM_BODY_BYTES: Final = 256 * 1024
_MAXIMUM_DIGITS: Final = 40
_BOM: Final = b"\xef\xbb\xbf"


class UnreadableBodyError(MalformedRequestError):
    """The body is not JSON that has one meaning."""

    kind = "unreadable-body"
    title = "The body cannot be read"


def read_body(body: bytes, headers: Mapping[str, str]) -> Any:
    """Return what a request's body holds.

    Raises:
        UnsupportedMediaTypeError: it is not JSON by its content type, not UTF-8 by its charset, or encoded.
        TooLargeError: it is over 256 KiB.
        UnreadableBodyError: it is empty, not UTF-8, not JSON, or JSON that parsers read differently.
    """
    _check_media_type(headers)
    if len(body) > MAXIMUM_BODY_BYTES:
        raise TooLargeError(f"A body may have at most {MAXIMUM_BODY_BYTES} bytes.")
    if not body:
        if headers.get("transfer-encoding"):
            raise UnreadableBodyError("The body did not arrive: send it with a Content-Length, not in chunks.")
        raise UnreadableBodyError("The body is empty; JSON is expected.")
    if body.startswith(_BOM):
        raise UnreadableBodyError("The body begins with a byte order mark; leave it out (RFC 8259 section 8.1).")
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise UnreadableBodyError("The body is not UTF-8.") from None
    except RecursionError:
        raise UnreadableBodyError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise UnreadableBodyError(f"The body is not JSON: see line {error.lineno}, column {error.colno}.") from None


def _check_media_type(headers: Mapping[str, str]) -> None:
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise UnsupportedMediaTypeError("Encoded bodies are not taken; send the JSON as it is.")
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    essence = media_type.strip().lower()
    if essence not in {"application/json", "application/merge-patch+json"}:
        raise UnsupportedMediaTypeError("Send application/json (for a PATCH also application/merge-patch+json).")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaTypeError("JSON is taken in UTF-8 only.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableBodyError("The body names a member twice in one object.")
    for name in members:
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                raise UnreadableBodyError("The body has a member name that is not Unicode text.") from None
    return members


def _no_constant(_: str) -> float:
    raise UnreadableBodyError("The body holds NaN or Infinity, which JSON does not have.")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise UnreadableBodyError("The body holds a number that is too large.")
    return number


def _integer(text: str) -> int:
    if len(text) > _MAXIMUM_DIGITS:
        raise UnreadableBodyError("The body holds a number that is too large.")
    return int(text)
