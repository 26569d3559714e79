"""Bad input, case by case: each gets its 4xx as problem+json, and nothing is written."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from local.faults.taps import When
from local.simulation.world import World

GOOD = {"lastName": "Lovelace", "email": "ada@example.com"}
JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Case:
    """A request that must be refused."""

    name: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/api/v1/customers"


def raw(name: str, status: int, body: bytes, **headers: str) -> Case:
    return Case(name, status, body, {**JSON, **{key.replace("_", "-"): value for key, value in headers.items()}})


def fields(name: str, **values: Any) -> Case:
    return Case(name, 422, json.dumps({**GOOD, **values}).encode(), JSON)


def patch(name: str, status: int, body: bytes = b'{"title":"Dr"}', **headers: str) -> Case:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return Case(name, status, body, {**MERGE, **sent}, "PATCH", "/api/v1/customers/{id}")


def read(name: str, status: int, path: str) -> Case:
    return Case(name, status, method="GET", path=path)


DEEP = b'{"lastName":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
BIG = json.dumps({**GOOD, "firstName": "x" * (256 * 1024)}).encode()
CASES = [
    # the body as a whole
    raw("over the limit", 413, BIG),
    raw("empty", 400, b""),
    raw("byte order mark", 400, b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    raw("utf-16", 400, json.dumps(GOOD).encode("utf-16-le")),
    raw("latin-1 bytes", 400, '{"lastName":"José","email":"a@example.com"}'.encode("latin-1")),
    raw("declared latin-1", 415, json.dumps(GOOD).encode(), Content_Type="application/json; charset=iso-8859-1"),
    raw("not json", 400, b"lastName=Lovelace"),
    raw("cut off", 400, b'{"lastName":"Lovel'),
    raw("trailing garbage", 400, json.dumps(GOOD).encode() + b"}"),
    raw("nested ten thousand deep", 400, DEEP),
    raw("duplicate members", 400, b'{"lastName":"A","lastName":"B","email":"a@example.com"}'),
    raw(
        "duplicate nested members",
        400,
        b'{"lastName":"A","email":"a@example.com","loyalty":{"number":"A11","number":"B"}}',
    ),
    raw("NaN", 400, b'{"lastName":NaN}'),
    raw("Infinity", 400, b'{"lastName":-Infinity}'),
    raw("1e400", 400, b'{"lastName":1e400}'),
    raw("ten thousand digits", 400, b'{"lastName":' + b"9" * 10_000 + b"}"),
    raw("member name with a lone surrogate", 400, b'{"\\ud800":1,"lastName":"A","email":"a@example.com"}'),
    raw("an array", 422, b"[]"),
    raw("a string", 422, b'"Lovelace"'),
    raw("null", 422, b"null"),
    raw("a form", 415, b"lastName=A", Content_Type="application/x-www-form-urlencoded"),
    raw("text", 415, json.dumps(GOOD).encode(), Content_Type="text/plain"),
    Case("no content type", 415, json.dumps(GOOD).encode()),
    raw("gzip bomb", 415, gzip.compress(b"0" * 1_000_000), Content_Encoding="gzip"),
    raw("nested encoding", 415, b"x", Content_Encoding="gzip, gzip"),
    # numbers and types
    fields("2^31 for text", firstName=2**31),
    fields("2^63 for text", firstName=2**63),
    fields("true for text", lastName=True),
    fields("integer for a date", dateOfBirth=0),
    fields("object for text", lastName={"$ne": None}),
    # text
    raw("lone surrogate", 422, b'{"lastName":"A\\ud800","email":"a@example.com"}'),
    fields("NUL", lastName="A\x00B"),
    fields("control character", lastName="A\x1bB"),
    fields("line separator U+2028", lastName="A\u2028B"),
    fields("right-to-left override", lastName="A\u202egnp.exe"),
    fields("noncharacter", lastName="A\uffff"),
    fields("blank", lastName="   "),
    fields("empty text", lastName=""),
    fields("too long", lastName="x" * 101),
    # members
    fields("unknown member", favouriteColour="red"),
    fields("member in another case", LastName="Lovelace"),
    fields("read-only id", id="cus_00000000000000000000000001"),
    fields("read-only version", version=7),
    fields("storage's own members", PartitionKey="x", RowKey="y"),
    fields("odata members", **{"odata.etag": "x"}),
    fields("acknowledged smuggled in", acknowledged=9),
    fields("no last name", lastName=None),
    raw("no contact at all", 422, b'{"lastName":"A"}'),
    # formats
    fields("e-mail", email="not-an-address"),
    fields("e-mail too long", email="a" * 250 + "@example.com"),
    fields("phone not E.164", phone="020 7183 8750"),
    fields("phone that cannot be", phone="+19999999999999"),
    fields("country", nationality="XX"),
    fields("country in small letters", nationality="gb"),
    fields("language", language="not a tag"),
    fields("year 0001", dateOfBirth="0001-01-01"),
    fields("before 1601", dateOfBirth="1500-06-01"),
    fields("far future birth", dateOfBirth="9999-12-31"),
    fields("February 29 of a common year", dateOfBirth="1999-02-29"),
    fields("date with a time", dateOfBirth="1999-01-01T00:00:00Z"),
    fields("Arabic-Indic digits in a date", dateOfBirth="\u0661\u0669\u0669\u0669-\u0660\u0661-\u0660\u0661"),
    fields("time without offset", devices=[{"kind": "mobile", "lastSeenAt": "2026-01-01T00:00:00"}]),
    fields("leap second", devices=[{"kind": "mobile", "lastSeenAt": "2016-12-31T23:59:60Z"}]),
    fields("time beyond year 9999", devices=[{"kind": "mobile", "lastSeenAt": "9999-12-31T23:59:59-14:00"}]),
    fields("offset over a day", devices=[{"kind": "mobile", "lastSeenAt": "2026-01-01T00:00:00+25:00"}]),
    fields("time as a number", devices=[{"kind": "mobile", "lastSeenAt": 1767225600}]),
    fields("time before 1970", devices=[{"kind": "mobile", "lastSeenAt": "1600-01-01T00:00:00Z"}]),
    fields("passport of symbols", passport={"number": "12/34#5", "issuingCountry": "GB"}),
    fields("passport too long", passport={"number": "1" * 21, "issuingCountry": "GB"}),
    fields("mask on create", passport={"number": "******006", "issuingCountry": "GB"}),
    fields("too many addresses", addresses=[{"kind": "home", "lines": ["1"], "city": "A", "country": "GB"}] * 11),
    fields("address without lines", addresses=[{"kind": "home", "lines": [], "city": "A", "country": "GB"}]),
    fields("the same external id twice", externalIds=[{"system": "a", "id": "1"}] * 2),
    fields("external system with a slash", externalIds=[{"system": "a/b", "id": "1"}]),
    # headers
    raw("idempotency key too long", 400, json.dumps(GOOD).encode(), Idempotency_Key="k" * 300),
    raw("idempotency key with spaces", 400, json.dumps(GOOD).encode(), Idempotency_Key="a b"),
    raw("idempotency key empty", 400, json.dumps(GOOD).encode(), Idempotency_Key=""),
    raw("idempotency key quoted empty", 400, json.dumps(GOOD).encode(), Idempotency_Key='""'),
    raw("idempotency key not ASCII", 400, json.dumps(GOOD).encode(), Idempotency_Key="\xe9"),
    patch("no If-Match", 428),
    patch("stale If-Match", 412, If_Match='"7-public"'),
    patch("another's If-Match", 412, If_Match='"storage-etag"'),
    patch("weak If-Match", 412, If_Match='W/"1-public"'),
    patch("If-Match star", 400, If_Match="*"),
    patch("several If-Match", 400, If_Match='"1-public", "2-public"'),
    patch("If-Match without quotes", 400, If_Match="1-public"),
    patch("If-Match empty", 400, If_Match=""),
    patch("If-Match huge", 400, If_Match='"' + "1" * 600 + '"'),
    patch("patch of a read-only member", 422, b'{"version":9}', If_Match='"1-public"'),
    patch("patch that removes the last name", 422, b'{"lastName":null}', If_Match='"1-public"'),
    patch("patch that removes every contact", 422, b'{"email":null}', If_Match='"1-public"'),
    patch("patch that is an array", 422, b"[]", If_Match='"1-public"'),
    patch("patch with an unknown null", 422, b'{"nothing":null}', If_Match='"1-public"'),
    patch("empty patch body", 400, b"", If_Match='"1-public"'),
    # paths and queries
    read("dots in the path", 404, "/api/v1/customers/%2e%2e"),
    read("encoded slash", 404, "/api/v1/customers/cus%2f1"),
    read("double encoded slash", 404, "/api/v1/customers/cus%252f1"),
    read("key characters of storage", 404, "/api/v1/customers/a%5Cb%23c%3Fd"),
    read("quotes for a filter", 404, "/api/v1/customers/z'%20or%201%20eq%201"),
    read("NUL in the path", 404, "/api/v1/customers/cus_%00"),
    read("a long id", 400, "/api/v1/customers/" + "x" * 600),
    read("limit zero", 400, "/api/private/v1/customers?limit=0"),
    read("limit too large", 400, "/api/private/v1/customers?limit=201"),
    read("limit not a number", 400, "/api/private/v1/customers?limit=ten"),
    read("cursor made up", 400, "/api/private/v1/customers?cursor=AAAA"),
    read("cursor not base64", 400, "/api/private/v1/customers?cursor=%21%21"),
    read("cursor huge", 400, "/api/private/v1/customers?cursor=" + "A" * 3000),
]


class TestBadInput:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
    async def test_is_refused_clearly_and_writes_nothing(self, case: Case) -> None:
        world = await World.build()
        transport = httpx2.ASGITransport(app=world.api)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            made = await client.post("/api/v1/customers", json=GOOD)
            calls: list[str] = []

            async def listen(point: str, _when: When) -> None:
                calls.append(point)

            world.tap = listen

            answer = await client.request(
                case.method,
                case.path.replace("{id}", made.json()["id"]),
                content=case.body,
                headers={key: value.encode("latin-1") for key, value in case.headers.items()},
            )

        problem = answer.json()
        assert answer.status_code == case.status, problem
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "instance", "traceId"} <= problem.keys()
        assert problem["status"] == case.status
        assert [call for call in calls if not call.endswith((".get", ".page"))] == []

    async def test_no_answer_repeats_the_value_that_was_refused(self) -> None:
        world = await World.build()
        transport = httpx2.ASGITransport(app=world.api)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.post(
                "/api/v1/customers",
                json={
                    "lastName": "Hemlig",
                    "email": "hemlig-hemlig",
                    "passport": {"number": "hemlig!", "issuingCountry": "hemlig"},
                },
            )

        assert answer.status_code == 422
        assert "emlig" not in answer.text
