"""Feature 20 for cases: opened once however often they are told, as far as they had come, about orders of files."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from functions.orders.views import WIDGETS
from lib.clock import rfc3339
from local.simulation.world import World
from tests.imports.support import customer
from tests.imports.test_orders_and_consents import order
from tests.imports.test_statements import load, outcomes, what

SOLVED = {"code": "solved", "text": "The bag was brought to the hotel."}


@pytest.fixture
async def owner(world: World, http: httpx2.AsyncClient) -> str:
    return (await load(world, http, [customer(1)]))[0]["id"]


def case(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "customer": {"system": "crm", "id": "C-1"},
        "reference": {"system": "desk", "id": f"T-{number}"},
        "type": "claim",
        "subject": "My bag came late",
        "openedAt": "2025-11-01T10:00:00Z",
        **fields,
    }


class TestCases:
    async def test_are_opened_once_however_often_they_are_told(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        rows = [case(1), case(2, state="onHold"), case(1)]
        dry = await load(world, http, rows[:2], kind="cases", dryRun=True)

        first = await load(world, http, rows, kind="cases")
        again = await load(world, http, rows[:2], kind="cases", source="crm-2")

        assert outcomes(dry) == ["created", "created"]
        assert outcomes(first) == ["created", "created", "unchanged"]
        assert outcomes(again) == ["unchanged", "unchanged"]
        assert [row["id"] for row in again] == [row["id"] for row in first[:2]] == [row["id"] for row in dry]
        listed = (await http.get(f"/api/private/v1/customers/{owner}/cases")).json()["items"]
        assert {one["id"]: one["state"] for one in listed} == {first[0]["id"]: "new", first[1]["id"]: "onHold"}
        read = (await http.get(f"/api/private/v1/customers/{owner}/cases/{first[0]['id']}")).json()
        assert (read["openedBy"], read["recordedBy"]) == ("customer", "loader")
        assert read["reference"] == {"system": "desk", "id": "T-1"}

    async def test_bring_how_they_ended(self, world: World, http: httpx2.AsyncClient, owner: str) -> None:
        row = case(1, state="closed", resolution=SOLVED, settledAt="2025-11-03T10:00:00Z")

        told = await load(world, http, [row], kind="cases")

        read = (await http.get(f"/api/private/v1/customers/{owner}/cases/{told[0]['id']}")).json()
        assert (read["state"], read["version"], read["resolution"]) == ("closed", 1, SOLVED)
        assert read["resolvedAt"] == read["closedAt"] == "2025-11-03T10:00:00.000Z"
        timeline = (await http.get(f"/api/private/v1/customers/{owner}/timeline?type=case")).json()["items"]
        assert [(entry["kind"], entry["happenedAt"][:10]) for entry in timeline] == [
            ("closed", "2025-11-03"),
            ("opened", "2025-11-01"),
        ]

    async def test_are_about_orders_that_another_file_told(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        placed = await load(world, http, [order(1)], kind="orders")
        row = case(1, order={"system": "shop", "id": "B-1"}, about={"itemIds": ["item-1"]})

        told = await load(world, http, [row], kind="cases")

        of_order = (await http.get(f"/api/private/v1/customers/{owner}/orders/{placed[0]['id']}/cases")).json()["items"]
        assert [(one["id"], one["itemIds"]) for one in of_order] == [(told[0]["id"], ["item-1"])]

    async def test_stay_as_they_are_though_their_items_have_gone(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        placed = await load(world, http, [order(1)], kind="orders")
        row = case(1, order={"system": "shop", "id": "B-1"}, about={"itemIds": ["item-1"]})
        first = await load(world, http, [row], kind="cases")
        patch = {"reason": "changed his mind", "items": [WIDGETS["items"][1]]}
        address = f"/api/private/v1/customers/{owner}/orders/{placed[0]['id']}"

        patched = await http.patch(address, json=patch, headers={"If-Match": '"1-private"'})
        again = await load(world, http, [row], kind="cases", source="crm-2")
        dry = await load(world, http, [row], kind="cases", source="crm-3", dryRun=True)

        assert patched.status_code == 200, patched.text
        assert outcomes(first) == ["created"]
        assert outcomes(again) == outcomes(dry) == ["unchanged"]

    async def test_come_from_senders_whose_clocks_are_ahead(
        self, world: World, http: httpx2.AsyncClient, owner: str
    ) -> None:
        soon = rfc3339(world.clock.now() + timedelta(minutes=4))
        row = case(1, openedAt=soon, state="closed", resolution=SOLVED, settledAt=soon, openedBy="staff")

        told = await load(world, http, [row], kind="cases")

        read = (await http.get(f"/api/private/v1/customers/{owner}/cases/{told[0]['id']}")).json()
        assert read["openedAt"] == read["closedAt"] == read["updatedAt"] == read["recordedAt"]
        assert read["openedBy"] == "staff"
        timeline = (await http.get(f"/api/private/v1/customers/{owner}/timeline?type=case")).json()["items"]
        assert [entry["kind"] for entry in timeline] == ["closed", "opened"]

    @pytest.mark.parametrize("dry_run", [False, True])
    async def test_are_refused_one_by_one(
        self, world: World, http: httpx2.AsyncClient, owner: str, *, dry_run: bool
    ) -> None:
        rows = [
            case(1, subject=""),
            case(2, customer={"id": "cus_00000000000000000000000000"}),
            {name: value for name, value in case(3).items() if name != "reference"},
            case(4, state="closed"),
            case(5, resolution=SOLVED),
            case(6, state="resolved", resolution=SOLVED, settledAt="2025-10-31T10:00:00Z"),
            case(7, order={"system": "shop", "id": "B-17"}),
            case(8, order={"system": "shop", "id": "B-1"}, about={"orderId": "ord_" + "0" * 26}),
            case(9, openedAt="2031-01-01T00:00:00Z"),
            case(10, state="open", settledAt="2025-11-03T10:00:00Z"),
            case(11),
        ]

        told = await load(world, http, rows, kind="cases", dryRun=dry_run)

        assert [what(row) for row in told] == [
            "invalid",
            "customer-not-found",
            "invalid",
            *["case-invalid"] * 4,
            "invalid",
            "case-invalid",
            "case-invalid",
            "created",
        ]
        pointers = [
            row["problem"]["errors"][0]["pointer"] for row in told if row["problem"] and "errors" in row["problem"]
        ]
        assert pointers == [
            "/subject",
            "/reference",
            "/resolution",
            "/resolution",
            "/settledAt",
            "/order",
            "/order",
            "/openedAt",
            "/settledAt",
        ]
        assert owner
