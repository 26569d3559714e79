"""One request to a port of this machine."""

import contextlib
import http.client
import json
from typing import Any


def ask(port: int, method: str, path: str, body: Any = None, timeout_seconds: float = 20) -> tuple[int, dict[str, Any]]:
    """Return the status and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    with contextlib.closing(connection):
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
