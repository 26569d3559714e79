"""Feature 30: a case is opened from an order item, and the order shows its cases."""

from datetime import UTC, datetime

import pytest

from tests.cases.support import NOWHERE, CaseDesk, claim
from tests.orders.support import problem, segment, widget


class TestOpenFromAnOrderItem:
    async def test_keeps_the_item_as_it_stood(self, desk: CaseDesk) -> None:
        """Feature 30: a case is opened from an order item."""
        order = await desk.place(segment(), widget(id="gift"))
        await desk.status(order["id"], "out", "delayed")

        case = await desk.open(about={"orderId": order["id"], "itemIds": ["out", "gift"]})
        await desk.status(order["id"], "out", "cancelled")

        kept = await desk.case(case["id"])
        assert kept == case
        assert kept["about"] == {"orderId": order["id"], "itemIds": ["out", "gift"]}
        assert kept["items"] == [
            {"id": "out", "kind": "flightSegment", "label": "IM204 LHR-JFK 2026-01-31", "status": "delayed"},
            {"id": "gift", "kind": "product", "label": "2 widget WID-200", "status": "ordered"},
        ]

    async def test_says_what_each_kind_of_item_was(self, desk: CaseDesk) -> None:
        bag = {"kind": "ancillary", "id": "bag", "ancillaryType": "extraBag", "segmentId": "out"}
        service = {"kind": "service", "id": "mcg", "serviceCode": "MCG-INSTALL"}
        retail = {"kind": "retailPurchase", "id": "gin", "sku": "GIN-05", "name": "A small gin"}
        order = await desk.place(segment(), widget(id="gift", name="A gift"), bag, service, retail)

        case = await desk.open(about={"orderId": order["id"], "itemIds": ["mcg", "gin", "bag", "gift"]})

        assert [(item["id"], item["label"], item["status"]) for item in case["items"]] == [
            ("mcg", "MCG-INSTALL", "booked"),
            ("gin", "A small gin", "purchased"),
            ("bag", "extraBag", "booked"),
            ("gift", "A gift", "ordered"),
        ]

    async def test_does_not_change_the_order(self, desk: CaseDesk) -> None:
        order = await desk.place()

        await desk.open(about={"orderId": order["id"], "itemIds": ["out"]})

        assert await desk.read(order["id"]) == order

    @pytest.mark.parametrize(
        ("about", "pointer"),
        [
            ({"orderId": f"ord_{NOWHERE}"}, "/about/orderId"),
            ({"orderId": "K7QX2M"}, "/about/orderId"),
            ({"itemIds": ["out"]}, "/about/orderId"),
            ({"itemIds": ["out", "back"], "orderId": "placed"}, "/about/itemIds/1"),
            ({"itemIds": ["out", "out"], "orderId": "placed"}, "/about/itemIds"),
            ({"interactionId": f"int_{NOWHERE}"}, "/about/interactionId"),
            ({"feedbackId": f"fbk_{NOWHERE}"}, "/about/feedbackId"),
            ({"caseId": f"cas_{NOWHERE}"}, "/about/caseId"),
        ],
    )
    async def test_is_refused_for_what_the_customer_does_not_have(
        self, desk: CaseDesk, about: dict[str, object], pointer: str
    ) -> None:
        order = await desk.place()
        if about.get("orderId") == "placed":
            about = about | {"orderId": order["id"]}

        answer = await desk.http.post(desk.cases, json=claim(about=about))

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert await desk.all(desk.cases) == []

    async def test_is_refused_for_the_order_of_somebody_else(self, desk: CaseDesk) -> None:
        order = await desk.place()
        other = (
            await desk.http.post("/api/v1/customers", json={"lastName": "Hopper", "email": "g@example.com"})
        ).json()

        answer = await desk.http.post(
            f"/api/v1/customers/{other['id']}/cases", json=claim(about={"orderId": order["id"]})
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/about/orderId"


class TestCasesOfAnOrder:
    async def test_are_shown_by_the_order_latest_first(self, desk: CaseDesk) -> None:
        """Feature 30: the order shows its cases."""
        order, other = await desk.place(segment(), widget(id="gift")), await desk.place()
        first = await desk.open(about={"orderId": order["id"], "itemIds": ["out"]})
        desk.world.clock.advance(60)
        second = await desk.open(about={"orderId": order["id"], "itemIds": ["gift"]}, priority="high")
        await desk.open(about={"orderId": other["id"]})
        await desk.open()
        await desk.resolve(first["id"])

        listed = await desk.all(f"{desk.private}/{order['id']}/cases?limit=1")

        assert [(one["id"], one["itemIds"], one["state"], one["priority"]) for one in listed] == [
            (second["id"], ["gift"], "new", "high"),
            (first["id"], ["out"], "resolved", "normal"),
        ]

    async def test_are_shown_to_the_customer_without_what_staff_think(self, desk: CaseDesk) -> None:
        order = await desk.place()
        case = await desk.open(about={"orderId": order["id"], "itemIds": ["out"]}, assignee="m.okafor")

        listed = await desk.all(f"{desk.public}/{order['id']}/cases")

        assert [one["id"] for one in listed] == [case["id"]]
        assert not {"priority", "assignee"} & set(listed[0])

    async def test_follow_a_case_to_another_order(self, desk: CaseDesk) -> None:
        order, other = await desk.place(), await desk.place(segment(), widget(id="gift"))
        case = await desk.open(about={"orderId": order["id"], "itemIds": ["out"]})
        await desk.status(other["id"], "out", "delayed")

        moved = await desk.amend(case["id"], 1, about={"orderId": other["id"], "itemIds": ["out", "gift"]})

        assert moved.json()["items"][0]["status"] == "delayed"
        assert await desk.all(f"{desk.private}/{order['id']}/cases") == []
        assert [one["id"] for one in await desk.all(f"{desk.private}/{other['id']}/cases")] == [case["id"]]
        unlinked = await desk.amend(case["id"], 2, about=None)
        assert "about" not in unlinked.json()
        assert unlinked.json()["items"] == []
        assert await desk.all(f"{desk.private}/{other['id']}/cases") == []
        assert [one["id"] for one in await desk.all(desk.cases)] == [case["id"]]

    async def test_keep_what_was_seen_of_an_item_when_another_is_added(self, desk: CaseDesk) -> None:
        order = await desk.place(segment(), widget(id="gift"))
        case = await desk.open(about={"orderId": order["id"], "itemIds": ["out"]})
        await desk.status(order["id"], "out", "delayed")

        amended = await desk.amend(case["id"], 1, about={"itemIds": ["out", "gift"]})

        assert [item["status"] for item in amended.json()["items"]] == ["onTime", "ordered"]

    @pytest.mark.parametrize("folder", ["public", "private"])
    async def test_of_an_order_that_is_not_there_are_not_found(self, desk: CaseDesk, folder: str) -> None:
        address = getattr(desk, folder)

        for order_id in (f"ord_{NOWHERE}", "K7QX2M"):
            answer = await desk.http.get(f"{address}/{order_id}/cases")
            assert (answer.status_code, problem(answer)) == (404, "order-not-found")
        placed = await desk.place()
        assert await desk.all(f"{address}/{placed['id']}/cases") == []

    async def test_take_one_storage_call_a_page(self, desk: CaseDesk) -> None:
        order = await desk.place()
        for day in range(1, 4):
            await desk.open(about={"orderId": order["id"]}, openedAt=datetime(2025, 12, day, tzinfo=UTC).isoformat())
        desk.calls.clear()

        answer = await desk.http.get(f"{desk.private}/{order['id']}/cases")

        assert [one["openedAt"][:10] for one in answer.json()["items"]] == ["2025-12-03", "2025-12-02", "2025-12-01"]
        assert len(desk.calls) == 1
