"""Orders are placed, changed, moved and cancelled, and each change says who and why. Feature 26."""

import json

import pytest

from local.faults.taps import When
from tests.orders.support import Desk, body, problem, segment, widget

KEYED = {"Idempotency-Key": "k-1"}


async def rows(desk: Desk, prefix: str) -> list[str]:
    page = await desk.world.storage.table("customers").page(
        desk.customer_id, from_key=prefix, below_key=prefix[:-1] + chr(ord(prefix[-1]) + 1)
    )
    return [row.key for row in page.rows]


class TestPlace:
    async def test_answers_201_with_where_it_is_and_which_version(self, desk: Desk) -> None:
        answer = await desk.http.post(desk.public, json=body())

        order = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{desk.public}/{order['id']}"
        assert answer.headers["etag"] == '"1-public"'
        assert (order["state"], order["customerId"], order["version"]) == ("placed", desk.customer_id, 1)
        assert (await desk.http.get(answer.headers["location"])).json() == order

    async def test_repeat_with_its_key_is_the_first_answer_again(self, desk: Desk) -> None:
        first = await desk.http.post(desk.public, json=body(), headers=KEYED)
        again = await desk.http.post(desk.public, json=body(), headers=KEYED)
        other = await desk.http.post(desk.public, json=body(widget()), headers=KEYED)

        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert (other.status_code, problem(other)) == (422, "idempotency-key-reused")
        assert len(await rows(desk, "order~")) == 1

    async def test_of_nobody_is_404_and_nothing_is_kept(self, desk: Desk) -> None:
        for customer in ("cus_00000000000000000000000000", "nobody", "a%23b"):
            answer = await desk.http.post(f"/api/v1/customers/{customer}/orders", json=body())

            assert (answer.status_code, problem(answer)) == (404, "customer-not-found")

    async def test_contradictions_are_422_and_say_where(self, desk: Desk) -> None:
        answer = await desk.http.post(desk.public, json=body(segment(travellers=[{"passengerId": "P9"}])))

        assert (answer.status_code, problem(answer)) == (422, "order-invalid")
        assert answer.json()["errors"][0]["pointer"] == "/items/0/travellers/0/passengerId"

    async def test_takes_four_calls_to_storage(self, desk: Desk) -> None:
        calls: list[str] = []

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                calls.append(point)

        desk.world.tap = listen

        await desk.place()

        assert calls == ["customers.get", "customers.get", "changes.send", "customers.commit"]

    async def test_largest_legal_order_is_kept_whole(self, desk: Desk) -> None:
        wide = "\U0001f600" * 100
        passengers = [
            {"id": f"passenger-{number:02d}", "title": wide[:20], "firstName": wide, "lastName": wide}
            for number in range(20)
        ]
        travellers = [
            {
                "passengerId": one["id"],
                "ticketNumber": "1252345678901",
                "seat": "12A",
                "seatRequest": {"position": "window"},
                "meal": {"code": "VGML"},
                "bagTags": ["0125728359"] * 6,
            }
            for one in passengers
        ]
        items = [segment(id=f"segment-{number:011d}", name=wide, travellers=travellers) for number in range(25)]
        raw = json.dumps(body(*items, passengers=passengers, notes="\U0001f600" * 500), ensure_ascii=False)
        assert len(raw.encode()) < 256 * 1024

        answer = await desk.http.post(
            desk.public, content=raw.encode(), headers={"Content-Type": "application/json", **KEYED}
        )
        again = await desk.http.post(
            desk.public, content=raw.encode(), headers={"Content-Type": "application/json", **KEYED}
        )

        assert answer.status_code == 201, answer.text
        assert again.json() == answer.json()


class TestCardNumbers:
    """Feature 74: never kept, wherever somebody writes them."""

    async def test_are_masked_in_everything_that_is_kept(self, desk: Desk) -> None:
        pan = "4111 1111 1111 1111"
        lounge = {"kind": "ancillary", "id": "l", "ancillaryType": "lounge", "name": pan, "attributes": {"note": pan}}
        order = await desk.place(segment(), lounge, notes=f"card {pan}")
        await desk.patch(order["id"], 1, notes=f"another {pan}", reason=f"paid with {pan}")
        await desk.status(order["id"], "out", "onTime", details={"reason": pan}, reason=pan)
        await desk.world.settle(seconds=20)

        page = await desk.world.storage.table("customers").page(desk.customer_id, limit=1000)

        kept = " ".join(str(value) for row in page.rows for value in row.values.values())
        assert "another" in kept
        assert "1111 1111" not in kept
        assert "4111111111111111" not in kept


