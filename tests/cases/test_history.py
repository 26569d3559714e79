"""Who did what in a case, and where else a case is told of. Feature 51."""

from datetime import UTC, datetime
from typing import Any

from tests.cases.support import CaseDesk


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
