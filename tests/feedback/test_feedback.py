"""Feature 25: complaints, compliments, suggestions and ratings, linked to what they are about."""

from typing import Any

import httpx2
import pytest

import tests.orders.support as orders
from tests.interactions.conftest import PRIVATE, PUBLIC, Desk, call

NOWHERE = "01KAJ8W8Q9V3D0W3W7S2F5R3YT"


def complaint(**fields: Any) -> dict[str, Any]:
    return {"kind": "complaint", "text": "The bag came\ntwo days late.", **fields}


def survey(event_id: str = "s1", **fields: Any) -> dict[str, Any]:
    """An answer to a survey, as the survey's system tells it."""
    return {
        "kind": "rating",
        "rating": {"scale": "csat", "score": 4},
        "channel": "email",
        "agent": "m.okafor",
        "happenedAt": "2026-01-12T10:00:00.000Z",
        "source": {"system": "survey", "eventId": event_id},
        **fields,
    }


async def give(desk: Desk, body: dict[str, Any], **headers: str) -> httpx2.Response:
    return await desk.http.post(f"{PUBLIC}/{desk.customer}/feedback", json=body, headers=headers)


async def record(desk: Desk, body: dict[str, Any], **headers: str) -> httpx2.Response:
    return await desk.http.post(f"{desk.address}/feedback", json=body, headers=headers)


class TestGive:
    @pytest.mark.parametrize("kind", ["complaint", "compliment", "suggestion"])
    async def test_keeps_the_customers_words(self, desk: Desk, kind: str) -> None:
        answer = await give(desk, complaint(kind=kind))

        read = await desk.http.get(answer.headers["location"])
        assert answer.status_code == 201
        assert read.json() == answer.json()
        assert complaint(kind=kind).items() <= read.json().items()
        assert read.json()["happenedAt"] == read.json()["recordedAt"] == "2026-01-20T00:00:00.000Z"

    @pytest.mark.parametrize(("scale", "lowest", "highest"), [("csat", 1, 5), ("nps", 0, 10), ("ces", 1, 7)])
    async def test_takes_the_scores_of_each_scale_alone(
        self, desk: Desk, scale: str, lowest: int, highest: int
    ) -> None:
        statuses = {
            score: (await give(desk, {"kind": "rating", "rating": {"scale": scale, "score": score}})).status_code
            for score in range(11)
        }

        assert {score for score, status in statuses.items() if status == 201} == set(range(lowest, highest + 1))
        assert set(statuses.values()) <= {201, 422}

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"kind": "complaint"}, "/text"),
            ({"kind": "rating", "text": "Good"}, "/rating"),
            ({"kind": "rating", "rating": {"scale": "nps", "score": 11}}, "/rating/score"),
            ({"kind": "rating", "rating": {"scale": "csat", "score": 0}}, "/rating/score"),
            ({"kind": "rating", "rating": {"scale": "csat", "score": "4"}}, "/rating/score"),
            (complaint(happenedAt="2026-01-12T10:00:00Z"), "/happenedAt"),
            (complaint(about={"orderId": "K7QX2M"}), "/about/orderId"),
            (complaint(about={"interactionId": f"int_{NOWHERE}"}), "/about/interactionId"),
            (complaint(about={"orderId": f"ord_{NOWHERE}"}), "/about/orderId"),
            (complaint(about={"caseId": f"cas_{NOWHERE}"}), "/about/caseId"),
        ],
    )
    async def test_says_what_is_wrong_and_where(self, desk: Desk, body: dict[str, Any], pointer: str) -> None:
        answer = await give(desk, body)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    async def test_links_an_interaction_of_this_customer_alone(self, desk: Desk) -> None:
        interaction = (await desk.tell(call())).json()["id"]
        other = await desk.http.post(PUBLIC, json={"lastName": "B", "email": "b@example.com"})

        mine = await give(desk, complaint(about={"interactionId": interaction}))
        theirs = await desk.http.post(
            f"{PUBLIC}/{other.json()['id']}/feedback", json=complaint(about={"interactionId": interaction})
        )

        assert mine.json()["about"] == {"interactionId": interaction}
        assert theirs.status_code == 422

    async def test_links_an_order(self, desk: Desk) -> None:
        order = await desk.http.post(f"{PUBLIC}/{desk.customer}/orders", json=orders.body(orders.widget()))
        assert order.status_code == 201, order.text

        answer = await give(desk, {**complaint(), "about": {"orderId": order.json()["id"]}})

        assert answer.status_code == 201
        assert answer.json()["about"] == {"orderId": order.json()["id"]}

    async def test_is_kept_without_card_numbers(self, desk: Desk) -> None:
        """Feature 74: no card number is kept in feedback either."""
        answer = await give(desk, complaint(text="Charged twice on 4111-1111-1111-1111!"), **{"Idempotency-Key": "k"})

        assert answer.json()["text"] == "Charged twice on 4111-11**-****-1111!"
        rows = [str(row.values) for row in desk.world.storage.table("customers").rows()]
        assert not any("4111-1111-1111-1111" in row for row in rows)

    async def test_under_the_same_key_is_one_record(self, desk: Desk) -> None:
        first = await give(desk, complaint(), **{"Idempotency-Key": "k"})

        again = await give(desk, complaint(), **{"Idempotency-Key": "k"})
        other = await give(desk, complaint(text="Else"), **{"Idempotency-Key": "k"})

        assert (again.status_code, again.text, again.headers["etag"]) == (201, first.text, first.headers["etag"])
        assert other.status_code == 422
        assert await desk.rows("feedback~") == 1

    @pytest.mark.parametrize("customer", [f"cus_{NOWHERE}", "nobody"])
    async def test_of_no_customer_is_refused(self, desk: Desk, customer: str) -> None:
        answer = await desk.http.post(f"{PUBLIC}/{customer}/feedback", json=complaint())

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:customer-not-found")


