"""Cases are opened and found, by staff and by customers. Features 40 and 49."""

from datetime import timedelta
from typing import Any

import pytest

from lib.clock import rfc3339
from tests.cases.support import NOWHERE, CaseDesk, claim
from tests.orders.support import problem, widget

STAFF_ONLY = {
    "priority",
    "assignee",
    "openedBy",
    "recordedBy",
    "recordedAt",
    "reference",
    "comments",
    "reopened",
}


class TestOpen:
    async def test_answers_what_is_read_back(self, desk: CaseDesk) -> None:
        body = claim(category="baggage.delayed", description="I kept the receipts.", priority="high", channel="post")

        answer = await desk.http.post(desk.cases, json=body, headers={"X-Actor": "m.okafor"})

        read = await desk.http.get(answer.headers["location"])
        assert answer.status_code == 201
        assert read.json() == answer.json()
        assert read.headers["etag"] == answer.headers["etag"] == '"1-private"'
        assert body.items() <= read.json().items()
        assert (read.json()["state"], read.json()["openedBy"], read.json()["recordedBy"]) == (
            "new",
            "staff",
            "m.okafor",
        )
        not_modified = await desk.http.get(answer.headers["location"], headers={"If-None-Match": '"1-private"'})
        assert not_modified.status_code == 304

    async def test_by_the_customer_shows_what_is_the_customers(self, desk: CaseDesk) -> None:
        """Feature 49: self service: the customer creates and sees own cases."""
        answer = await desk.http.post(desk.own, json=claim())

        kept = await desk.case(answer.json()["id"])
        assert answer.status_code == 201
        assert (await desk.http.get(answer.headers["location"])).json() == answer.json()
        assert not STAFF_ONLY & set(answer.json())
        assert answer.json().items() <= kept.items()
        assert kept["openedBy"] == "customer"

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"type": "wish"}, "/type"),
            ({"subject": ""}, "/subject"),
            ({"subject": "two\nlines"}, "/subject"),
            ({"category": "über"}, "/category"),
            ({"state": "closed"}, "/state"),
            ({"priority": "maximum"}, "/priority"),
            ({"openedAt": "2026-01-01T01:00:00Z"}, "/openedAt"),
            ({"openedAt": "yesterday"}, "/openedAt"),
        ],
    )
    async def test_says_what_is_wrong_and_where(self, desk: CaseDesk, fields: dict[str, Any], pointer: str) -> None:
        answer = await desk.http.post(desk.cases, json=claim(**fields))

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    @pytest.mark.parametrize(
        ("field", "value"),
        [("priority", "low"), ("assignee", "ada"), ("openedAt", "2025-12-01T10:00:00Z"), ("channel", "post")],
    )
    async def test_takes_from_customers_only_what_is_theirs_to_say(
        self, desk: CaseDesk, field: str, value: str
    ) -> None:
        told = await desk.http.post(desk.cases, json=claim(**{field: value}))
        answer = await desk.http.post(desk.own, json=claim(**{field: value}))

        assert told.status_code == 201
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]

    async def test_is_the_first_answer_after_its_item_has_gone(self, desk: CaseDesk) -> None:
        order = await desk.place(widget(id="gift"), widget(id="card"))
        body = claim(about={"orderId": order["id"], "itemIds": ["gift"]})
        first = await desk.http.post(desk.own, json=body, headers={"Idempotency-Key": "k"})

        removed = await desk.patch(order["id"], 1, items=[widget(id="card")])
        again = await desk.http.post(desk.own, json=body, headers={"Idempotency-Key": "k"})

        assert removed.status_code == 200
        assert (again.status_code, again.json()) == (201, first.json())
        assert (await desk.case(first.json()["id"]))["items"][0]["label"] == "2 widget WID-200"

    async def test_takes_a_sender_whose_clock_is_ahead(self, desk: CaseDesk) -> None:
        case = await desk.open(openedAt=rfc3339(desk.world.clock.now() + timedelta(minutes=4)))

        assert case["openedAt"] == case["recordedAt"]

    async def test_is_one_case_however_often_it_is_sent(self, desk: CaseDesk) -> None:
        order = await desk.place()
        body = claim(about={"orderId": order["id"], "itemIds": ["out"]})
        answers = [await desk.http.post(desk.own, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        other = await desk.http.post(desk.own, json=claim(), headers={"Idempotency-Key": "k"})

        assert answers[0].json() == answers[1].json()
        assert answers[1].headers["idempotency-replayed"] == "true"
        assert (other.status_code, problem(other)) == (422, "idempotency-key-reused")
        assert len(await desk.all(desk.own)) == 1

    async def test_stands_where_it_came_in(self, desk: CaseDesk) -> None:
        late = await desk.open(openedAt="2025-12-01T10:00:00Z", channel="post")
        new = await desk.open()

        assert [one["id"] for one in await desk.all(f"{desk.cases}?limit=1")] == [new["id"], late["id"]]
        assert late["openedAt"] == "2025-12-01T10:00:00.000Z"
        assert late["recordedAt"] > late["openedAt"]
        entries = await desk.all(f"/api/private/v1/customers/{desk.customer_id}/timeline?type=case&channel=post")
        assert [(entry["happenedAt"], entry["reference"]) for entry in entries] == [(late["openedAt"], late["id"])]

    async def test_masks_card_numbers_wherever_they_stand(self, desk: CaseDesk) -> None:
        """Feature 74: no card number is kept in a case."""
        card = "4111 1111 1111 1111"
        case = await desk.open(subject=f"Charged {card}", description=f"My card {card}")
        answers = [
            await desk.say(case["id"], f"It was {card}"),
            await desk.amend(case["id"], 2, assignee=card, reason=card),
            await desk.move(case["id"], "resolved", resolution={"code": "solved", "text": card}, reason=card),
            await desk.http.post(f"{desk.own}/{case['id']}/reopen", json={"reason": card}),
            await desk.http.post(desk.own, json=claim(category="c4111111111111111")),
        ]

        assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 422]
        table = desk.world.storage.table("customers")
        assert not [row.key for row in table.rows() if card in str(row.values) or "4111111111111111" in str(row.values)]
        assert "*" in case["subject"]


class TestNotFound:
    @pytest.mark.parametrize("case_id", [f"cas_{NOWHERE}", "17", "ord_" + NOWHERE])
    async def test_is_told_of_every_operation(self, desk: CaseDesk, case_id: str) -> None:
        address = f"{desk.cases}/{case_id}"
        answers = [
            await desk.http.get(address),
            await desk.http.get(f"{address}/changes"),
            await desk.http.get(f"{address}/comments"),
            await desk.http.get(f"{address}/comments/1"),
            await desk.amend(case_id, 1, assignee="ada"),
            await desk.move(case_id, "open"),
            await desk.note(case_id, "Hello"),
            await desk.say(case_id),
            await desk.http.post(f"{desk.own}/{case_id}/reopen", json={}),
            await desk.http.post(f"{desk.own}/{case_id}/withdraw", json={}),
        ]

        assert [(answer.status_code, problem(answer)) for answer in answers] == [(404, "case-not-found")] * 10

    async def test_tells_a_missing_customer_apart(self, desk: CaseDesk) -> None:
        for customer in (f"cus_{NOWHERE}", "17"):
            folder = f"/api/private/v1/customers/{customer}/cases"
            answers = [
                await desk.http.get(folder),
                await desk.http.get(f"{folder}/cas_{NOWHERE}"),
                await desk.http.post(folder, json=claim()),
                await desk.http.post(folder, json=claim(), headers={"Idempotency-Key": "k"}),
                await desk.http.get(f"/api/private/v1/customers/{customer}/orders/ord_{NOWHERE}/cases"),
            ]
            assert [problem(answer) for answer in answers] == ["customer-not-found"] * 5

    async def test_is_what_others_see_of_a_case(self, desk: CaseDesk) -> None:
        """Feature 49: only own cases."""
        case = await desk.open()
        other = (
            await desk.http.post("/api/v1/customers", json={"lastName": "Hopper", "email": "g@example.com"})
        ).json()

        answer = await desk.http.get(f"/api/v1/customers/{other['id']}/cases/{case['id']}")

        assert (answer.status_code, problem(answer)) == (404, "case-not-found")
