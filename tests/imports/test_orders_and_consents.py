"""Feature 20 for orders and consents: told twice is told once, and an old grant never outlives a withdrawal."""

from typing import Any

import httpx2
import pytest

from functions.orders.views import TRIP, WIDGETS
from local.simulation.world import World
from tests.imports.support import customer
from tests.imports.test_statements import load, outcomes, what


@pytest.fixture
async def owner(world: World, http: httpx2.AsyncClient) -> str:
    return (await load(world, http, [customer(1)]))[0]["id"]


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "customer": {"system": "crm", "id": "C-1"},
        "reference": {"system": "shop", "id": f"B-{number}"},
        **WIDGETS,
        **fields,
    }


def granted(**fields: Any) -> dict[str, Any]:
    return {
        "customer": {"system": "crm", "id": "C-1"},
        "purpose": "marketing",
        "channel": "email",
        "state": "granted",
        "textVersion": "t-1",
        "captured": {"how": "paper", "at": "2025-03-01T10:00:00Z"},
        **fields,
    }


class TestOrders:
    async def test_are_placed_once_however_often_they_are_told(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        rows = [order(1), order(2, **TRIP), order(1)]
        dry = await load(world, http, rows[:2], kind="orders", dryRun=True)

        first = await load(world, http, rows, kind="orders")
        again = await load(world, http, rows[:2], kind="orders", source="crm-2")

        assert outcomes(dry) == ["created", "created"]
        assert outcomes(first) == ["created", "created", "unchanged"]
        assert outcomes(again) == ["unchanged", "unchanged"]
        assert [row["id"] for row in again] == [row["id"] for row in first[:2]] == [row["id"] for row in dry]
        listed = (await http.get(f"/api/v1/customers/{owner}/orders")).json()["items"]
        assert {one["id"] for one in listed} == {row["id"] for row in again}
        dry_again = await load(world, http, rows[:2], kind="orders", source="crm-3", dryRun=True)
        assert outcomes(dry_again) == ["unchanged", "unchanged"]

    async def test_are_refused_one_by_one(self, world: World, http: httpx2.AsyncClient, owner: str) -> None:
        rows = [
            order(1, items=[]),
            order(2, customer={"id": "cus_00000000000000000000000000"}),
            {name: value for name, value in order(3).items() if name != "reference"},
            order(4),
        ]

        told = await load(world, http, rows, kind="orders")

        assert [what(row) for row in told] == ["invalid", "customer-not-found", "invalid", "created"]
        assert owner

    async def test_that_contradict_themselves_are_refused_by_a_dry_run_too(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        foreign = {**WIDGETS["items"][0], "unitPrice": {"amount": "19.90", "currency": "USD"}}

        dry = await load(world, http, [order(1, items=[foreign])], kind="orders", dryRun=True)
        told = await load(world, http, [order(1, items=[foreign])], kind="orders")

        assert [what(row) for row in (*dry, *told)] == ["order-invalid"] * 2
        assert owner


class TestConsents:
    async def test_take_their_place_in_time(self, world: World, http: httpx2.AsyncClient, owner: str) -> None:
        rows = [
            granted(),
            granted(state="withdrawn", textVersion=None, captured={"how": "call", "at": "2025-06-01T10:00:00Z"}),
            granted(captured={"how": "paper", "at": "2025-04-01T10:00:00Z"}),
            granted(channel="sms"),
            granted(state="maybe"),
            granted(captured={"how": "paper"}),
        ]

        told = await load(world, http, rows, kind="consents")

        assert [what(row) for row in told] == ["created", "updated", "updated", "created", "invalid", "invalid"]
        assert told[5]["problem"]["errors"][0]["pointer"] == "/captured/at"
        read = (await http.get(f"/api/v1/customers/{owner}/consents/marketing/email")).json()
        assert (read["state"], read["version"]) == ("withdrawn", 3)

    async def test_told_again_by_the_same_import_are_told_once(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        first = await load(world, http, [granted()], kind="consents")

        again = await load(world, http, [granted()], kind="consents")

        assert first == again
        assert (await http.get(f"/api/v1/customers/{owner}/consents/marketing/email")).json()["version"] == 1
