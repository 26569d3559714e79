import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from lib.mainframe.client import MainframeClient
from lib.mainframe.errors import GarbledReplyError, MainframeUnreachableError, NoAnswerError
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.protocol import Reply, ReturnCode
from local.mainframe.server import MockMainframe

BODY = CUSTOMER_LAYOUT.encode({"LAST-NAME": "Núñez"})
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def update(client: MainframeClient, version: int = 1, key: str = "cus_1", **changes: Any) -> Reply:
    values = {"subject": "CUSTOMER", "key": key, "version": version, "trace": TRACE, "body": BODY}
    return await client.update(**(values | changes))


async def outcomes(mainframe: MockMainframe) -> list[tuple[str, int, str, int]]:
    return [(row.key, row.version, row.outcome, row.previous_version) for row in await mainframe.journal()]


async def until(mainframe: MockMainframe, name: str, value: Any) -> None:
    """Wait until a figure of the statistics is as expected; the test's own timeout ends a wait in vain."""
    while mainframe.statistics()[name] != value:  # noqa: ASYNC110 - figures announce nothing
        await asyncio.sleep(0.002)


async def held_version(mainframe: MockMainframe, key: str = "cus_1") -> int:
    held = await mainframe.held(key)
    return held["version"] if held else 0


class TestUpdate:
    async def test_is_journaled_with_its_outcome(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        for version in (1, 3, 2, 3):
            await update(client, version)

        assert await outcomes(mainframe) == [
            ("cus_1", 1, "applied", 0),
            ("cus_1", 3, "applied", 1),
            ("cus_1", 2, "ignored", 3),
            ("cus_1", 3, "ignored", 3),
        ]
        assert {row.trace for row in await mainframe.journal()} == {TRACE}

    async def test_is_kept_as_it_came(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await update(client, 7)

        held = await mainframe.held("cus_1")

        assert held is not None
        assert (held["version"], held["trace"]) == (7, TRACE)
        assert held["record"] == CUSTOMER_LAYOUT.decode(BODY)

    @pytest.mark.parametrize(
        ("changes", "reason_code"),
        [
            ({"subject": "CARGO"}, "SUBJECT"),
            ({"key": ""}, "KEY"),
            ({"version": 0}, "VERSION"),
            ({"body": BODY[:-1]}, "RECORD"),
        ],
    )
    async def test_is_rejected_when_it_cannot_be_kept(
        self, mainframe: MockMainframe, client: MainframeClient, changes: dict[str, Any], reason_code: str
    ) -> None:
        reply = await update(client, **changes)

        assert (reply.code, reply.reason_code) == (ReturnCode.REJECTED, reason_code)
        assert [row.outcome for row in await mainframe.journal()] == ["rejected"]

    async def test_of_one_key_at_once_applies_only_upwards(
        self, mainframe: MockMainframe, client: MainframeClient
    ) -> None:
        await asyncio.gather(*(update(client, version) for version in range(1, 41)))

        applied = [row.version for row in await mainframe.journal() if row.outcome == "applied"]
        assert applied == sorted(applied)
        assert applied[-1] == await held_version(mainframe) == 40
        assert len(await mainframe.journal()) == 40


class TestRegions:
    async def test_run_no_more_at_once_than_there_are(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        mainframe.set_settings({"regions": 3, "latency": {"distribution": "fixed", "milliseconds": 5}})

        await asyncio.gather(*(update(client, key=f"cus_{number}") for number in range(20)))

        assert mainframe.statistics()["regions"] == {"count": 3, "busy": 0, "waiting": 0, "maxBusy": 3}
        assert mainframe.statistics()["maxInFlight"] > 3

    async def test_are_not_used_up_by_callers_who_hung_and_left(
        self, mainframe: MockMainframe, client: MainframeClient, impatient: MainframeClient
    ) -> None:
        mainframe.set_settings({"regions": 1})
        await mainframe.set_faults({"kind": "hang", "times": 1})
        with pytest.raises(NoAnswerError):
            await update(impatient)

        assert (await update(client)).code is ReturnCode.APPLIED


class TestOverlaps:
    async def test_are_seen_per_key(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        mainframe.set_settings({"latency": {"distribution": "fixed", "milliseconds": 20}})

        await asyncio.gather(update(client, 1), update(client, 2), update(client, 1, key="cus_2"))

        assert mainframe.statistics()["overlaps"] == 1
        assert sorted((row.key, row.overlapping) for row in await mainframe.journal()) == [
            ("cus_1", 0),
            ("cus_1", 1),
            ("cus_2", 0),
        ]

    async def test_with_a_call_that_was_given_up_are_counted_apart(
        self, mainframe: MockMainframe, client: MainframeClient, impatient: MainframeClient
    ) -> None:
        await mainframe.set_faults({"kind": "slow", "milliseconds": 400, "times": 1})
        with pytest.raises(NoAnswerError):
            await update(impatient, 1)

        await update(client, 2)

        await until(mainframe, "inFlight", 0)
        assert mainframe.statistics()["overlaps"] == 0
        assert mainframe.statistics()["overlapsWithAbandoned"] == 1
        assert await outcomes(mainframe) == [("cus_1", 2, "applied", 0), ("cus_1", 1, "ignored", 2)]


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "code", "outcome"), [("busy", ReturnCode.BUSY, "busy"), ("abend", ReturnCode.ABENDED, "abended")]
    )
    async def test_can_answer_without_applying(
        self, mainframe: MockMainframe, client: MainframeClient, kind: str, code: ReturnCode, outcome: str
    ) -> None:
        await update(client, 1)
        await mainframe.set_faults({"kind": kind, "times": 1})

        replies = [await update(client, 2) for _ in range(2)]

        assert [reply.code for reply in replies] == [code, ReturnCode.APPLIED]
        assert [row.outcome for row in await mainframe.journal()] == ["applied", outcome, "applied"]
        assert mainframe.statistics()["faultsFired"] == {kind: 1}

    @pytest.mark.parametrize(
        ("fault", "applied", "error"),
        [
            ({"kind": "hang"}, False, NoAnswerError),
            ({"kind": "timeoutBeforeApply"}, False, NoAnswerError),
            ({"kind": "timeoutAfterApply"}, True, NoAnswerError),
            ({"kind": "resetBeforeApply"}, False, NoAnswerError),
            ({"kind": "resetAfterApply"}, True, NoAnswerError),
            ({"kind": "late", "milliseconds": 60_000}, True, NoAnswerError),
            ({"kind": "garbage"}, True, GarbledReplyError),
            ({"kind": "garbage", "form": "short"}, True, GarbledReplyError),
            ({"kind": "garbage", "form": "wrongKey"}, True, GarbledReplyError),
        ],
    )
    async def test_can_lose_the_answer_before_or_after_applying(
        self,
        mainframe: MockMainframe,
        impatient: MainframeClient,
        fault: dict[str, Any],
        applied: bool,
        error: type[Exception],
    ) -> None:
        await mainframe.set_faults(fault | {"times": 1})

        with pytest.raises(error):
            await update(impatient)

        assert await held_version(mainframe) == int(applied)
        assert (await update(impatient)).code is (ReturnCode.ALREADY_HELD if applied else ReturnCode.APPLIED)
        assert mainframe.statistics()["faultsFired"] == {fault["kind"]: 1}

    async def test_can_answer_late_to_who_waits(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await mainframe.set_faults({"kind": "late", "milliseconds": 30})

        assert (await update(client)).code is ReturnCode.APPLIED

    async def test_can_reject_by_the_value_of_a_field(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await mainframe.set_faults(
            {"kind": "reject", "field": "LAST-NAME", "equals": "Núñez", "reasonCode": "NAME01", "reasonText": "no"},
            {"kind": "reject", "field": "EMAIL", "prefix": "bad@"},
        )

        named = await update(client, 1)
        prefixed = await update(client, 1, key="cus_2", body=CUSTOMER_LAYOUT.encode({"EMAIL": "bad@example.org"}))
        other = await update(client, 1, key="cus_3", body=CUSTOMER_LAYOUT.encode({"EMAIL": "good@example.org"}))

        assert (named.code, named.reason_code, named.reason_text) == (ReturnCode.REJECTED, "NAME01", "no")
        assert (prefixed.code, prefixed.reason_code) == (ReturnCode.REJECTED, "BADDATA")
        assert other.code is ReturnCode.APPLIED
        assert await held_version(mainframe) == 0

    async def test_hit_only_the_key_and_transaction_they_name(
        self, mainframe: MockMainframe, client: MainframeClient
    ) -> None:
        await mainframe.set_faults({"kind": "busy", "key": "cus_1", "transaction": "UPD"})

        assert (await update(client, key="cus_2")).code is ReturnCode.APPLIED
        assert await client.inquire(subject="CUSTOMER", key="cus_1") is None
        assert (await update(client, key="cus_1")).code is ReturnCode.BUSY

    async def test_hit_as_often_as_they_are_likely(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await mainframe.set_faults({"kind": "busy", "probability": 0.5})

        codes = [(await update(client, key=f"cus_{number}")).code for number in range(100)]

        assert 25 < codes.count(ReturnCode.BUSY) < 75
        assert mainframe.statistics()["faultsFired"] == {"busy": codes.count(ReturnCode.BUSY)}

    async def test_are_refused_whole_when_one_is_nonsense(self, mainframe: MockMainframe) -> None:
        await mainframe.set_faults({"kind": "busy"})

        with pytest.raises(ValidationError):
            await mainframe.set_faults({"kind": "abend"}, {"kind": "reject", "field": "EMAIL"})

        assert [fault["kind"] for fault in mainframe.board.listing()] == ["busy"]


class TestOutages:
    @pytest.mark.parametrize("fault", [{"kind": "refuse"}, {"kind": "maintenance", "mode": "refuse"}])
    async def test_refuse_new_and_kept_connections_until_cleared(
        self, mainframe: MockMainframe, client: MainframeClient, fault: dict[str, Any]
    ) -> None:
        await update(client, 1)
        await mainframe.set_faults(fault)

        for _ in range(3):
            with pytest.raises(MainframeUnreachableError):
                await update(client, 2)
        await mainframe.set_faults()

        assert (await update(client, 3)).code is ReturnCode.APPLIED
        assert await outcomes(mainframe) == [("cus_1", 1, "applied", 0), ("cus_1", 3, "applied", 1)]
        assert mainframe.statistics()["faultsFired"] == {fault["kind"]: 1}

    async def test_end_by_themselves(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await mainframe.set_faults({"kind": "refuse", "seconds": 0.1})
        with pytest.raises(MainframeUnreachableError):
            await update(client)

        await until(mainframe, "listening", True)

        assert (await update(client)).code is ReturnCode.APPLIED

    async def test_let_the_calls_that_run_finish(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        mainframe.set_settings({"latency": {"distribution": "fixed", "milliseconds": 50}})
        running = asyncio.create_task(update(client))
        await until(mainframe, "inFlight", 1)

        await mainframe.set_faults({"kind": "refuse"})

        assert (await running).code is ReturnCode.APPLIED
        with pytest.raises(MainframeUnreachableError):
            await update(client)

    async def test_answer_busy_to_every_transaction_in_a_maintenance_window(
        self, mainframe: MockMainframe, client: MainframeClient
    ) -> None:
        await mainframe.set_faults({"kind": "maintenance", "seconds": 60})

        replies = [await update(client, version) for version in (1, 2)]

        assert {reply.code for reply in replies} == {ReturnCode.BUSY}


class TestStop:
    async def test_lets_calls_that_run_finish(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        mainframe.set_settings({"latency": {"distribution": "fixed", "milliseconds": 50}})
        running = asyncio.create_task(update(client))
        await until(mainframe, "inFlight", 1)

        await mainframe._end()

        assert (await running).code is ReturnCode.APPLIED

    async def test_breaks_off_calls_that_never_end(self, mainframe: MockMainframe, client: MainframeClient) -> None:
        await mainframe.set_faults({"kind": "hang"})
        running = asyncio.create_task(update(client))
        await until(mainframe, "inFlight", 1)

        await mainframe._end()

        with pytest.raises(NoAnswerError):
            await running


class TestGarbledRequests:
    @pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x06\x00\x00ab", b"\x00\x07"])
    async def test_are_counted_and_break_the_connection(self, mainframe: MockMainframe, data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", mainframe.port)
        writer.write(data)
        writer.write_eof()

        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)

        writer.close()
        assert mainframe.statistics()["garbledRequests"] == 1


class TestLog:
    async def test_says_one_line_per_call_and_nothing_personal(
        self, mainframe: MockMainframe, client: MainframeClient
    ) -> None:
        lines: list[str] = []
        mainframe._connections.log = lines.append
        await mainframe.set_faults({"kind": "busy", "key": "cus_2"})

        await update(client, 5)
        await update(client, 6, key="cus_2")
        await client.inquire(subject="CUSTOMER", key="cus_1")
        await client.browse(subject="CUSTOMER", after="", limit=5)

        assert [line.partition(" ms")[0].rpartition(" ")[0] for line in lines] == [
            "UPD CUSTOMER cus_1 v5 -> 00 held 5",
            "UPD CUSTOMER cus_2 v6 -> 12 BUSY",
            "INQ CUSTOMER cus_1 -> 00 held 5",
            "BRW CUSTOMER (start) -> 00",
        ]
        assert lines[1].endswith("[busy]")
        assert "Núñez" not in "".join(lines)
