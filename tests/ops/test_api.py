"""How the private API is asked, shown by a server that answers from a script."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from local.ops.api import Api
from local.ops.app import app
from local.ops.connection import Connection
from local.ops.exits import Exit, OpsError

_PROBLEM = {"title": "Not now", "status": 503, "detail": "Storage does not answer now.", "traceId": "0af7"}


@dataclass
class Scripted:
    """Answers with what `answers` holds, one after the other, and keeps what it was asked."""

    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def api(self) -> Api:
        return Api(Connection.of(url=f"http://127.0.0.1:{self.port}", key="k", actor="m.okafor"))


@pytest.fixture
def server() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.asked.append((self.command, self.path, dict(self.headers), body))
            status, headers, content = script.answers.pop(0)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        script.port = serving.server_address[1]
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield script
        serving.shutdown()
        thread.join()


class TestRead:
    def test_is_tried_again_while_the_platform_cannot_answer(self, server: Scripted) -> None:
        server.answers = [(503, {"Retry-After": "0"}, _PROBLEM), (502, {}, b"<html>"), (200, {}, {"state": "closed"})]

        assert server.api.read("/mainframe") == {"state": "closed"}

    def test_ends_with_the_sentence_and_the_trace(self, server: Scripted) -> None:
        server.answers = [(503, {}, _PROBLEM)] * 3

        with pytest.raises(OpsError) as refused:
            server.api.read("/mainframe")

        assert str(refused.value) == "Not now: Storage does not answer now. (trace 0af7)"
        assert refused.value.exit_code is Exit.UNREACHABLE

    def test_is_not_tried_again_when_it_was_refused(self, server: Scripted) -> None:
        server.answers = [(404, {}, {"title": "No such failure", "status": 404, "detail": "There is none."})]

        with pytest.raises(OpsError) as refused:
            server.api.read("/failures/fai_x")

        assert refused.value.exit_code is Exit.NOT_FOUND
        assert len(server.asked) == 1

    def test_names_what_is_wrong_with_each_part(self, server: Scripted) -> None:
        errors = [{"pointer": "/rate", "detail": "must be more"}, {"pointer": "/ticket", "detail": "is missing"}]
        server.answers = [(422, {}, {"title": "A rule", "status": 422, "detail": "See errors.", "errors": errors})]

        with pytest.raises(OpsError, match=r"^A rule: /rate must be more; /ticket is missing$") as refused:
            server.api.read("/replays")

        assert refused.value.exit_code is Exit.USAGE

    def test_takes_the_key_to_no_other_address(self, server: Scripted) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(0.2)
            elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}"
            server.answers = [
                (302, {"Location": f"{elsewhere}/x"}, b""),
                (200, {}, {"items": [1], "next": f"{elsewhere}/api/private/v1/replays?cursor=c"}),
                (200, {}, {"items": [2], "next": None}),
            ]

            with pytest.raises(OpsError, match="it redirects to 127") as redirected:
                server.api.read("/health")
            items = server.api.items("/replays", {}, at_most=10)

            with pytest.raises(TimeoutError):
                other.accept()
        assert redirected.value.exit_code is Exit.UNREACHABLE
        assert items == ([1, 2], True)
        assert server.asked[-1][1] == "/api/private/v1/replays?cursor=c"

    @pytest.mark.parametrize("body", [b"<html>Site disabled</html>", b"[]", b"", b"\xff"])
    def test_of_something_else_says_so(self, server: Scripted, body: bytes) -> None:
        server.answers = [(200, {}, body)]

        with pytest.raises(OpsError, match="There is no private API at") as refused:
            server.api.read("/health")

        assert refused.value.exit_code is Exit.UNREACHABLE


class TestItems:
    def test_says_whether_that_is_all(self, server: Scripted) -> None:
        page = {"items": [1, 2], "next": "/api/private/v1/failures?cursor=c"}
        server.answers = [(200, {}, page), (200, {}, page)]

        assert server.api.items("/failures", {}, at_most=2) == ([1, 2], False)
        assert server.api.items("/failures", {}, at_most=1) == ([1], False)

    def test_goes_on_over_an_empty_page(self, server: Scripted) -> None:
        server.answers = [(200, {}, {"items": [], "next": "/f?cursor=c"}), (200, {}, {"items": [3], "next": None})]

        assert server.api.items("/failures", {}, at_most=5) == ([3], True)


class TestLines:
    def test_goes_over_all_parts(self, server: Scripted) -> None:
        link = {"Link": '</api/private/v1/r?cursor=c>; rel="next"'}
        server.answers = [(200, link, b'{"id":1}\n{"id":2}\n'), (200, {}, b'{"id":3}\n')]

        assert [line["id"] for line in server.api.lines("/r")] == [1, 2, 3]


class TestWrite:
    def test_is_sent_once_with_a_key_of_its_own_and_the_actor(self, server: Scripted) -> None:
        server.answers = [(200, {}, {}), (200, {}, {})]

        server.api.write("/replays", {"reason": "ü"})
        server.api.write("/replays", {"reason": "ü"})

        first, second = (headers for _, _, headers, _ in server.asked)
        assert first["X-Actor"] == "m.okafor"
        assert first["Idempotency-Key"] != second["Idempotency-Key"]
        assert json.loads(server.asked[0][3]) == {"reason": "ü"}

    def test_is_never_tried_again(self, server: Scripted) -> None:
        server.answers = [(503, {}, _PROBLEM)]

        with pytest.raises(OpsError, match="Not now"):
            server.api.write("/mainframe/resume")

        assert len(server.asked) == 1

    def test_without_an_answer_says_that_it_may_have_been_done(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        api = Api(Connection.of(url=f"http://127.0.0.1:{port}", key="k", actor=None))

        with pytest.raises(OpsError, match="It may have been done or not"):
            api.write("/mainframe/resume")


class TestStatus:
    def test_tells_what_it_can_while_storage_is_out(self, server: Scripted) -> None:
        health = {
            "status": "degraded",
            "storage": {"condition": "down", "detail": "tables do not answer"},
            "queues": {},
        }
        server.answers = [(200, {}, health), *[(503, {}, _PROBLEM)] * 6]

        done = CliRunner().invoke(app, ["status", "--url", f"http://127.0.0.1:{server.port}"])

        assert done.exit_code == Exit.ATTENTION
        assert "! Storage: tables do not answer." in done.stdout
        assert "! Not now: Storage does not answer now. (trace 0af7)" in done.stdout
        assert "none" not in done.stdout
