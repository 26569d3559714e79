"""The host's own API under /admin: status, ping, the list of functions, and running one by hand."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from local.host.keys import Keys
from local.host.loading import LoadedApp, LoadedFunction
from local.host.request import first_query_value
from local.host.response import Reply, empty_reply

VERSION = "4.local"
_FUNCTIONS = "/admin/functions"

# Starts a function with the given input and returns at once.
StartByHand: TypeAlias = Callable[[LoadedFunction, str], None]


@dataclass
class Admin:
    """Answers /admin requests; all but ping need the master key, and anything less gets an empty 401."""

    app: LoadedApp
    keys: Keys
    start_by_hand: StartByHand
    route_prefix: str
    state: str = "Starting"
    _started: float = field(default_factory=time.monotonic, repr=False)

    async def answer(self, method: str, path: str, headers: dict[str, str], query: str, body: bytes) -> Reply:
        """Return the reply to one admin request."""
        route = path.lower().rstrip("/")
        if route == "/admin/host/ping" and method in ("GET", "POST"):
            return 200, [(b"content-length", b"0"), (b"cache-control", b"no-store, no-cache")], b""
        handler = self._handler(method, route)
        if handler is None:
            return empty_reply(404)
        if not self.keys.allows("admin", headers.get("x-functions-key"), first_query_value(query, "code")):
            return empty_reply(401)
        return handler(path, body)

    def _handler(self, method: str, route: str) -> Callable[[str, bytes], Reply] | None:
        if method == "GET" and route == "/admin/host/status":
            return self._status
        if method == "GET" and route == _FUNCTIONS:
            return self._functions
        if method == "POST" and route.startswith(f"{_FUNCTIONS}/"):
            return self._run
        return None

    def _status(self, _path: str, _body: bytes) -> Reply:
        return _json(
            200,
            {
                "id": "local",
                "state": self.state,
                "ready": self.state == "Running",
                "version": VERSION,
                "versionDetails": VERSION,
                "processUptime": int((time.monotonic() - self._started) * 1000),
                "functionErrors": self.app.errors,
                "errors": [f"{name}: {reason}" for name, reason in self.app.errors.items()],
            },
        )

    def _functions(self, _path: str, _body: bytes) -> Reply:
        return _json(200, [self._described(function) for function in self.app.functions])

    def _described(self, function: LoadedFunction) -> dict[str, Any]:
        route = function.trigger.get("route") or function.name
        template = f"/{self.route_prefix}/{route}" if self.route_prefix else f"/{route}"
        return {
            "name": function.name,
            "script_root_path_href": None,
            "config": {"name": function.name, "bindings": function.bindings},
            "invoke_url_template": template if function.kind == "http" else None,
            "language": "python",
            "isDisabled": function.disabled,
        }

    def _run(self, path: str, body: bytes) -> Reply:
        wanted = path[len(_FUNCTIONS) + 1 :].rstrip("/").lower()
        function = next((one for one in self.app.functions if one.name.lower() == wanted), None)
        if function is None:
            return empty_reply(404)
        text = _input(body)
        if text is None:
            return empty_reply(400)
        self.start_by_hand(function, text)
        return empty_reply(202)


def _input(body: bytes) -> str | None:
    """Return the text to run with; None when the body is missing or no object with an `input`."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    value: Any = cast("dict[str, Any]", content).get("input", "")
    return value if isinstance(value, str) else json.dumps(value)


def _json(status: int, content: Any) -> Reply:
    body = json.dumps(content).encode()
    return status, [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(body))], body
