"""What happens to an order's items, and the documents that follow it. Feature 26."""

import pytest

from tests.orders.support import Desk, problem, segment, widget


class TestChangeStatus:
    async def test_rebooked_segment_brings_the_one_that_replaces_it(self, desk: Desk) -> None:
        order = await desk.place(
            segment(unitPrice={"amount": "412", "currency": "EUR"}),
        )
        instead = segment(flight="IM206", unitPrice={"amount": "420", "currency": "EUR"})
        del instead["id"]

        answer = await desk.status(order["id"], "out", "rebooked", replacement=instead)

        old, new = answer.json()["items"]
        assert (old["status"], old["statusDetails"]) == ("rebooked", {"rebookedTo": "item-1"})
        assert (new["id"], new["flight"], new["status"]) == ("item-1", "IM206", "onTime")
        assert answer.json()["totals"]["gross"]["amount"] == "420.00"
        assert ("flightRebooked", "to IM206") in [
            (kind, entry[entry.index("to IM206") :][:8]) for kind, entry in await desk.timeline() if "to IM206" in entry
        ]

    @pytest.mark.parametrize(
        ("status", "fields", "code"),
        [
            ("rebooked", {"details": {"rebookedTo": "nowhere"}}, 422),
            ("rebooked", {"details": {"rebookedTo": "out"}}, 422),
            ("delayed", {"replacement": segment(id="x")}, 422),
            ("rebooked", {"replacement": segment()}, 422),
            ("shipped", {}, 409),
            ("nonsense", {}, 409),
            ("delayed", {"details": {"delayMinutes": True}}, 422),
        ],
    )
    async def test_refuses_what_the_tables_do_not_know(
        self, desk: Desk, status: str, fields: dict[str, object], code: int
    ) -> None:
        order = await desk.place()

        answer = await desk.status(order["id"], "out", status, **fields)

        assert answer.status_code == code, answer.text
        assert (await desk.read(order["id"]))["version"] == 1

    async def test_of_an_item_that_is_not_there_is_404(self, desk: Desk) -> None:
        order = await desk.place()

        answer = await desk.status(order["id"], "back", "flown")

        assert (answer.status_code, problem(answer)) == (404, "order-item-not-found")

    async def test_of_a_cancelled_order_is_409(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.act(order["id"], "cancel")

        assert problem(await desk.status(order["id"], "out", "onTime")) == "order-closed"

    async def test_disruption_of_an_ancillary_is_told_with_its_reason(self, desk: Desk) -> None:
        lounge = {"kind": "ancillary", "id": "lounge", "ancillaryType": "lounge", "segmentId": "out"}
        order = await desk.place(segment(), lounge)

        await desk.status(order["id"], "lounge", "serviceDisruption", details={"reason": "closed for repairs"})
        after = await desk.status(order["id"], "lounge", "refunded")

        assert after.json()["items"][1]["status"] == "refunded"
        log = (await desk.http.get(f"{desk.private}/{order['id']}/changes")).json()["items"]
        assert {"field": "/items/lounge/status", "old": "booked", "new": "serviceDisruption"} in log[1]["fields"]


class TestAddDocument:
    async def test_shipment_ships_the_products_that_it_names(self, desk: Desk) -> None:
        order = await desk.place(widget(id="a"), widget(id="b"))
        await desk.act(order["id"], "state", state="confirmed")

        answer = await desk.act(order["id"], "documents", kind="shipment", number="SH-1", itemIds=["a"])

        assert [item["status"] for item in answer.json()["items"]] == ["shipped", "ordered"]
        assert answer.json()["documents"][0]["number"] == "SH-1"
        assert "issuedAt" in answer.json()["documents"][0]

    async def test_same_number_twice_is_409_but_with_its_key_the_first_answer(self, desk: Desk) -> None:
        order = await desk.place(widget())
        await desk.act(order["id"], "state", state="confirmed")
        address = f"{desk.private}/{order['id']}/documents"
        invoice = {"kind": "invoice", "number": "2026/1", "reason": "billed"}

        first = await desk.http.post(address, json=invoice, headers={"Idempotency-Key": "k"})
        again = await desk.http.post(address, json=invoice, headers={"Idempotency-Key": "k"})
        bare = await desk.http.post(address, json=invoice)

        assert (first.status_code, again.status_code, bare.status_code) == (200, 200, 409)
        assert first.json() == again.json()

    async def test_needs_a_confirmed_order_and_items_that_it_has(self, desk: Desk) -> None:
        order = await desk.place(widget(id="a"))

        early = await desk.act(order["id"], "documents", kind="invoice", number="1")
        await desk.act(order["id"], "state", state="confirmed")
        astray = await desk.act(order["id"], "documents", kind="invoice", number="1", itemIds=["z"])

        assert (early.status_code, astray.status_code) == (409, 422)

    async def test_never_are_more_than_twenty(self, desk: Desk) -> None:
        order = await desk.place(widget())
        await desk.act(order["id"], "state", state="confirmed")

        answers = [await desk.act(order["id"], "documents", kind="invoice", number=str(one)) for one in range(21)]

        assert [answer.status_code for answer in answers] == [200] * 20 + [409]
