"""Cases are opened, looked after, answered, resolved and reopened. Features 40, 41, 49 and 51."""

import asyncio
from datetime import UTC, datetime, timedelta
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


class TestAmend:
    async def test_is_over_the_version_that_was_read(self, desk: CaseDesk) -> None:
        case = await desk.open()

        changed = await desk.amend(case["id"], 1, priority="urgent", assignee="j.kim", reason="travels tomorrow")
        stale = await desk.amend(case["id"], 1, priority="low")
        blind = await desk.http.patch(f"{desk.cases}/{case['id']}", json={"priority": "low"})

        assert (changed.json()["priority"], changed.json()["version"]) == ("urgent", 2)
        assert (stale.status_code, problem(stale)) == (412, "case-changed")
        assert blind.status_code == 428
        assert (await desk.all(desk.cases))[0]["priority"] == "urgent"

    async def test_that_changes_nothing_makes_no_version(self, desk: CaseDesk) -> None:
        case = await desk.open()

        answer = await desk.amend(case["id"], 1, subject=case["subject"])

        assert answer.json() == case

    @pytest.mark.parametrize("about", [{}, {"itemIds": []}])
    async def test_that_is_about_nothing_names_nothing(self, desk: CaseDesk, about: dict[str, Any]) -> None:
        order = await desk.place()
        opened = await desk.open(about=about)
        linked = await desk.open(about={"orderId": order["id"], "itemIds": ["out"]})

        unlinked = await desk.amend(linked["id"], 1, about={"orderId": None, "itemIds": None})

        assert "about" not in opened
        assert "about" not in unlinked.json()
        assert unlinked.json()["items"] == []

    async def test_removes_what_is_null_and_refuses_what_is_needed(self, desk: CaseDesk) -> None:
        case = await desk.open(category="baggage")

        removed = await desk.amend(case["id"], 1, category=None)
        refused = await desk.amend(case["id"], 2, subject=None)

        assert "category" not in removed.json()
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/subject")

    async def test_may_link_a_case_to_another_but_not_to_itself(self, desk: CaseDesk) -> None:
        first, second = await desk.open(), await desk.open()

        linked = await desk.amend(second["id"], 1, about={"caseId": first["id"]})
        refused = await desk.amend(first["id"], 1, about={"caseId": first["id"]})

        assert linked.json()["about"] == {"itemIds": [], "caseId": first["id"]}
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/about/caseId")


