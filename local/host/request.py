"""The HTTP request as the real host hands it to a Python function."""

import codecs
import re
from collections.abc import ItemsView, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from azure.functions import _http as functions_headers  # pyright: ignore[reportPrivateUsage] - its headers have no public name
from azure.functions import http as functions_http

_PLAIN_PATH = re.compile(rb"(?!.*/\.)[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_TO_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]")
_SLASH = re.compile(rb"(%2[fF])")


class RequestHeaders(functions_headers.HttpRequestHeaders):
    """The library's headers over names that are lower-case already; its own views look every name up again."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.__http_headers__ = headers

    def items(self) -> ItemsView[str, str]:
        """Return the pairs, straight from the dictionary."""
        return self.__http_headers__.items()


class HostRequest(functions_http.HttpRequest):
    """The library's request with those headers."""

    def __init__(self, headers: dict[str, str], **parts: Any) -> None:
        super().__init__(headers={}, **parts)
        self._lowered = RequestHeaders(headers)

    @property
    def headers(self) -> RequestHeaders:
        """The headers, case-insensitive as ever."""
        return self._lowered


class BadPathError(Exception):
    """The path holds what Kestrel refuses to decode: the answer is 400."""


def read_path(raw: bytes) -> tuple[str, str]:
    """Return the decoded path that routes are matched against, and the escaped one for URLs and logs.

    `%2F` stays escaped in both, dot segments are resolved, and bytes that are no UTF-8 stay as they came.
    """
    if _PLAIN_PATH.fullmatch(raw):
        text = raw.decode("ascii")
        return text, text
    decoded = _without_dots(_decoded(raw))
    return decoded, _TO_ESCAPE.sub(_escaped, decoded)


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return lower-cased names with their values; several values of one name are joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1")
        try:
            value = raw_value.decode()
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        earlier = headers.get(name)
        headers[name] = value if not earlier else f"{earlier},{value}" if value else earlier
    return headers


def read_query(query: str) -> dict[str, str]:
    """Return the parameters: repeated keys joined by commas in whatever case they came, empty values dropped."""
    if not query:
        return {}
    params: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for name, value in _query_pairs(query):
        if value:
            first = spelled.setdefault(name.lower(), name)
            params[first] = f"{params[first]},{value}" if first in params else value
    return params


def first_query_value(query: str, wanted: str) -> str | None:
    """Return the first value of a parameter as the host itself reads it, or None when it is not there."""
    return next((value for name, value in _query_pairs(query) if name.lower() == wanted), None) if query else None


def build_request(
    scope: Mapping[str, Any],
    *,
    url_path: str,
    query: str,
    headers: dict[str, str],
    route_values: dict[str, str],
    body: bytes,
) -> functions_http.HttpRequest:
    """Build what the function gets. The URL keeps the query untouched, empty values and all."""
    host = headers.get("host")
    if host is None:
        server = scope.get("server") or ("localhost", None)
        host = f"{server[0]}:{server[1]}" if server[1] else str(server[0])
    question = f"?{query}" if query else ""
    return HostRequest(
        headers,
        method=scope["method"],
        url=f"{scope['scheme']}://{host}{url_path}{question}",
        params=read_query(query),
        route_params=route_values,
        body_type="bytes",
        body=body,
    )


def _query_pairs(query: str) -> Iterable[tuple[str, str]]:
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote_plus(name), unquote_plus(value)


def _decoded(raw: bytes) -> str:
    return "".join(
        piece.decode("ascii") if _SLASH.fullmatch(piece) else _ESCAPES.sub(_unescaped, piece).decode("utf-8", _KEEP)
        for piece in _SLASH.split(raw)
    )


def _unescaped(found: re.Match[bytes]) -> bytes:
    octets = bytes.fromhex(found[0].replace(b"%", b"").decode())
    if 0 in octets:
        raise BadPathError
    return octets


def _keep_escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"%{octet:02X}" for octet in error.object[error.start : error.end]), error.end


_KEEP = "local-host-keep-escaped"
codecs.register_error(_KEEP, _keep_escaped)


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) > 1 else "".join(f"%{octet:02X}" for octet in text.encode("utf-8", "replace"))


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
