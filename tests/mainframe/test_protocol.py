from typing import Any

import pytest

from lib.mainframe.errors import GarbledReplyError, RecordError
from lib.mainframe.layouts import REPLY_HEADER
from lib.mainframe.protocol import (
    Browse,
    Inquiry,
    Reply,
    Request,
    ReturnCode,
    UpdateRequest,
    encode_reply,
    encode_request,
    held_version,
    holding_body,
    listed_keys,
    listing_body,
    parse_reply,
    parse_request,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UPDATE = UpdateRequest(subject="CUSTOMER", key="cus_1", version=7, trace=TRACE, body=b"state")
INQUIRY = Inquiry(subject="CUSTOMER", key="cus_1")
BROWSE = Browse(subject="CUSTOMER", after="cus_1", limit=3)
REQUESTS = [UPDATE, INQUIRY, BROWSE]


def header(**changes: Any) -> bytes:
    values = {
        "TRANSACTION": "UPD",
        "PROTOCOL-VERSION": 1,
        "RETURN-CODE": 0,
        "SUBJECT": "CUSTOMER",
        "SUBJECT-KEY": "cus_1",
        "HELD-VERSION": 7,
    }
    return REPLY_HEADER.encode(values | {name.replace("_", "-"): value for name, value in changes.items()})


class TestEncodeRequest:
    def test_stands_byte_for_byte_as_the_copybook_says(self) -> None:
        expected = (
            "UPD     01CUSTOMER" + "cus_1".ljust(40) + "000000000000000007" + TRACE + "00005" + " " * 24
        ).encode("cp037") + b"state"

        assert encode_request(UPDATE) == expected

    @pytest.mark.parametrize("request_", REQUESTS)
    def test_is_read_back_by_the_other_side(self, request_: Request) -> None:
        assert parse_request(encode_request(request_)) == request_

    @pytest.mark.parametrize("trace", [TRACE + "x", "Ł" * 55, "é"])
    def test_leaves_out_a_trace_that_does_not_fit(self, trace: str) -> None:
        request = UpdateRequest(subject="CUSTOMER", key="cus_1", version=7, trace=trace, body=b"")

        assert parse_request(encode_request(request)) == UpdateRequest(
            subject="CUSTOMER", key="cus_1", version=7, body=b""
        )

    def test_asks_for_no_more_than_a_page(self) -> None:
        request = Browse(subject="CUSTOMER", after="", limit=500)

        assert parse_request(encode_request(request)) == Browse(subject="CUSTOMER", after="", limit=50)

    @pytest.mark.parametrize(("key", "version"), [("k" * 41, 1), ("Ж", 1), ("k", 10**18), ("k", -1)])
    def test_refuses_what_the_header_cannot_hold(self, key: str, version: int) -> None:
        with pytest.raises(RecordError):
            encode_request(UpdateRequest(subject="CUSTOMER", key=key, version=version, body=b""))


class TestParseRequest:
    @pytest.mark.parametrize(
        ("payload", "field"),
        [
            (b"", "REQUEST-HEADER"),
            (encode_request(UPDATE)[:-1], "BODY-LENGTH"),
            (encode_request(UPDATE) + b"x", "BODY-LENGTH"),
            (encode_request(UPDATE).replace("UPD".encode("cp037"), "DEL".encode("cp037")), "TRANSACTION"),
            (b"\x40" * 160, "PROTOCOL-VERSION"),
            (encode_request(INQUIRY).replace("INQ".encode("cp037"), "BRW".encode("cp037")), "BROWSE-REQUEST"),
        ],
    )
    def test_refuses_anything_else(self, payload: bytes, field: str) -> None:
        with pytest.raises(RecordError) as caught:
            parse_request(payload)

        assert caught.value.field == field


class TestParseReply:
    @pytest.mark.parametrize("request_", REQUESTS)
    @pytest.mark.parametrize("code", ReturnCode)
    def test_reads_what_the_other_side_wrote(self, request_: Request, code: ReturnCode) -> None:
        reply = Reply(code=code, reason_code="R1", reason_text="because", held_version=7, body=b"more")

        assert parse_reply(request_, encode_reply(request_, reply)) == reply

    @pytest.mark.parametrize(
        "payload",
        [
            b"",
            b"\x00" * 160,
            b"garbage" * 30,
            header()[:-1],
            header() + b"x",
            header(PROTOCOL_VERSION=2),
            header(RETURN_CODE=5),
            header(TRANSACTION="INQ"),
            header(SUBJECT="ORDER"),
            header(SUBJECT_KEY="cus_2"),
            header(HELD_VERSION=6),
            header(HELD_VERSION=8),
            header(RETURN_CODE=4, HELD_VERSION=6),
        ],
    )
    def test_trusts_nothing_that_contradicts_the_request(self, payload: bytes) -> None:
        with pytest.raises(GarbledReplyError):
            parse_reply(UPDATE, payload)

    def test_takes_an_older_update_as_already_held(self) -> None:
        assert parse_reply(UPDATE, header(RETURN_CODE=4, HELD_VERSION=9)).held_version == 9


def inquired(body: bytes, held: int) -> int | None:
    return held_version(Reply(code=ReturnCode.APPLIED, held_version=held, body=body))


class TestHeldVersion:
    def test_tells_what_is_held(self) -> None:
        assert inquired(holding_body(7, "2026-01-01T00:00:00.000Z"), 7) == 7
        assert inquired(holding_body(0), 0) is None

    @pytest.mark.parametrize(("body", "held"), [(b"", 0), (holding_body(7), 6), (b"\x40" * 50, 0)])
    def test_trusts_no_contradiction(self, body: bytes, held: int) -> None:
        with pytest.raises(GarbledReplyError):
            inquired(body, held)


def listed(entries: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return listed_keys(BROWSE, Reply(code=ReturnCode.APPLIED, body=listing_body(entries)))


class TestListedKeys:
    def test_keeps_the_order_of_ebcdic(self) -> None:
        entries = [("cus_2", 1), ("cus_22", 5), ("cus_3", 2)]

        assert listed(entries) == entries
        assert listed_keys(
            Browse(subject="CUSTOMER", after="", limit=2),
            Reply(code=ReturnCode.APPLIED, body=listing_body([("cus_A", 1), ("cus_1", 1)])),
        ) == [("cus_A", 1), ("cus_1", 1)]

    def test_is_empty_at_the_end(self) -> None:
        assert listed([]) == []

    @pytest.mark.parametrize(
        "entries",
        [
            [("cus_1", 1)],
            [("cus_0", 1)],
            [("cus_3", 1), ("cus_2", 1)],
            [("cus_2", 1), ("cus_2", 1)],
            [(f"cus_{number}", 1) for number in range(2, 6)],
        ],
    )
    def test_trusts_nothing_that_would_send_a_browse_in_circles(self, entries: list[tuple[str, int]]) -> None:
        with pytest.raises(GarbledReplyError):
            listed(entries)

    def test_holds_fifty_of_the_longest(self) -> None:
        entries = [(f"{number:040d}", 10**18 - 1) for number in range(1, 51)]
        request = Browse(subject="CUSTOMER", after="", limit=50)

        reply = parse_reply(request, encode_reply(request, Reply(code=ReturnCode.APPLIED, body=listing_body(entries))))

        assert listed_keys(request, reply) == entries
