"""Bad input as bytes on a socket, through the whole local host: what no HTTP client would send."""

import contextlib
import http.client
import io
import json
import re
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from azure.data.tables import TableServiceClient

from lib.customers.claims import IDENTIFIERS_TABLE
from lib.customers.store import CUSTOMERS_TABLE
from local.stack import LocalStack

MARK = secrets.token_hex(10)
GOOD = json.dumps({"lastName": MARK, "email": "ada@example.com", "loyalty": {"number": MARK}}).encode()
POST = b"POST /api/v1/customers HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
PROBLEM = "application/problem+json"
# The server in front of the function refused it before anybody looked.
REFUSED_BY_SERVER = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str | None
    body: bytes
    headers: str


class Received(io.BytesIO):
    """Bytes that pass for a socket."""

    def makefile(self, _mode: str) -> "Received":
        return self


def send(stack: LocalStack, *parts: bytes, pause_seconds: float = 0.0) -> Answer:
    """Send bytes as they are, and return the answer when it is whole."""
    with socket.create_connection(("127.0.0.1", stack.running_ports.app), timeout=20) as connection:
        for part in parts:
            with contextlib.suppress(ConnectionError):  # it may have been refused and closed already
                connection.sendall(part)
            time.sleep(pause_seconds)
        raw = b""
        while not is_whole(raw):
            received = connection.recv(65_536)
            assert received, f"closed after {raw!r}"
            raw += received
    answer = http.client.HTTPResponse(Received(raw))  # type: ignore[arg-type]
    answer.begin()
    return Answer(answer.status, answer.getheader("content-type"), answer.read(), str(answer.headers).lower())


def is_whole(raw: bytes) -> bool:
    head, ended, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(ended) and length is not None and len(body) >= int(length[1])


def post(*headers: bytes, body: bytes = GOOD, length: int | None = None) -> bytes:
    declared = len(body) if length is None else length
    return POST + b"".join(header + b"\r\n" for header in headers) + b"Content-Length: %d\r\n\r\n" % declared + body


def get(target: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: test\r\n\r\n"


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)
BIG = json.dumps({"lastName": MARK, "email": "ada@example.com", "firstName": "x" * 256 * 1024}).encode()

CASES: dict[str, tuple[bytes, int, str | None]] = {
    # bodies
    "chunked body arrives empty": (CHUNKED, 400, PROBLEM),
    "chunked and with a length": (post(b"Transfer-Encoding: chunked"), 400, REFUSED_BY_SERVER),
    "two lengths": (post(b"Content-Length: 5"), 400, REFUSED_BY_SERVER),
    "negative length": (post(length=-1), 400, REFUSED_BY_SERVER),
    "no body at all": (POST + b"\r\n", 400, PROBLEM),
    "over the API's limit": (post(body=BIG), 413, PROBLEM),
    "over the host's limit": (post(body=b"{", length=200_000_000), 413, None),
    # headers
    "line feed in the key": (post(b"Idempotency-Key: a\nX-Actor: b"), 400, REFUSED_BY_SERVER),
    "carriage return in the key": (post(b"Idempotency-Key: a\rX-Actor: b"), 400, REFUSED_BY_SERVER),
    "folded key": (post(b"Idempotency-Key: a\r\n X-Actor: b"), 400, REFUSED_BY_SERVER),
    "NUL in the key": (post(b"Idempotency-Key: a\0b"), 400, REFUSED_BY_SERVER),
    "two keys": (post(b"Idempotency-Key: a", b"Idempotency-Key: b c"), 400, PROBLEM),
    "bytes above ASCII in the key": (post(b"Idempotency-Key: \xff\xfe"), 400, PROBLEM),
    "escaped line end in a quoted key": (post(b'Idempotency-Key: "a%0d%0a b"'), 400, PROBLEM),
    # addresses
    "percent-encoding of no text": (get(b"/api/v1/customers/%ff"), 400, PROBLEM),
    "percent-encoding of nothing": (get(b"/api/v1/customers/%zz"), 404, PROBLEM),
    "percent-encoding of NUL": (get(b"/api/v1/customers/%00"), 400, None),
    "address of 9,000 characters": (get(b"/api/v1/customers/" + b"x" * 9000), 400, PROBLEM),
    "address of a million characters": (get(b"/api/v1/customers/" + b"x" * 1_000_000), 400, REFUSED_BY_SERVER),
    "query of 9,000 characters": (get(b"/api/v1/customers/x?" + b"x" * 9000), 404, PROBLEM),
    "unknown route": (get(b"/api/v1/nowhere"), 404, None),
    "unknown method": (POST.replace(b"POST", b"DELETE") + b"Content-Length: 0\r\n\r\n", 404, None),
    "private without a key": (get(b"/api/private/v1/customers"), 401, None),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, REFUSED_BY_SERVER),
}