class TestMove:
    async def test_tells_why_it_is_not_allowed(self, desk: CaseDesk) -> None:
        case = await desk.open()

        back = await desk.move(case["id"], "new")
        unresolved = await desk.move(case["id"], "closed")

        assert (back.status_code, problem(back)) == (409, "case-move-not-allowed")
        assert (unresolved.status_code, unresolved.json()["errors"][0]["pointer"]) == (422, "/resolution")
        assert (await desk.case(case["id"]))["version"] == 1

    async def test_over_another_version_is_stale(self, desk: CaseDesk) -> None:
        case = await desk.open()
        await desk.move(case["id"], "open")

        answer = await desk.http.post(
            f"{desk.cases}/{case['id']}/state", json={"state": "onHold"}, headers={"If-Match": '"1-private"'}
        )

        assert (answer.status_code, problem(answer)) == (412, "case-changed")

    async def test_to_closed_is_the_end(self, desk: CaseDesk) -> None:
        case = await desk.open()
        await desk.resolve(case["id"])
        closed = (await desk.move(case["id"], "closed")).json()

        answers = [
            await desk.amend(case["id"], 3, priority="low"),
            await desk.say(case["id"]),
            await desk.note(case["id"], "Too late", visibility="internal"),
            await desk.http.post(f"{desk.own}/{case['id']}/reopen", json={}),
            await desk.http.post(f"{desk.own}/{case['id']}/withdraw", json={}),
        ]

        assert [problem(answer) for answer in answers] == ["case-closed"] * 5
        assert await desk.case(case["id"]) == closed
        following = await desk.http.post(desk.own, json=claim(about={"caseId": case["id"]}))
        assert following.status_code == 201

    async def test_is_listed_by_state_and_by_what_is_to_be_done(self, desk: CaseDesk) -> None:
        new, waiting, resolved = [await desk.open() for _ in range(3)]
        await desk.move(waiting["id"], "waitingCustomer")
        await desk.resolve(resolved["id"])

        async def ids(query: str) -> set[str]:
            return {one["id"] for one in await desk.all(f"{desk.own}?{query}")}

        assert await ids("settled=false") == {new["id"], waiting["id"]}
        assert await ids("settled=true") == await ids("state=resolved") == {resolved["id"]}
        assert await ids("state=waitingCustomer&settled=false") == {waiting["id"]}
        assert await ids("state=closed") == set()

    async def test_closes_a_resolved_case_by_what_the_customer_was_told(self, desk: CaseDesk) -> None:
        case = await desk.open()
        resolved = await desk.resolve(case["id"])

        other = await desk.move(case["id"], "closed", resolution={"code": "refused"})
        closed = await desk.move(case["id"], "closed", resolution=resolved["resolution"])

        assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/resolution")
        assert (closed.status_code, closed.json()["resolution"]) == (200, resolved["resolution"])

    async def test_and_every_other_change_is_made_once_for_a_key(self, desk: CaseDesk) -> None:
        case = (await desk.open())["id"]
        staff, own = f"{desk.cases}/{case}", f"{desk.own}/{case}"
        settled = {"state": "resolved", "resolution": {"code": "solved"}}
        asked: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
            ("PATCH", staff, {"priority": "high"}, {"If-Match": '"1-private"'}),
            ("POST", f"{staff}/state", settled, {"If-Match": '"2-private"'}),
            ("POST", f"{own}/reopen", {}, {"If-Match": '"3-public"'}),
            ("POST", f"{own}/withdraw", {}, {"If-Match": '"4-public"'}),
        ]

        for number, (method, address, body, headers) in enumerate(asked):
            headers["Idempotency-Key"] = f"k{number}"
            stale = {"If-Match": headers["If-Match"].replace(str(number + 1), "9", 1)}
            refused = await desk.http.request(method, address, json=body, headers=stale)
            first, again = [await desk.http.request(method, address, json=body, headers=headers) for _ in range(2)]
            assert (refused.status_code, problem(refused)) == (412, "case-changed")
            assert (first.status_code, first.json()) == (200, again.json())
            assert (first.json()["version"], again.headers["idempotency-replayed"]) == (number + 2, "true")
        for method, address, body, headers in asked:
            repeated = await desk.http.request(method, address, json=body, headers=headers)
            assert repeated.headers["idempotency-replayed"] == "true"
        assert (await desk.case(case))["version"] == 5


class TestCustomer:
    async def test_reopens_what_is_resolved(self, desk: CaseDesk) -> None:
        """Feature 49: the customer reopens own cases."""
        case = await desk.open()
        early = await desk.http.post(f"{desk.own}/{case['id']}/reopen", json={})
        resolved = await desk.resolve(case["id"])
        seen = (await desk.http.get(f"{desk.own}/{case['id']}")).json()

        again = await desk.http.post(f"{desk.own}/{case['id']}/reopen", json={"reason": "it happened again"})

        assert (early.status_code, problem(early)) == (409, "case-not-resolved")
        assert seen["resolution"] == resolved["resolution"] == {"code": "solved", "text": "We sent it on."}
        assert (again.status_code, again.json()["state"]) == (200, "open")
        assert "resolution" not in again.json()
        changes = (await desk.http.get(f"{desk.cases}/{case['id']}/changes")).json()["items"]
        assert changes[0]["reason"] == "it happened again"

    async def test_withdraws_a_case(self, desk: CaseDesk) -> None:
        case = await desk.open()

        stale = await desk.http.post(f"{desk.own}/{case['id']}/withdraw", json={}, headers={"If-Match": '"7-public"'})
        answer = await desk.http.post(f"{desk.own}/{case['id']}/withdraw", json={}, headers={"If-Match": '"1-public"'})

        assert stale.status_code == 412
        assert (answer.json()["state"], answer.json()["resolution"]) == ("closed", {"code": "withdrawn"})


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


