"""What a function returned, as the real host puts it on the wire."""

from http.cookies import SimpleCookie
from typing import Any, TypeAlias

import azure.functions as func

Reply: TypeAlias = tuple[int, list[tuple[bytes, bytes]], bytes]

# The host frames the body itself, so what the function says about framing is dropped.
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection", "keep-alive"))
_BODILESS = frozenset((204, 304))
_LEAST_STATUS, _MOST_STATUS = 200, 599


class ResponseError(Exception):
    """The function's return value cannot be sent; the caller gets an empty 500."""


def empty_reply(status: int) -> Reply:
    """Return a status with nothing else, the form of the host's own refusals."""
    return status, [(b"content-length", b"0")], b""


def encode_response(result: Any, *, is_head: bool = False) -> Reply:
    """Return the reply: one value per header name (the last), cookies apart, nothing for None."""
    if result is None:
        return empty_reply(200)
    if isinstance(result, str):
        body = result.encode()
        return 200, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))], body
    if not isinstance(result, func.HttpResponse):
        raise ResponseError(f"an HTTP function must return HttpResponse or str, not {type(result).__name__}.")
    status = result.status_code
    if not _LEAST_STATUS <= status <= _MOST_STATUS:
        raise ResponseError(f"status {status} is none that can be sent.")
    fields, cookies, length = _fields(result)
    body = b"" if status in _BODILESS else result.get_body()
    try:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    except UnicodeEncodeError as error:
        raise ResponseError("a response header holds characters that no header can carry.") from error
    if is_head and length is not None:
        headers.append((b"content-length", length.encode("latin-1")))
    elif status not in _BODILESS:
        headers.append((b"content-length", b"%d" % len(body)))
    return status, headers, body


def _fields(result: func.HttpResponse) -> tuple[dict[str, str], list[str], str | None]:
    fields: dict[str, str] = {}
    cookies: list[str] = []
    length: str | None = None
    for name, value in result.headers.items():
        lowered = str(name).lower()
        if lowered == "set-cookie":
            # Through the parser as in the worker, which loses attributes it does not know.
            cookies.extend(morsel.OutputString() for morsel in SimpleCookie(value).values())
        elif lowered == "content-length":
            length = value
        elif lowered not in _FRAMING:
            fields[lowered] = value
    if "content-type" not in fields:
        kind = str(result.mimetype)
        fields["content-type"] = f"{kind}; charset={result.charset}" if kind.startswith("text/") else kind
    return fields, cookies, length
