"""Feature 20: rows by external id create, update or change nothing. Feature 21: a dry run says which beforehand."""

from typing import Any

import httpx2
import pytest

from local.simulation.world import World
from tests.imports.support import customer, finish, ndjson, results, send


async def load(world: World, http: httpx2.AsyncClient, rows: list[Any], **query: Any) -> list[dict[str, Any]]:
    started = await send(http, ndjson(rows), **query)
    shown = await finish(world, http, started.json()["id"])
    assert shown["counts"]["waiting"] == 0
    await world.settle(seconds=10)
    return await results(http, shown["id"])


def outcomes(told: list[dict[str, Any]]) -> list[str]:
    return [row["outcome"] for row in told]


def what(row: dict[str, Any]) -> str:
    return row["problem"]["type"].rpartition(":")[2] if row["problem"] else row["outcome"]


class TestTake:
    async def test_creates_updates_or_changes_nothing(self, world: World, http: httpx2.AsyncClient) -> None:
        first = await load(world, http, [customer(1), customer(2)])

        second = await load(world, http, [customer(1), customer(2, title="Dr"), customer(3)], source="crm-2")

        assert outcomes(second) == ["unchanged", "updated", "created"]
        assert [row["id"] for row in second[:2]] == [row["id"] for row in first]
        assert (await http.get(f"/api/v1/customers/{first[1]['id']}")).json()["title"] == "Dr"

    async def test_takes_rows_of_one_customer_in_the_order_of_the_file(
        self, world: World, http: httpx2.AsyncClient
    ) -> None:
        both = [{"system": "erp", "id": "9"}, {"system": "crm", "id": "C-7"}]
        rows = [customer(7, title=f"T{number}") for number in range(40)]
        rows.insert(20, customer(7, title="Both", externalIds=both))

        told = await load(world, http, rows)

        assert {row["outcome"] for row in told} == {"created", "updated", "refused"}
        assert what(told[20]) == "identifier-taken", "stated by an id that nobody has, with one that somebody has"
        read = (await http.get(f"/api/v1/customers/{told[0]['id']}")).json()
        assert (read["version"], read["title"]) == (40, "T39")

    async def test_without_external_ids_always_creates(self, world: World, http: httpx2.AsyncClient) -> None:
        row = customer(1, externalIds=[])

        told = await load(world, http, [row, row])

        assert outcomes(told) == ["created", "created"]
        assert told[0]["id"] != told[1]["id"]

    async def test_says_who_imported(self, world: World, http: httpx2.AsyncClient) -> None:
        (told,) = await load(world, http, [customer(1)])

        changes = (await http.get(f"/api/private/v1/customers/{told['id']}/changes")).json()["items"]

        assert (changes[0]["actor"], changes[0]["operation"]) == ("loader", "import_customers")


class TestDryRun:
    async def test_says_what_would_become_and_writes_nothing(self, world: World, http: httpx2.AsyncClient) -> None:
        made = await load(world, http, [customer(1), customer(2), customer(3, loyalty={"number": "IO-3"})])
        before = {row.partition: row.etag for row in world.storage.table("customers").rows() if row.key == "profile"}
        rows = [
            customer(1),
            customer(2, title="Dr", phone="+12025550123"),
            customer(4),
            customer(5, email="ada3@example.com", phone="+12025550199"),
            customer(6, loyalty={"number": "IO-3"}),
            customer(7, dateOfBirth="2999-01-01"),
            customer(8, externalIds=[{"system": "crm", "id": "unknown"}]),
            {"lastName": "Nobody"},
        ]

        told = await load(world, http, rows, dryRun=True, source="crm-2")

        assert [what(row) for row in told] == [
            "unchanged",
            "updated",
            "created",
            "created",
            "identifier-taken",
            "customer-invalid",
            "identifier-blocked",
            "invalid",
        ]
        assert [row["id"] for row in told[:3]] == [made[0]["id"], made[1]["id"], None]
        assert told[1]["fields"] == ["/phone", "/title"]
        assert told[3]["candidates"] == [made[2]["id"]]
        assert "candidates" not in told[2]
        after = {row.partition: row.etag for row in world.storage.table("customers").rows() if row.key == "profile"}
        assert after == before

    async def test_says_what_the_real_one_then_does(self, world: World, http: httpx2.AsyncClient) -> None:
        await load(world, http, [customer(number) for number in range(5)])
        rows = [customer(number, **({"title": "Dr"} if number % 2 else {})) for number in range(10)]

        dry = await load(world, http, rows, dryRun=True, source="crm-2")
        real = await load(world, http, rows, source="crm-2")

        assert outcomes(dry) == outcomes(real)


def call(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "customer": {"system": "crm", "id": f"C-{number % 4}"},
        "kind": "call",
        "channel": "phone",
        "happenedAt": f"2025-0{1 + number % 9}-01T10:00:00Z",
        "subject": f"Call {number}",
        "source": {"system": "telephony", "eventId": f"e-{number}"},
        **fields,
    }


@pytest.fixture
async def owners(world: World, http: httpx2.AsyncClient) -> list[str]:
    return [row["id"] for row in await load(world, http, [customer(number) for number in range(4)])]


class TestInteractions:
    async def test_find_their_place_with_their_customers(
        self, world: World, http: httpx2.AsyncClient, owners: list[str]
    ) -> None:
        rows = [call(number) for number in range(120)]
        rows.append(call(120, customer={"id": owners[2]}))

        told = await load(world, http, rows, kind="interactions")

        assert outcomes(told) == ["created"] * 121
        page = (await http.get(f"/api/private/v1/customers/{owners[2]}/interactions?limit=200")).json()
        assert {item["id"] for item in page["items"]} == {row["id"] for row in told if row["line"] % 4 == 3} | {
            told[120]["id"]
        }

    async def test_told_before_stay_as_they_are(
        self, world: World, http: httpx2.AsyncClient, owners: list[str]
    ) -> None:
        first = await load(world, http, [call(1), call(2)], kind="interactions")

        rows = [call(1), call(2, subject="Another"), call(3), call(3)]
        dry = await load(world, http, rows, kind="interactions", source="crm-2", dryRun=True)
        again = await load(world, http, rows, kind="interactions", source="crm-2")

        assert [what(row) for row in again] == ["unchanged", "event-conflict", "created", "unchanged"]
        assert [what(row) for row in dry] == [what(row) for row in again]
        assert again[0]["id"] == first[0]["id"] == dry[0]["id"]
        assert len(owners) == 4

    async def test_are_refused_one_by_one(self, world: World, http: httpx2.AsyncClient, owners: list[str]) -> None:
        rows: list[Any] = [
            call(1),
            call(1, customer={"system": "crm", "id": "4711"}, source={"system": "t", "eventId": "x"}),
            call(2, customer={"id": "cus_00000000000000000000000000"}),
            call(3, happenedAt="2999-01-01T00:00:00Z"),
            call(4, kind="baggage"),
            {name: value for name, value in call(5).items() if name != "customer"},
            call(6, customer="crm:1"),
            call(7, customer={"system": "crm"}),
            17,
        ]

        told = await load(world, http, rows, kind="interactions")

        assert [what(row) for row in told] == [
            "created",
            "customer-not-found",
            "customer-not-found",
            "interaction-invalid",
            "invalid",
            "invalid",
            "invalid",
            "invalid",
            "invalid",
        ]
        pointers = [row["problem"].get("errors", [{}])[0].get("pointer") for row in told[5:]]
        assert pointers == ["/customer", "/customer", "/customer/id", "/customer"]
        assert len(owners) == 4