class TestHistory:
    async def test_says_who_did_what_and_why(self, desk: CaseDesk) -> None:
        """Feature 51: case history shows each change with actor."""
        case = await desk.open()
        await desk.amend(case["id"], 1, assignee="j.kim", reason="speaks Korean")
        await desk.say(case["id"])
        await desk.resolve(case["id"])

        changes = await desk.all(f"{desk.cases}/{case['id']}/changes?limit=2")

        assert [(one["version"], one["actor"], one["operation"]) for one in changes] == [
            (4, "m.okafor", "move_case_private"),
            (3, "public", "add_case_comment"),
            (2, "m.okafor", "update_case_private"),
            (1, "m.okafor", "open_case_private"),
        ]
        assert changes[2]["reason"] == "speaks Korean"
        assert changes[2]["fields"] == [{"field": "/assignee", "new": "j.kim"}]
        assert {change["field"] for change in changes[0]["fields"]} == {"/state", "/resolution", "/resolvedAt"}

    async def test_stands_on_the_timeline_without_what_staff_say_among_themselves(self, desk: CaseDesk) -> None:
        case = await desk.open()
        await desk.amend(case["id"], 1, assignee="j.kim", subject="Bag", type="complaint")
        await desk.note(case["id"], "Lisbon has it.", visibility="internal")
        await desk.move(case["id"], "waitingCustomer")
        await desk.note(case["id"], "Where shall it go?")
        await desk.say(case["id"], "To the hotel.")
        await desk.resolve(case["id"])
        await desk.http.post(f"{desk.own}/{case['id']}/reopen", json={})
        for _ in range(4):
            await desk.say(case["id"])

        # The clock stands still: what came later stands later all the same.
        expected = [
            ("opened", "Case opened: claim"),
            ("waitingCustomer", "Case waits for the customer"),
            ("commented", "The customer was written to in a case"),
            ("commented", "The customer wrote in a case; case is looked after"),
            ("resolved", "Case resolved"),
            ("reopened", "Case reopened"),
            *[("commented", "The customer wrote in a case")] * 4,
        ]
        assert await desk.told() == await desk.told(public=True) == expected

    async def test_is_carried_to_whoever_will_listen(self, desk: CaseDesk) -> None:
        """Every change is promised to the relay as its own subject, as consents are."""
        case = await desk.open()
        await desk.world.settle(seconds=30)

        row = await desk.world.storage.table("entityindex").get("case", case["id"])

        assert row is not None
        assert (row.values["owner"], row.values["version"]) == (desk.customer_id, 1)

    async def test_is_found_by_feedback(self, desk: CaseDesk) -> None:
        """Feature 25: feedback is linked to a case."""
        case = await desk.open()
        rating: dict[str, Any] = {"kind": "rating", "rating": {"scale": "csat", "score": 2}}
        address = f"/api/v1/customers/{desk.customer_id}/feedback"

        given = await desk.http.post(address, json={**rating, "about": {"caseId": case["id"]}})
        call = {"kind": "call", "channel": "phone", "happenedAt": "2025-12-31T09:00:00Z"}
        called = await desk.http.post(f"/api/private/v1/customers/{desk.customer_id}/interactions", json=call)
        about = {"feedbackId": given.json()["id"], "interactionId": called.json()["id"]}
        following = await desk.open(about=about)

        assert given.status_code == 201
        assert about.items() <= following["about"].items()

    async def test_is_in_the_overview(self, desk: CaseDesk) -> None:
        cases = [await desk.open(openedAt=datetime(2025, 12, day, tzinfo=UTC).isoformat()) for day in range(1, 13)]

        overview = await desk.http.get(f"/api/private/v1/customers/{desk.customer_id}/overview?include=cases")

        section = overview.json()["sections"]["cases"]
        assert section["status"] == "ok"
        assert [one["id"] for one in section["data"]["items"]] == [case["id"] for case in cases[:1:-1]]
        rest = await desk.http.get(section["data"]["next"])
        assert [one["id"] for one in rest.json()["items"]] == [case["id"] for case in cases[1::-1]]
