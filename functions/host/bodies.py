"""What a body must be before anything looks at it: small, of a kind that is taken, and JSON without traps.

An operation that takes a file instead says so in its declaration (`raw_body`): its bytes are passed on unread.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute

from lib.errors import TooLargeError, UnsupportedMediaTypeError
from lib.plain_json import UnreadableJsonError, read_json

MAXIMUM_BODY_BYTES: Final = 256 * 1024
_LIMIT: Final = "x-maximum-bytes"
_JSON: Final = frozenset({"application/json", "application/merge-patch+json"})
_JSON_WANTED: Final = "Send application/json (for a PATCH also application/merge-patch+json)."


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that is a file: what kind it is, and how large it may be."""

    media_type: str
    maximum_bytes: int


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A body that was passed on unread."""

    content: bytes

    @property
    def digest(self) -> str:
        """What makes two files the same."""
        return hashlib.sha256(self.content).hexdigest()


def raw_body(media_type: str, maximum_bytes: int, *, example: str) -> dict[str, Any]:
    """Return the part of an operation's declaration that says that its body is a file."""
    schema = {"type": "string", "format": "binary", "minLength": 1, "maxLength": maximum_bytes}
    content = {media_type: {"schema": schema, "example": example, _LIMIT: maximum_bytes}}
    return {"requestBody": {"required": True, "content": content}}


def raw_bodies(routers: Iterable[APIRouter]) -> dict[str, RawBody]:
    """Return which paths take files, as their operations declare it."""
    found: dict[str, RawBody] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.openapi_extra:
                for media_type, content in route.openapi_extra["requestBody"]["content"].items():
                    if _LIMIT in content:
                        found[route.path] = RawBody(media_type, content[_LIMIT])
    return found


def read_body(body: bytes, headers: Mapping[str, str]) -> Any:
    """Return what a request's body holds.

    Raises:
        UnsupportedMediaTypeError: it is not JSON by its content type, not UTF-8 by its charset, or encoded.
        TooLargeError: it is over 256 KiB.
        UnreadableJsonError: it is empty, not UTF-8, not JSON, or JSON that parsers read differently.
    """
    _check_media_type(headers, _JSON, _JSON_WANTED)
    check_size(len(body), MAXIMUM_BODY_BYTES)
    _check_arrived(body, headers, "JSON")
    return read_json(body)


def read_file(body: bytes, headers: Mapping[str, str], raw: RawBody) -> ReceivedFile:
    """Return a body that is a file, unread.

    Raises:
        UnsupportedMediaTypeError: it is of another kind, not UTF-8 by its charset, or encoded.
        UnreadableJsonError: it did not arrive.
    """
    _check_media_type(headers, frozenset({raw.media_type}), f"Send {raw.media_type}.")
    _check_arrived(body, headers, "a file")
    return ReceivedFile(body)


def check_size(size: int, maximum: int) -> None:
    """Raise TooLargeError for what is larger than is taken."""
    if size > maximum:
        raise TooLargeError(f"A body may have at most {maximum} bytes.")


def _check_arrived(body: bytes, headers: Mapping[str, str], expected: str) -> None:
    if body:
        return
    if headers.get("transfer-encoding"):
        raise UnreadableJsonError("The body did not arrive: send it with a Content-Length, not in chunks.")
    raise UnreadableJsonError(f"The body is empty; {expected} is expected.")


def _check_media_type(headers: Mapping[str, str], taken: frozenset[str], wanted: str) -> None:
    if headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise UnsupportedMediaTypeError("Encoded bodies are not taken; send it as it is.")
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in taken:
        raise UnsupportedMediaTypeError(wanted)
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaTypeError("JSON is taken in UTF-8 only.")
