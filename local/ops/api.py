"""Asks the private API over HTTP: reads are tried again, writes never are, and every refusal becomes one sentence."""

import http.client
import json
import re
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import IO, Any, cast
from urllib.parse import quote, urlencode, urlsplit

from local.ops.connection import Connection
from local.ops.exits import Exit, OpsError

PRIVATE = "/api/private/v1"
_TIMEOUT_SECONDS = 30.0
_PAUSES_SECONDS = (0.3, 1.0)  # between the tries of a read
_LONGEST_PAUSE_SECONDS = 5.0
_PAGE = 200
_NEXT = re.compile(r'<([^>]*)>; *rel="?next"?')
_PASSING = frozenset({429, 502, 503, 504})
_EXIT_OF = {
    HTTPStatus.UNAUTHORIZED: Exit.UNREACHABLE,
    HTTPStatus.FORBIDDEN: Exit.UNREACHABLE,
    HTTPStatus.NOT_FOUND: Exit.NOT_FOUND,
    HTTPStatus.CONFLICT: Exit.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: Exit.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS: Exit.UNREACHABLE,
}


class UnreachableError(OpsError):
    """Nobody answers now, or nobody who can; it may pass."""

    def __init__(self, sentence: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence, Exit.UNREACHABLE, problem)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Api:
    """The private API of one copy of the platform."""

    connection: Connection

    def read(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what is at a path below the private API. A passing failure is tried again twice.

        Raises:
            OpsError: it is not there, or was refused.
        """
        return self._read(self._address(path, query))

    def items(self, path: str, query: Mapping[str, Any], *, at_most: int) -> tuple[list[dict[str, Any]], bool]:
        """Return the first items of a list, over as many pages as that takes, and whether that is all of them."""
        found: list[dict[str, Any]] = []
        for page in self._pages(self._address(path, {**query, "limit": min(at_most, _PAGE)})):
            found += cast("list[dict[str, Any]]", page.get("items") or [])
            if len(found) >= at_most:
                return found[:at_most], len(found) == at_most and not page.get("next")
        return found, True

    def lines(self, path: str) -> Iterator[dict[str, Any]]:
        """Return the documents of a download that has one per line, over as many parts as it has."""
        following: str | None = self._address(path)
        while following:
            answer = self._asked(following)
            if answer.status != HTTPStatus.OK:
                raise self._refusal(answer, _document(answer))
            yield from (json.loads(line) for line in answer.body.splitlines() if line)
            link = _NEXT.search(answer.headers.get("Link") or "")
            following = self._here(link[1]) if link else None

    def write(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send one write, once, under a key of its own.

        Raises:
            OpsError: it was refused, or nobody answered; then it may have been done all the same.
        """
        headers = {"Idempotency-Key": f"ops-{secrets.token_hex(16)}", "X-Actor": self.connection.actor}
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._send("POST", self._address(path), headers, content)
        except UnreachableError as error:
            raise UnreachableError(f"{error} It may have been done or not; doing it again is harmless.") from error
        return self._understood(answer)

    def _pages(self, address: str) -> Iterator[dict[str, Any]]:
        following: str | None = address
        while following:
            page = self._read(following)
            yield page
            following = self._here(str(page["next"])) if page.get("next") else None

    def _here(self, link: str) -> str:
        """Return a link as an address of this copy: the key never goes to one that an answer names."""
        parts = urlsplit(link)
        return f"{self.connection.url}{parts.path}?{parts.query}"

    def _read(self, address: str) -> dict[str, Any]:
        return self._understood(self._asked(address))

    def _asked(self, address: str) -> _Answer:
        headers = {"X-Actor": self.connection.actor}
        for pause_seconds in _PAUSES_SECONDS:
            try:
                answer = self._send("GET", address, headers, None)
            except UnreachableError:
                time.sleep(pause_seconds)
                continue
            if answer.status not in _PASSING:
                return answer
            time.sleep(max(pause_seconds, _retry_after_seconds(answer)))
        return self._send("GET", address, headers, None)

    def _address(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self.connection.url}{PRIVATE}{path}" + (f"?{urlencode(given)}" if given else "")

    def _send(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> _Answer:
        sent = {"Accept": "application/json", "x-functions-key": self.connection.key, **headers}
        request = urllib.request.Request(address, body, sent, method=method)  # noqa: S310 - the scheme was checked
        # A local copy is asked straight; one elsewhere through the proxy that the environment names, if it does.
        proxies = urllib.request.ProxyHandler({} if self.connection.local else None)
        opener = urllib.request.build_opener(proxies, _StayHere)
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
                return _Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, error.headers, error.read())
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(_why(self.connection.url, error)) from error

    def _understood(self, answer: _Answer) -> dict[str, Any]:
        document = _document(answer)
        if answer.status < HTTPStatus.MULTIPLE_CHOICES and document is not None:
            return document
        raise self._refusal(answer, document)

    def _refusal(self, answer: _Answer, problem: Mapping[str, Any] | None) -> OpsError:
        url, status = self.connection.url, answer.status
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return OpsError(f"{url} refused the key: set OPS_KEY to a function key of it.", Exit.UNREACHABLE, problem)
        if problem is None or "title" not in problem:
            moved = answer.headers.get("Location")
            detail = f"it redirects to {urlsplit(moved).netloc}" if moved else f"it answered {status}, not as expected"
            return UnreachableError(f"There is no private API at {url}: {detail}.")
        usual = Exit.UNREACHABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Exit.USAGE
        exit_code = _EXIT_OF.get(HTTPStatus(status), usual)
        sentence = _sentence(problem)
        return (
            UnreachableError(sentence, problem)
            if exit_code is Exit.UNREACHABLE
            else OpsError(sentence, exit_code, problem)
        )


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key is for one address."""

    def redirect_request(  # noqa: PLR0917 - the signature of the standard library
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Return nothing, so that the answer itself is shown."""


def segment(value: str) -> str:
    """Return an id as one part of a path, whatever it holds."""
    return quote(value, safe="")


def _document(answer: _Answer) -> dict[str, Any] | None:
    try:
        content: Any = json.loads(answer.body)
    except ValueError:
        return None
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _sentence(problem: Mapping[str, Any]) -> str:
    errors: list[dict[str, Any]] = problem.get("errors") or []
    detail = "; ".join(f"{error.get('pointer')} {error.get('detail')}" for error in errors) or problem.get("detail")
    said = f"{problem['title']}: {detail}" if detail else str(problem["title"])
    trace = problem.get("traceId")
    return f"{said} (trace {trace})" if trace else said


def _retry_after_seconds(answer: _Answer) -> float:
    asked = answer.headers.get("Retry-After") or ""
    return min(float(asked), _LONGEST_PAUSE_SECONDS) if asked.isdecimal() else 0.0


def _why(url: str, error: BaseException) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLError):
        return f"The certificate of {url} is not trusted ({reason.reason or 'unknown reason'})."
    if isinstance(reason, TimeoutError):
        return f"{url} did not answer within {_TIMEOUT_SECONDS:g} s."
    if isinstance(reason, ConnectionRefusedError):
        return f"Nobody listens at {url}."
    return f"{url} cannot be reached ({reason})."
