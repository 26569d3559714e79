"""The outermost layer of the HTTP API: traces, the gateway's key, bodies, and a last word on every defect.

Pure ASGI, because each middleware of the other kind costs about a tenth of a millisecond per request.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.host.bodies import MAXIMUM_BODY_BYTES, RawBody, check_size, read_body, read_file
from functions.host.problems import problem_of
from lib.errors import NotAuthenticatedError
from lib.telemetry import Trace, enter_trace

PUBLIC_PREFIX: Final = "/api/v1/"
GATEWAY_HEADER: Final = "x-gateway-key"
PARSED_BODY: Final = "platform.body"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_OPEN_PATHS: Final = frozenset({"/api/health"})
_FIXED_HEADERS: Final = ((b"x-content-type-options", b"nosniff"),)


class GatewayKeyMissingError(NotAuthenticatedError):
    """The request did not come through the gateway."""

    kind = "gateway-key-missing"

    def __init__(self) -> None:
        super().__init__("Call this API through its gateway.")


@dataclass(frozen=True, slots=True)
class Edge:
    """Wraps the API. `gateway_key` is asked at each request, so that nothing is configured at import.

    `files` are the paths to which files are posted, and what they may be.
    """

    app: ASGIApp
    gateway_key: Callable[[], str]
    files: Mapping[str, RawBody] = field(default_factory=dict[str, RawBody])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        trace = Trace.join(headers.get("traceparent") or _hosts_trace(scope))
        enter_trace(trace)
        started = False
        fixed = [*_FIXED_HEADERS, (b"trace-id", trace.trace_id.encode())]

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *fixed]
            await send(message)

        try:
            self._check_gateway(scope["path"], headers)
            if scope["method"] in _WITH_BODY:
                receive = await self._with_body(scope, receive, headers)
            await self.app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - an edge: whatever happened becomes an answer, and a defect is logged
            if not started:
                await problem_of(error, scope["path"])(scope, receive, answer)

    def _check_gateway(self, path: str, headers: dict[str, str]) -> None:
        if path.startswith("/api/private/") or path in _OPEN_PATHS:
            return
        expected = self.gateway_key()
        if expected and not hmac.compare_digest(headers.get(GATEWAY_HEADER, "").encode(), expected.encode()):
            raise GatewayKeyMissingError

    async def _with_body(self, scope: Scope, receive: Receive, headers: dict[str, str]) -> Receive:
        raw = self.files.get(scope["path"]) if scope["method"] == "POST" else None
        maximum = raw.maximum_bytes if raw else MAXIMUM_BODY_BYTES
        declared = headers.get("content-length", "")
        if declared.isdigit():
            check_size(int(declared[:20]), maximum)
        body = await _received(receive, maximum)
        if raw:
            scope[PARSED_BODY] = read_file(body, headers, raw)
        elif _expects_body(scope, body):
            scope[PARSED_BODY] = read_body(body, headers)
        done = False

        async def again() -> dict[str, Any]:
            nonlocal done
            if done:
                return {"type": "http.disconnect"}
            done = True
            # A file is taken from the scope: nobody shall hold it a second time.
            return {"type": "http.request", "body": b"" if raw else body, "more_body": False}

        return again


def _hosts_trace(scope: Scope) -> str | None:
    """Return the trace that the host gave this invocation, so that its telemetry and ours tell one story."""
    return getattr(scope.get("azure_functions.trace_context"), "trace_parent", None)


def _expects_body(scope: Scope, body: bytes) -> bool:
    """A POST without a body is an action (`/pause`); everything else that writes brings JSON."""
    return bool(body) or scope["method"] != "POST" or not scope["path"].startswith("/api/private/")


async def _received(receive: Receive, maximum: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        check_size(size, maximum)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