class TestPrefill:
    """Feature 29: filled in from preferences, and unchanged by what the customer prefers later."""

    async def test_snapshot_stays_when_the_preference_changes(self, desk: Desk) -> None:
        await desk.prefer(0, meal={"code": "VGML"}, seat={"position": "window"}, drink="tea")
        first = await desk.place()

        await desk.prefer(1, meal={"code": "KSML"})
        await desk.patch(first["id"], 1, notes="later")
        second = await desk.place()

        kept = await desk.read(first["id"])
        traveller = kept["items"][0]["travellers"][0]
        assert (traveller["meal"], traveller["seatRequest"], traveller["drink"]) == (
            {"code": "VGML"},
            {"position": "window"},
            "tea",
        )
        assert kept["filledIn"] == first["filledIn"]
        assert kept["filledIn"][0] == {
            "itemId": "out",
            "passengerId": "P1",
            "field": "meal",
            "value": {"code": "VGML"},
            "source": "preference",
            "preferenceVersion": 1,
            "filledAt": "2026-01-01T00:00:00.000Z",
        }
        assert [(one["field"], one["preferenceVersion"]) for one in second["filledIn"]] == [
            ("meal", 2),
            ("seatRequest", 1),
            ("drink", 1),
        ]

    async def test_segment_that_replaces_another_is_filled_in_too(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.prefer(0, drink="tea")

        answer = await desk.status(order["id"], "out", "rebooked", replacement=segment(id="new"))

        old, new = answer.json()["items"]
        assert ("drink" in old["travellers"][0], new["travellers"][0]["drink"]) == (False, "tea")


class TestAmend:
    async def test_each_change_is_a_version_with_who_and_why(self, desk: Desk) -> None:
        order = await desk.place()

        answer = await desk.patch(order["id"], 1, notes="Travels with a cello")
        await desk.act(order["id"], "state", state="confirmed")
        log = (await desk.http.get(f"{desk.private}/{order['id']}/changes")).json()["items"]

        assert (answer.status_code, answer.headers["etag"]) == (200, '"2-private"')
        assert [(entry["version"], entry["actor"], entry.get("reason")) for entry in log] == [
            (3, "private", "test"),
            (2, "m.okafor", "test"),
            (1, "public", None),
        ]
        assert log[1]["fields"] == [{"field": "/notes", "new": "Travels with a cello"}]

    async def test_without_if_match_is_428_and_with_a_stale_one_412(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.patch(order["id"], 1, notes="first")

        blind = await desk.http.patch(f"{desk.private}/{order['id']}", json={"reason": "x", "notes": "blind"})
        stale = await desk.patch(order["id"], 1, notes="second")

        assert (blind.status_code, stale.status_code) == (428, 412)
        assert (await desk.read(order["id"]))["notes"] == "first"

    async def test_without_a_reason_is_422(self, desk: Desk) -> None:
        order = await desk.place()

        for action, fields in (("cancel", {}), ("state", {"state": "confirmed"}), ("documents", {"kind": "invoice"})):
            answer = await desk.http.post(f"{desk.private}/{order['id']}/{action}", json=fields)
            assert answer.status_code == 422, action

    async def test_that_changes_nothing_makes_no_version(self, desk: Desk) -> None:
        order = await desk.place(notes="same")

        answer = await desk.patch(order["id"], 1, notes="same")

        assert answer.json()["version"] == 1
        assert len(await desk.timeline()) == 1

    async def test_keeps_one_list_row_for_each_place_in_a_list(self, desk: Desk) -> None:
        order = await desk.place()
        before = await rows(desk, "orderlist~")

        await desk.patch(order["id"], 1, items=[widget(), segment(scheduledArrival="2026-02-01T12:00:00Z")])
        await desk.patch(order["id"], 2, notes="x")

        after = await rows(desk, "orderlist~")
        assert (len(before), len(after)) == (2, 2)
        assert before != after


class TestCancel:
    async def test_public_until_fulfilment_has_begun(self, desk: Desk) -> None:
        orders = [(await desk.place())["id"] for _ in range(3)]
        await desk.act(orders[1], "state", state="confirmed")
        await desk.act(orders[2], "state", state="confirmed")
        await desk.act(orders[2], "state", state="inFulfilment")

        answers = [await desk.http.post(f"{desk.public}/{one}/cancel", json={}) for one in orders]

        assert [answer.status_code for answer in answers] == [200, 200, 409]
        assert answers[0].json()["state"] == "cancelled"
        assert answers[0].json()["items"][0]["status"] == "cancelled"
        assert problem(answers[2]) == "order-move-not-allowed"
        assert (await desk.act(orders[2], "cancel")).json()["state"] == "cancelled"

    async def test_repeat_with_its_key_is_the_first_answer_again(self, desk: Desk) -> None:
        order = await desk.place()
        address = f"{desk.public}/{order['id']}/cancel"

        first = await desk.http.post(address, json={"reason": "ill"}, headers=KEYED)
        again = await desk.http.post(address, json={"reason": "ill"}, headers=KEYED)
        bare = await desk.http.post(address, json={"reason": "ill"})

        assert (first.status_code, again.status_code, bare.status_code) == (200, 200, 409)
        assert again.headers["idempotency-replayed"] == "true"

    async def test_in_a_version_that_is_no_more_is_412(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.patch(order["id"], 1, notes="x")

        answer = await desk.http.post(
            f"{desk.public}/{order['id']}/cancel", json={}, headers={"If-Match": '"1-public"'}
        )

        assert answer.status_code == 412


class TestRead:
    @pytest.mark.parametrize(
        "order_id", ["ord_00000000000000000000000000", "nothing", "cus_00000000000000000000000000"]
    )
    async def test_of_nothing_is_404(self, desk: Desk, order_id: str) -> None:
        address = f"{desk.private}/{order_id}"

        answers = [
            await desk.http.get(address),
            await desk.http.get(f"{address}/changes"),
            await desk.http.post(f"{desk.public}/{order_id}/cancel", json={}),
            await desk.patch(order_id, 1, notes="x"),
        ]

        assert [(answer.status_code, problem(answer)) for answer in answers] == [(404, "order-not-found")] * 4

    async def test_order_of_another_customer_is_404(self, desk: Desk) -> None:
        order = await desk.place()
        other = (await desk.http.post("/api/v1/customers", json={"lastName": "B", "email": "b@example.com"})).json()

        answer = await desk.http.get(f"/api/v1/customers/{other['id']}/orders/{order['id']}")

        assert (answer.status_code, problem(answer)) == (404, "order-not-found")

    async def test_of_what_the_caller_has_is_304(self, desk: Desk) -> None:
        order = await desk.place()

        answer = await desk.http.get(f"{desk.public}/{order['id']}", headers={"If-None-Match": '"1-public"'})

        assert (answer.status_code, answer.content) == (304, b"")


class TestMove:
    async def test_goes_as_the_table_says_and_nowhere_else(self, desk: Desk) -> None:
        order = await desk.place(widget(id="w"))
        states = ["fulfilled", "confirmed", "placed", "inFulfilment", "fulfilled"]

        answers = [await desk.act(order["id"], "state", state=state) for state in states]
        await desk.status(order["id"], "w", "delivered")
        last = await desk.act(order["id"], "state", state="fulfilled")

        assert [answer.status_code for answer in answers] == [409, 200, 409, 200, 409]
        assert problem(answers[-1]) == "order-items-open"
        assert (last.status_code, last.json()["state"]) == (200, "fulfilled")


class TestTimeline:
    async def test_tells_every_version(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.act(order["id"], "state", state="confirmed")
        await desk.status(order["id"], "out", "delayed", details={"estimatedDeparture": "2026-01-31T02:00:00Z"})
        await desk.patch(order["id"], 3, notes="x")
        await desk.act(order["id"], "cancel")

        kinds = sorted((json.loads(entry)["id"], kind) for kind, entry in await desk.timeline())

        assert [kind for _, kind in kinds] == ["placed", "confirmed", "flightDelayed", "changed", "cancelled"]
