"""What customers and staff write in cases. Feature 40."""

import asyncio

import pytest

from tests.cases.support import CaseDesk
from tests.orders.support import problem


class TestComments:
    async def test_are_read_in_their_order(self, desk: CaseDesk) -> None:
        """Feature 40: comment, public and internal."""
        case = await desk.open()
        await desk.say(case["id"], "Where is it?")
        await desk.note(case["id"], "Lisbon has it.", visibility="internal")
        await desk.note(case["id"], "It comes tomorrow.")
        told = await desk.note(case["id"], "Fine, thanks.", author="customer")

        staff = await desk.all(f"{desk.cases}/{case['id']}/comments?limit=2")
        own = await desk.all(f"{desk.own}/{case['id']}/comments?limit=1")

        assert [(one["number"], one["author"], one["visibility"]) for one in staff] == [
            (1, "customer", "public"),
            (2, "staff", "internal"),
            (3, "staff", "public"),
            (4, "customer", "public"),
        ]
        assert [one["text"] for one in own] == ["Where is it?", "It comes tomorrow.", "Fine, thanks."]
        assert all(set(one) == {"number", "caseId", "author", "text", "at"} for one in own)
        assert (await desk.http.get(told.headers["location"])).json() == told.json()
        assert told.json()["recordedBy"] == "m.okafor"
        assert (await desk.case(case["id"]))["comments"] == 4

    async def test_among_staff_are_hidden_from_the_customer(self, desk: CaseDesk) -> None:
        case = await desk.open()
        noted = await desk.note(case["id"], "Lisbon has it.", visibility="internal")

        hidden = await desk.http.get(f"{desk.own}/{case['id']}/comments/1")

        assert noted.headers["location"].endswith("/comments/1")
        assert (hidden.status_code, problem(hidden)) == (404, "case-comment-not-found")
        assert await desk.all(f"{desk.own}/{case['id']}/comments") == []
        assert await desk.told(public=True) == [("opened", "Case opened: claim")]

    async def test_of_the_customer_are_public(self, desk: CaseDesk) -> None:
        case = await desk.open()

        answer = await desk.note(case["id"], "Psst", author="customer", visibility="internal")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/visibility")

    @pytest.mark.parametrize(("state", "after"), [("waitingCustomer", "open"), ("onHold", "onHold"), ("open", "open")])
    async def test_of_the_customer_take_a_waiting_case_back(self, desk: CaseDesk, state: str, after: str) -> None:
        case = await desk.open()
        await desk.move(case["id"], state)
        await desk.note(case["id"], "We have asked the station.")
        assert (await desk.case(case["id"]))["state"] == state

        await desk.say(case["id"])

        assert (await desk.case(case["id"]))["state"] == after

    async def test_of_the_customer_reopen_what_is_resolved(self, desk: CaseDesk) -> None:
        case = await desk.open()
        await desk.resolve(case["id"])

        await desk.say(case["id"])

        kept = await desk.case(case["id"])
        assert (kept["state"], kept["reopened"]) == ("open", 1)
        assert not {"resolution", "resolvedAt"} & set(kept)

    async def test_are_one_however_often_they_are_sent(self, desk: CaseDesk) -> None:
        case = await desk.open()
        address = f"{desk.own}/{case['id']}/comments"

        first = await desk.http.post(address, json={"text": "Hello?"}, headers={"Idempotency-Key": "k"})
        await desk.say(case["id"], "Is anybody there?")
        again = await desk.http.post(address, json={"text": "Hello?"}, headers={"Idempotency-Key": "k"})
        other = await desk.http.post(address, json={"text": "Bye."}, headers={"Idempotency-Key": "k"})

        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
        assert other.status_code == 422
        assert len(await desk.all(address)) == 2

    async def test_of_many_at_once_are_all_kept(self, desk: CaseDesk) -> None:
        case = await desk.open()

        answers = await asyncio.gather(
            *(desk.say(case["id"], f"One {number}") for number in range(6)),
            *(desk.note(case["id"], f"Other {number}") for number in range(6)),
        )

        assert [answer.status_code for answer in answers] == [201] * 12
        kept = await desk.all(f"{desk.cases}/{case['id']}/comments")
        assert [one["number"] for one in kept] == list(range(1, 13))
        assert sorted(one["text"] for one in kept) == sorted(answer.json()["text"] for answer in answers)
