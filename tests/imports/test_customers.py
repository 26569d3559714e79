"""Feature 20: bulk job with per-row results, resume and safe re-run. Feature 21: dry run."""

import json
from typing import Any

import httpx2
import pytest

from lib.imports.models import MAXIMUM_LINE_BYTES
from lib.messaging.catalogue import QueueName
from local.faults.taps import When
from local.simulation.world import World
from tests.imports.support import IMPORTS, NDJSON, customer, finish, ndjson, results, send, state_of


async def customers(http: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    address: str | None = "/api/private/v1/customers?limit=200"
    while address:
        page = (await http.get(address)).json()
        found += page["items"]
        address = page["next"]
    return found


class TestCreate:
    async def test_answers_at_once_where_to_watch(self, http: httpx2.AsyncClient) -> None:
        answer = await send(http, ndjson([customer(1), customer(2)]))

        assert answer.status_code == 202
        assert answer.headers["location"] == f"{IMPORTS}/{answer.json()['id']}"
        shown = await state_of(http, answer.json()["id"])
        assert shown["state"] == "running"
        assert shown["counts"]["total"] == shown["counts"]["waiting"] == 2
        assert shown["requestedBy"] == "loader"

    async def test_makes_customers_that_reach_the_mainframe(self, world: World, http: httpx2.AsyncClient) -> None:
        started = await send(http, ndjson([customer(number) for number in range(1200)]))

        shown = await finish(world, http, started.json()["id"])
        await world.settle(seconds=120)

        assert shown["counts"]["created"] == 1200
        told = await results(http, shown["id"])
        assert [row["line"] for row in told] == list(range(1, 1201))
        read = (await http.get(f"/api/v1/customers/{told[700]['id']}")).json()
        assert read["email"] == "ada700@example.com"
        assert all(world.mainframe.applied(row["id"]) == [1] for row in told)

    async def test_forgets_the_file_when_it_has_ended(self, world: World, http: httpx2.AsyncClient) -> None:
        started = await send(http, ndjson([customer(1)]))

        await finish(world, http, started.json()["id"])

        assert world.storage.blobs("imports").names() == [f"{started.json()['id']}/results.ndjson"]

    async def test_refuses_rows_one_by_one(self, world: World, http: httpx2.AsyncClient) -> None:
        lines = [
            json.dumps(customer(1)).encode(),
            b"",
            b"   \r",
            json.dumps(customer(4, email="not an address")).encode() + b"\r",
            json.dumps(customer(5, unknownField=1)).encode(),
            b'{"lastName": "Curie"',
            b'{"lastName": "Noether", "lastName": "Emmy", "email": "e@example.com"}',
            b'"only text"',
            b"\xef\xbb\xbf" + json.dumps(customer(9)).encode(),
            b'{"lastName": "Erd\xf6s"}',
            b'{"lastName": "' + b"x" * MAXIMUM_LINE_BYTES + b'"}',
            b"[" * 100_000,
            json.dumps(customer(13, loyalty={"number": "IO-1"})).encode() + b"\r",
            json.dumps(customer(14, loyalty={"number": "io-1"})).encode(),
            b'{"lastName": "NaN", "email": NaN}',
        ]

        started = await send(http, b"\n".join(lines))
        shown = await finish(world, http, started.json()["id"])

        told = {row["line"]: row for row in await results(http, shown["id"])}
        assert shown["counts"] | {"waiting": 0} == shown["counts"]
        assert [line for line, row in told.items() if row["outcome"] == "created"] == [1, 13]
        kinds = {line: row["problem"]["type"].rpartition(":")[2] for line, row in told.items() if row["problem"]}
        assert kinds == {
            2: "row-blank",
            3: "row-blank",
            4: "invalid",
            5: "invalid",
            6: "unreadable-row",
            7: "unreadable-row",
            8: "invalid",
            9: "unreadable-row",
            10: "unreadable-row",
            11: "row-too-long",
            12: "unreadable-row",
            14: "identifier-taken",
            15: "unreadable-row",
        }
        assert told[4]["problem"]["errors"] == [{"pointer": "/email", "detail": "must be an e-mail address"}]
        assert told[4]["id"] is None
        refused = await results(http, shown["id"], outcome="refused")
        assert [row["line"] for row in refused] == sorted(kinds)

    async def test_logs_many_long_refusals(self, world: World, http: httpx2.AsyncClient) -> None:
        wrong = {f"{'x' * 900}{number}": 1 for number in range(60)}
        rows = [customer(0)] + [customer(number, **wrong) for number in range(1, 60)]

        started = await send(http, ndjson(rows))
        shown = await finish(world, http, started.json()["id"])

        told = await results(http, shown["id"])
        assert (shown["counts"]["created"], shown["counts"]["refused"]) == (1, 59)
        assert [row["line"] for row in told] == list(range(1, 61))
        assert max(len(error["pointer"]) for row in told[1:] for error in row["problem"]["errors"]) == 500

    async def test_tells_no_value_of_a_row(self, world: World, http: httpx2.AsyncClient) -> None:
        rows = [
            customer(1, lastName="Secretname", firstName="Given", email="who-is@example"),
            customer(2, passport={"number": "!!533380006!!", "issuingCountry": "Secretland"}),
            customer(3, loyalty={"number": "SECRET-1"}),
            customer(4, loyalty={"number": "SECRET-1"}, externalIds=[{"system": "crm", "id": "SECRET-2"}]),
        ]
        started = await send(http, ndjson(rows))
        shown = await finish(world, http, started.json()["id"])

        text = (await http.get(f"{IMPORTS}/{shown['id']}/results")).text + json.dumps(shown)

        assert shown["counts"]["refused"] == 3
        assert not [
            word for word in ("ecretname", "Given", "who-is", "533380006", "ecretland", "SECRET") if word in text
        ]


class TestTwice:
    async def test_the_same_rows_from_the_same_source_are_the_same_import(
        self, world: World, http: httpx2.AsyncClient
    ) -> None:
        content = ndjson([customer(number) for number in range(30)])
        first = await send(http, content)
        ended = await finish(world, http, first.json()["id"])

        again = await send(http, content)
        await world.settle(seconds=30)

        assert again.status_code == 202
        assert again.json() == ended
        assert len(await customers(http)) == 30
        assert world.storage.blobs("imports").names() == [f"{ended['id']}/results.ndjson"]

    async def test_the_same_key_is_the_same_import(self, http: httpx2.AsyncClient) -> None:
        content = ndjson([customer(1)])

        first = await send(http, content, key="k-1")
        again = await send(http, content, key="k-1")
        other = await send(http, content + b"\n", key="k-1")
        elsewhere = await send(http, content, key="k-1", source="crm-2")

        assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
        assert again.headers["location"] == first.headers["location"]
        assert (other.status_code, elsewhere.status_code) == (422, 422)
        assert other.json()["type"] == "urn:iommi:problem:idempotency-key-reused"


class TestRetention:
    async def test_results_that_are_gone_are_told_so_and_the_counts_stay(
        self, world: World, http: httpx2.AsyncClient
    ) -> None:
        started = (await send(http, ndjson([customer(1)]))).json()
        ended = await finish(world, http, started["id"])
        await world.storage.blobs("imports").delete(f"{started['id']}/results.ndjson")

        answer = await http.get(f"{IMPORTS}/{started['id']}/results")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:import-results-gone")
        assert (await state_of(http, started["id"]))["counts"] == ended["counts"]


class TestWatch:
    async def test_wakes_what_stands_still_and_nothing_else(self, world: World, http: httpx2.AsyncClient) -> None:
        lost, paused = [(await send(http, ndjson([customer(n)]), source=f"crm-{n}")).json()["id"] for n in (1, 2)]
        await http.post(f"{IMPORTS}/{paused}/pause")
        queue = world.storage.queue(QueueName.IMPORT_SLICES)
        world.clock.advance(3)
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)
        assert await world.platform.imports.watch() == 0
        world.clock.advance(15 * 60)

        assert await world.platform.imports.watch() == 1

        ended = await finish(world, http, lost)
        assert ended["counts"]["created"] == 1
        assert (await state_of(http, paused))["state"] == "paused"
        assert await world.platform.imports.watch() == 0


