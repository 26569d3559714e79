"""The rebuild: finds every difference between the index and what is committed, and puts it right. Feature 2."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from lib.identifiers.index import Entry
from lib.messaging.catalogue import QueueName
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from lib.storage.ports import Delete, Replace, Upsert
from local.faults.taps import When
from tests.customers.support import Once
from tests.identifiers.support import Desk, untrue

REBUILDS = "/api/private/v1/identifier-rebuilds"


async def start(desk: Desk, **body: Any) -> dict[str, Any]:
    answer = await desk.http.post(REBUILDS, json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ended(desk: Desk, rebuild: dict[str, Any]) -> dict[str, Any]:
    address = f"{REBUILDS}/{rebuild['id']}"
    for _ in range(20):
        if (found := (await desk.http.get(address)).json())["state"] == "completed":
            return found
        await desk.world.settle(seconds=5)
    raise AssertionError(found)


async def differences(desk: Desk, rebuild: dict[str, Any]) -> list[tuple[str, str, str | None, bool]]:
    answer = await desk.http.get(f"{REBUILDS}/{rebuild['id']}/differences")
    told = [json.loads(line) for line in answer.text.splitlines()]
    return sorted((one["difference"], one["customerId"], one["identifierType"], one["mended"]) for one in told)


async def damage(desk: Desk) -> dict[str, str]:
    """Let one customer be missing from the index, another have too much there, and a third have a wrong book."""
    table = desk.world.storage.table("identifierindex")
    names = ("missing", "stale", "wrong", "right")
    ids = {name: await desk.create(email=f"{name}.one@example.com", phone="+442071838750") for name in names}
    await desk.settle()
    row = await table.get("email:missing.one@example.com", ids["missing"])
    assert row is not None
    await table.write(row.partition, Delete(row.key, row.etag))
    shown = {"subject": "customer", "sourceId": ids["stale"], "customerId": ids["stale"]}
    for late in ("email:late@example.com", "email:later@example.com"):
        await table.write(late, Upsert(ids["stale"], shown))
    books = desk.world.storage.table("customerindex")
    book = await books.get("customer", ids["wrong"])
    assert book is not None
    await books.write("customer", Replace(book.key, {**book.values, **Entry(1, opened=True).values()}, book.etag))
    return ids


class TestDryRun:
    async def test_lists_every_difference_and_touches_none(self, desk: Desk) -> None:
        ids = await damage(desk)

        rebuild = await ended(desk, await start(desk, dryRun=True))

        assert rebuild["counts"] == {"holders": 4, "rows": 9, "missing": 1, "stale": 2, "wrong": 1, "mended": 0}
        assert await differences(desk, rebuild) == [
            ("missing", ids["missing"], "email", False),
            ("stale", ids["stale"], "email", False),
            ("stale", ids["stale"], "email", False),
            ("wrong", ids["wrong"], None, False),
        ]
        assert len(untrue(desk.world)) == 4
        assert "example.com" not in (await desk.http.get(f"{REBUILDS}/{rebuild['id']}/differences")).text

    async def test_of_a_sound_index_finds_nothing(self, desk: Desk) -> None:
        for number in range(5):
            await desk.create(firstName=f"N{number}", phone="+442071838750")
        await desk.settle()

        rebuild = await ended(desk, await start(desk, dryRun=True))

        assert rebuild["counts"] == {"holders": 5, "rows": 10, "missing": 0, "stale": 0, "wrong": 0, "mended": 0}


class TestRebuild:
    async def test_puts_every_difference_right(self, desk: Desk) -> None:
        ids = await damage(desk)

        rebuild = await ended(desk, await start(desk))

        assert rebuild["counts"] == {"holders": 4, "rows": 10, "missing": 1, "stale": 2, "wrong": 1, "mended": 4}
        assert untrue(desk.world) == []
        assert await desk.found("email:missing.one@example.com") == [ids["missing"]]
        assert all(mended for *_, mended in await differences(desk, rebuild))

    async def test_makes_the_index_of_what_an_older_release_kept(self, desk: Desk) -> None:
        ada = await desk.create(phone="+442071838750")
        await desk.settle()
        index, books = (desk.world.storage.table(name) for name in ("identifierindex", "customerindex"))
        for row in index.rows():
            await index.write(row.partition, Delete(row.key, row.etag))
        [book] = books.rows()
        bare = {name: value for name, value in book.values.items() if not name.startswith("book")}
        await books.write(book.partition, Replace(book.key, bare, book.etag))
        assert await desk.found("email:ada@example.com") == []

        rebuild = await ended(desk, await start(desk))

        assert rebuild["counts"]["missing"] == 2
        assert untrue(desk.world) == []
        assert await desk.found("email:ada@example.com") == [ada]

    async def test_goes_through_more_than_one_slice(self, desk: Desk) -> None:
        for number in range(230):
            await desk.create(firstName=f"N{number}", email=f"n{number}@example.com")
        await desk.settle()

        rebuild = await ended(desk, await start(desk))

        assert (rebuild["counts"]["holders"], rebuild["counts"]["rows"]) == (230, 230)
        assert rebuild["counts"]["missing"] == 0

    @pytest.mark.parametrize(
        "point",
        ["identifierrebuilds.write", "identifierindex.write", "customerindex.write", "identifier-rebuild-slices.send"],
    )
    @pytest.mark.parametrize("when", list(When))
    @pytest.mark.parametrize("error", [OutcomeUnknownError(), StorageUnavailableError(), RuntimeError("died")])
    async def test_counts_each_difference_once_wherever_it_dies(
        self, desk: Desk, point: str, when: When, error: Exception
    ) -> None:
        await damage(desk)
        rebuild = await start(desk)
        desk.world.tap = Once(point, when, error)

        counts = (await ended(desk, rebuild))["counts"]

        assert {name: counts[name] for name in ("missing", "stale", "wrong", "mended")} == {
            "missing": 1,
            "stale": 2,
            "wrong": 1,
            "mended": 4,
        }
        assert untrue(desk.world) == []

    async def test_beside_writers_loses_nothing_of_theirs(self, desk: Desk) -> None:
        ids = await damage(desk)
        rebuild = await start(desk)

        async def write() -> None:
            for round_number in range(6):
                for customer_id in ids.values():
                    await desk.change(customer_id, email=f"{customer_id}.{round_number % 2}@example.com")

        await asyncio.gather(write(), desk.world.settle(seconds=15))
        await ended(desk, rebuild)
        await desk.settle()

        assert not [one for one in untrue(desk.world) if "lacks" in one or "book" in one]


class TestOperations:
    async def test_one_runs_at_a_time(self, desk: Desk) -> None:
        first = await start(desk)

        second = await desk.http.post(REBUILDS, json={"dryRun": True})

        assert (second.status_code, second.json()["type"]) == (409, "urn:iommi:problem:identifier-rebuild-running")
        await ended(desk, first)
        assert (await desk.http.post(REBUILDS)).status_code == 202

    async def test_with_a_key_twice_is_one(self, desk: Desk) -> None:
        answers = [
            await desk.http.post(REBUILDS, json={"dryRun": True}, headers={"Idempotency-Key": "k"}) for _ in range(2)
        ]

        assert answers[0].headers["location"] == answers[1].headers["location"]
        assert len((await desk.http.get(REBUILDS)).json()["items"]) <= 1

    async def test_cancelled_ends_where_it_is(self, desk: Desk) -> None:
        rebuild = await start(desk)

        cancelled = await desk.http.post(f"{REBUILDS}/{rebuild['id']}/cancel")
        await desk.world.settle(seconds=30)

        assert cancelled.json()["state"] == "cancelled"
        assert (await desk.http.get(f"{REBUILDS}/{rebuild['id']}")).json()["counts"]["holders"] == 0

    async def test_completed_cannot_be_cancelled(self, desk: Desk) -> None:
        rebuild = await ended(desk, await start(desk))

        assert (await desk.http.post(f"{REBUILDS}/{rebuild['id']}/cancel")).status_code == 409

    @pytest.mark.parametrize("address", ["", "/differences"])
    async def test_of_an_unknown_id_is_404(self, desk: Desk, address: str) -> None:
        answer = await desk.http.get(f"{REBUILDS}/irb_00000000000000000000000001{address}")

        assert answer.status_code == 404

    async def test_that_stands_still_is_woken(self, desk: Desk) -> None:
        await start(desk)
        queue = desk.world.storage.queue(QueueName.IDENTIFIER_REBUILD_SLICES)
        desk.world.clock.advance(3)
        for message in await queue.receive(1, lease_seconds=1):
            await queue.delete(message)
        desk.world.clock.advance(1000)

        assert await desk.world.platform.identifier_rebuilds.watch()
        assert (await queue.depth()).messages == 1

    async def test_message_of_nobody_is_left_to_the_failures(self, desk: Desk) -> None:
        runner = replace(desk.world.platform.identifier_rebuild_runner)

        with pytest.raises(Exception, match="schema version 1"):
            await runner.take('{"schemaVersion": 9}')