def kept(stack: LocalStack, mark: str) -> list[str]:
    """Whatever holds the mark, in every table that a create writes to."""
    with TableServiceClient.from_connection_string(stack.connection_string) as service:
        rows = [
            dict(row)
            for name in (CUSTOMERS_TABLE, IDENTIFIERS_TABLE)
            for row in service.get_table_client(name).list_entities()
        ]
    return [str(row["RowKey"]) for row in rows if mark in str(row).lower()]


@pytest.fixture
def nothing_written(stack: LocalStack) -> Iterator[None]:
    yield
    assert kept(stack, MARK) == []


@pytest.mark.usefixtures("nothing_written")
class TestWire:
    @pytest.mark.parametrize("case", CASES)
    def test_bad_bytes_are_refused_and_nothing_is_written(self, stack: LocalStack, case: str) -> None:
        sent, status, content_type = CASES[case]

        answer = send(stack, sent)

        assert (answer.status, answer.content_type) == (status, content_type), answer.body[:500]
        if content_type is None:
            assert answer.body == b""
        if content_type == PROBLEM:
            problem = json.loads(answer.body)
            assert problem["status"] == status
            assert len(problem["instance"]) <= 2000
        assert "x-actor" not in answer.headers

    def test_a_body_that_stops_half_way_is_given_up(self, stack: LocalStack) -> None:
        whole = post()

        answer = send(stack, whole[:-20])

        assert (answer.status, answer.body) == (408, b"")

    def test_a_caller_that_leaves_half_way_is_forgotten(self, stack: LocalStack) -> None:
        with socket.create_connection(("127.0.0.1", stack.running_ports.app)) as connection:
            connection.sendall(post()[:-20])

        assert send(stack, get(b"/api/health")).status == 200


class TestKept:
    def test_finds_what_a_good_request_wrote(self, stack: LocalStack) -> None:
        mark = secrets.token_hex(10)

        answer = send(stack, post(body=GOOD.replace(MARK.encode(), mark.encode())))

        assert answer.status == 201
        assert {"profile", "holder"} <= set(kept(stack, mark))


class TestIfMatch:
    @pytest.mark.parametrize(
        ("header", "status"),
        [(b'If-Match: "1-public"\rX: "', 400), (b'If-Match: "1-public"\n', 400), (b'If-Match: "1-public"\r\n "', 400)],
        ids=["carriage return", "line feed", "folded"],
    )
    def test_that_breaks_its_line_changes_nothing(self, stack: LocalStack, header: bytes, status: int) -> None:
        address = json.loads(send(stack, post(body=b'{"lastName":"Byron","email":"a@example.com"}')).body)[
            "id"
        ].encode()
        patch = b'{"title":"Dr"}'

        answer = send(
            stack,
            b"PATCH /api/v1/customers/"
            + address
            + b" HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            + header
            + b"\r\nContent-Length: %d\r\n\r\n" % len(patch)
            + patch,
        )

        assert answer.status == status
        assert json.loads(send(stack, get(b"/api/v1/customers/" + address)).body)["version"] == 1
