"""Cases are changed, moved, resolved, reopened and withdrawn. Features 40, 41 and 49."""

from typing import Any

import pytest

from tests.cases.support import CaseDesk, claim
from tests.orders.support import problem


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
