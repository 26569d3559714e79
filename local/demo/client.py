"""Asks over HTTP and shows it: the request as a curl line, and what came back."""

import http.client
import json
import shlex
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, cast

_TIMEOUT_SECONDS = 20.0
_SHOWN_HEADERS = ("Location", "ETag", "Idempotency-Replayed")
_SHOWN_CHARACTERS = 600
# Straight to this machine, whatever proxies are configured.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class NotAsPromisedError(Exception):
    """A step ended otherwise than it should; the message says what was expected and what came."""


class NobodyAnswersError(Exception):
    """Nothing listens at an address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    text: str

    def json(self) -> dict[str, Any]:
        """Return the body as an object. Raises NotAsPromisedError when it is none."""
        try:
            content: Any = json.loads(self.text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise NotAsPromisedError(f"expected a JSON object, got {self.text[:80]!r}")
        return cast("dict[str, Any]", content)

    def header(self, name: str) -> str:
        """Return a header. Raises NotAsPromisedError when it is missing."""
        value = self.headers.get(name)
        if value is None:
            raise NotAsPromisedError(f"expected a header {name}, there was none")
        return value

    def require(self, status: int) -> "Answer":
        """Return this answer. Raises NotAsPromisedError when its status is another one."""
        if self.status != status:
            raise NotAsPromisedError(f"expected {status}, got {self.status} {self.text[:200]}")
        return self


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests, and shows them with their answers through `show` unless asked not to."""

    show: Callable[[str], None]

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        quietly: bool = False,
    ) -> Answer:
        """Send one request. Raises NobodyAnswersError when nothing listens there."""
        sent = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            sent.setdefault("Content-Type", "application/json")
        if not quietly:
            self.show(_curl(method, url, sent, data))
        answer = _send(urllib.request.Request(url, data, sent, method=method))  # noqa: S310 - addresses are ours
        if not quietly:
            self._show_answer(answer)
        return answer

    def _show_answer(self, answer: Answer) -> None:
        reason = http.client.responses.get(answer.status, "")
        headers = "".join(f"  {name}: {answer.headers[name]}" for name in _SHOWN_HEADERS if name in answer.headers)
        self.show(f"{answer.status} {reason}{headers}")
        if answer.text:
            cut = "..." if len(answer.text) > _SHOWN_CHARACTERS else ""
            self.show(answer.text[:_SHOWN_CHARACTERS] + cut)


def _send(request: urllib.request.Request) -> Answer:
    try:
        with _open(request, timeout=_TIMEOUT_SECONDS) as response:
            return Answer(response.status, response.headers, response.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:  # every status but 2xx; it is an answer like any other here
        with error:
            return Answer(error.code, error.headers, error.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        raise NobodyAnswersError(request.full_url) from error


def _curl(method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> str:
    parts = ["curl", *([] if method == "GET" else ["-X", method]), url]
    for name, value in headers.items():
        parts += ["-H", f"{name}: {value}"]
    if data is not None:
        parts += ["-d", data.decode()]
    return "$ " + " ".join(shlex.quote(part) for part in parts)