class TestPause:
    async def test_stops_and_goes_on_where_it_was(self, world: World, http: httpx2.AsyncClient) -> None:
        started = (await send(http, ndjson([customer(number) for number in range(1600)]))).json()
        appended = 0

        async def pause_after_the_first(point: str, when: When) -> None:
            nonlocal appended
            if (point, when) == ("imports.append", When.AFTER):
                appended += 1
                if appended == 1:
                    answer = await http.post(f"{IMPORTS}/{started['id']}/pause", headers={"X-Actor": "ops"})
                    assert answer.json()["state"] == "paused"

        world.tap = pause_after_the_first
        await world.settle(seconds=300)
        paused = await state_of(http, started["id"])
        assert (paused["state"], paused["note"]) == ("paused", "paused by ops")
        assert paused["counts"]["created"] == 50
        assert len(await results(http, started["id"])) == 50

        await http.post(f"{IMPORTS}/{started['id']}/resume")
        ended = await finish(world, http, started["id"])

        assert ended["counts"]["created"] == 1600
        assert len({row["id"] for row in await results(http, started["id"])}) == 1600
        await world.settle(seconds=60)
        assert len(await customers(http)) == 1600

    async def test_twice_is_once(self, http: httpx2.AsyncClient) -> None:
        started = (await send(http, ndjson([customer(1)]))).json()

        first = await http.post(f"{IMPORTS}/{started['id']}/pause", headers={"X-Actor": "ops"})
        again = await http.post(f"{IMPORTS}/{started['id']}/pause", headers={"X-Actor": "someone else"})

        assert first.json() == again.json()