class TestRecord:
    async def test_of_an_event_twice_is_one_record(self, desk: Desk) -> None:
        """Feature 23: the same event twice is one record."""
        first = await record(desk, survey())
        desk.world.clock.advance(60)

        again = await record(desk, survey())
        other = await record(desk, survey(rating={"scale": "csat", "score": 1}))

        assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
        assert again.text == first.text
        assert (await desk.rows("feedback~"), await desk.rows("feedbacklist~")) == (1, 1)

    async def test_takes_its_place_in_the_timeline(self, desk: Desk) -> None:
        kept = (await record(desk, survey())).json()

        [entry] = await desk.timeline(type="feedback")

        assert (entry["reference"], entry["happenedAt"]) == (kept["id"], "2026-01-12T10:00:00.000Z")
        assert (entry["summary"], entry["kind"], entry["channel"]) == ("Rating: csat 4 of 5", "rating", "email")

    async def test_refuses_what_is_still_to_come(self, desk: Desk) -> None:
        answer = await record(desk, survey(happenedAt="2026-02-01T00:00:00Z"))

        assert answer.status_code == 422

    async def test_is_read_by_the_customer_without_who_took_it_down(self, desk: Desk) -> None:
        kept = (await record(desk, survey())).json()

        own = (await desk.http.get(f"{PUBLIC}/{desk.customer}/feedback/{kept['id']}")).json()

        assert kept["agent"] == "m.okafor"
        assert kept["source"]["eventId"] == "s1"
        assert own == {name: kept[name] for name in kept if name not in {"agent", "source", "recordedBy"}}


class TestRead:
    @pytest.mark.parametrize("root", [PUBLIC, PRIVATE])
    @pytest.mark.parametrize("feedback", [f"fbk_{NOWHERE}", "profile", f"int_{NOWHERE}"])
    async def test_of_nothing_is_refused(self, desk: Desk, root: str, feedback: str) -> None:
        answer = await desk.http.get(f"{root}/{desk.customer}/feedback/{feedback}")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:feedback-not-found")


class TestList:
    async def test_is_the_latest_first_and_of_the_kind_asked_for(self, desk: Desk) -> None:
        for day in (3, 1, 2):
            await record(desk, survey(f"s{day}", happenedAt=f"2026-01-0{day}T00:00:00.000Z"))
        await give(desk, complaint())

        every = await desk.all("feedback", limit=2)
        ratings = await desk.all("feedback", kind="rating")

        assert [item["happenedAt"][:10] for item in every] == ["2026-01-20", "2026-01-03", "2026-01-02", "2026-01-01"]
        assert [item["kind"] for item in ratings] == ["rating"] * 3

    async def test_of_no_customer_is_refused(self, desk: Desk) -> None:
        assert (await desk.http.get(f"{PRIVATE}/cus_{NOWHERE}/feedback")).status_code == 404
        assert await desk.all("feedback") == []