class TestCancel:
    async def test_leaves_what_is_done_and_forgets_the_file(self, world: World, http: httpx2.AsyncClient) -> None:
        started = (await send(http, ndjson([customer(number) for number in range(20)]))).json()

        cancelled = await http.post(f"{IMPORTS}/{started['id']}/cancel", headers={"X-Actor": "ops"})
        await world.settle(seconds=200)

        shown = await state_of(http, started["id"])
        assert shown["state"] == cancelled.json()["state"] == "cancelled"
        assert shown["counts"]["waiting"] == 20
        assert world.storage.blobs("imports").names() == []
        assert await customers(http) == []
        refused = await http.post(f"{IMPORTS}/{started['id']}/resume")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:iommi:problem:import-state")

    async def test_in_the_middle_counts_what_was_done(self, world: World, http: httpx2.AsyncClient) -> None:
        started = (await send(http, ndjson([customer(number) for number in range(1600)]))).json()

        async def cancel(point: str, when: When) -> None:
            if (point, when) == ("imports.append", When.AFTER):
                await http.post(f"{IMPORTS}/{started['id']}/cancel")

        world.tap = cancel
        await world.settle(seconds=300)

        shown = await state_of(http, started["id"])
        assert (shown["state"], shown["counts"]["created"], shown["counts"]["waiting"]) == ("cancelled", 50, 1550)
        assert len(await customers(http)) == 50


class TestList:
    async def test_shows_the_newest_first(self, world: World, http: httpx2.AsyncClient) -> None:
        started: list[str] = []
        for number in range(3):
            started.append((await send(http, ndjson([customer(number)]))).json()["id"])
            world.clock.advance(1)

        first = (await http.get(IMPORTS, params={"limit": 2})).json()
        rest = (await http.get(first["next"])).json() if first["next"] else {"items": []}

        assert [shown["id"] for shown in first["items"] + rest["items"]] == started[::-1]


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "status", "kind"),
        [
            ({"content": b""}, 400, "unreadable-body"),
            ({"content": b"x" * (50 * 1024 * 1024 + 1)}, 413, "too-large"),
            ({"headers": {"Content-Type": "application/json"}}, 415, "unsupported-media-type"),
            ({"headers": {**NDJSON, "Content-Encoding": "gzip"}}, 415, "unsupported-media-type"),
            ({"headers": {"Content-Type": "application/x-ndjson; charset=latin-1"}}, 415, "unsupported-media-type"),
            ({"params": {"kind": "unicorns", "source": "crm"}}, 400, "bad-parameter"),
            ({"params": {"kind": "customers"}}, 400, "bad-parameter"),
            ({"params": {"kind": "customers", "source": "no spaces"}}, 400, "bad-parameter"),
        ],
        ids=lambda value: str(value)[:60],
    )
    async def test_come_before_anything_is_kept(
        self, world: World, http: httpx2.AsyncClient, change: dict[str, Any], status: int, kind: str
    ) -> None:
        asked = {"params": {"kind": "customers", "source": "crm"}, "content": ndjson([customer(1)]), "headers": NDJSON}

        answer = await http.post(IMPORTS, **(asked | change))

        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:iommi:problem:{kind}")
        assert world.storage.blobs("imports").names() == []

    async def test_say_that_a_chunked_body_does_not_arrive(self, http: httpx2.AsyncClient) -> None:
        headers = {**NDJSON, "Transfer-Encoding": "chunked"}

        answer = await http.post(IMPORTS, params={"kind": "customers", "source": "crm"}, headers=headers)

        assert "Content-Length" in answer.json()["detail"]

    async def test_other_operations_still_take_256_kib_only(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(f"{IMPORTS}/imp_x/pause", content=b"x" * 300_000, headers=NDJSON)

        assert answer.status_code == 413

    @pytest.mark.parametrize("step", ["", "/results", "/pause", "/resume", "/cancel"])
    async def test_know_no_import_of_this_id(self, http: httpx2.AsyncClient, step: str) -> None:
        ask = http.get if step in {"", "/results"} else http.post

        answer = await ask(f"{IMPORTS}/imp_{'0' * 26}{step}")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:import-not-found")


class TestDryRun:
    async def test_writes_nothing_but_what_would_become(self, world: World, http: httpx2.AsyncClient) -> None:
        rows = [customer(1), customer(2, email="none"), customer(3)]

        started = await send(http, ndjson(rows), dryRun=True)
        shown = await finish(world, http, started.json()["id"])

        assert shown["dryRun"] is True
        assert (shown["counts"]["created"], shown["counts"]["refused"]) == (2, 1)
        assert await customers(http) == []
        assert world.storage.table("identifiers").rows() == []

    async def test_is_another_import_than_the_real_one(self, world: World, http: httpx2.AsyncClient) -> None:
        content = ndjson([customer(1)])
        dry = await finish(world, http, (await send(http, content, dryRun=True)).json()["id"])

        real = await finish(world, http, (await send(http, content)).json()["id"])

        await world.settle(seconds=10)
        assert real["id"] != dry["id"]
        assert len(await customers(http)) == 1
