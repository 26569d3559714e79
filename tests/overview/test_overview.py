"""Features 11 and 12: all that is known of a customer in one call, as far as it can be read."""

import asyncio
from typing import Any

import httpx2
import pytest

import tests.orders.support as orders
from functions.preferences.views import EXAMPLE
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from tests.feedback.test_feedback import survey
from tests.interactions.conftest import PRIVATE, PUBLIC, Desk, baggage, call

ALL = ["profile", "preferences", "consents", "subscriptions", "orders", "cases", "interactions", "feedback", "timeline"]
ALL.append("delivery")
READ_CALLS = {
    "profile": 1,
    "preferences": 1,
    "consents": 1,
    "subscriptions": 3,
    "orders": 1,
    "cases": 1,
    "interactions": 1,
    "feedback": 1,
    "timeline": 1,
    "delivery": 3,
}


async def overview(desk: Desk, **query: str) -> httpx2.Response:
    return await desk.http.get(f"{desk.address}/overview", params=query)


async def live(desk: Desk) -> None:
    """Let a customer have something of everything."""
    await desk.tell(call())
    await desk.tell(baggage())
    await desk.http.post(f"{desk.address}/feedback", json=survey())
    order = await desk.http.post(f"{PUBLIC}/{desk.customer}/orders", json=orders.body(orders.widget()))
    stated = await desk.http.patch(
        f"{PUBLIC}/{desk.customer}/preferences", json=EXAMPLE, headers={"If-Match": '"0-public"'}
    )
    assert (order.status_code, stated.status_code) == (201, 200), stated.text
    desk.calls.clear()


class TestRead:
    async def test_tells_everything_in_one_call(self, desk: Desk) -> None:
        await live(desk)

        answer = await overview(desk)

        told = answer.json()
        assert (answer.status_code, told["customerId"], told["complete"]) == (200, desk.customer, True)
        assert list(told["sections"]) == ALL
        assert {section["status"] for section in told["sections"].values()} == {"ok"}

    @pytest.mark.parametrize(
        "name", ["preferences", "consents", "subscriptions", "orders", "cases", "interactions", "feedback", "timeline"]
    )
    async def test_holds_what_the_sections_own_operation_answers(self, desk: Desk, name: str) -> None:
        await live(desk)

        section = (await overview(desk, include=name)).json()["sections"][name]

        own = await desk.http.get(
            f"{desk.address}/{name}?limit=10" if name != "preferences" else f"{desk.address}/{name}"
        )
        assert section["data"].keys() == own.json().keys()
        assert section["data"].get("items") == own.json().get("items")

    async def test_shows_first_pages_that_go_on(self, desk: Desk) -> None:
        for number in range(15):
            await desk.tell(call(happenedAt=f"2026-01-10T09:{number:02d}:00.000Z"))
        seen: list[dict[str, Any]] = []

        data = (await overview(desk, include="interactions")).json()["sections"]["interactions"]["data"]
        seen += data["items"]
        while data["next"]:
            data = (await desk.http.get(data["next"])).json()
            seen += data["items"]

        assert [item["happenedAt"][14:16] for item in seen] == [f"{number:02d}" for number in reversed(range(15))]

    @pytest.mark.parametrize("names", [["profile"], ["timeline", "orders"], ["delivery", "profile", "delivery"]])
    async def test_reads_only_what_was_asked_for(self, desk: Desk, names: list[str]) -> None:
        await live(desk)

        told = (await overview(desk, include=",".join(names))).json()

        assert list(told["sections"]) == list(dict.fromkeys(names))
        assert len(desk.calls) == sum(READ_CALLS[name] for name in {*names, "profile"})

    @pytest.mark.parametrize("include", ["weather", "profile,weather", "profile,", ",", "profile orders", "x" * 300])
    async def test_refuses_sections_that_are_not_there(self, desk: Desk, include: str) -> None:
        answer = await overview(desk, include=include)

        assert (answer.status_code, answer.json()["type"]) == (400, "urn:iommi:problem:bad-parameter")

    @pytest.mark.parametrize("customer", ["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT", "nobody", "a b"])
    @pytest.mark.parametrize("include", ["profile", "delivery", "orders"])
    async def test_of_no_customer_is_refused(self, desk: Desk, customer: str, include: str) -> None:
        answer = await desk.http.get(f"{PRIVATE}/{customer}/overview?include={include}")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:customer-not-found")

    async def test_masks_what_is_sensitive(self, desk: Desk) -> None:
        made = await desk.http.post(
            PUBLIC,
            json={
                "lastName": "B",
                "email": "b@example.com",
                "passport": {"number": "533380006", "issuingCountry": "GB"},
            },
        )

        answer = await desk.http.get(f"{PRIVATE}/{made.json()['id']}/overview")

        assert "533380006" not in answer.text
        assert answer.json()["sections"]["profile"]["data"] == made.json()


class Failing:
    """Fails one kind of call, or lets it hang."""

    def __init__(self, *points: str, hang: bool = False) -> None:
        self.points, self.hang = points, hang

    async def __call__(self, point: str, when: When) -> None:
        if when is When.BEFORE and point in self.points:
            if self.hang:
                await asyncio.Event().wait()
            raise StorageUnavailableError("busy")


class TestPartly:
    async def test_a_failing_source_leaves_the_others(self, desk: Desk) -> None:
        await live(desk)
        desk.world.tap = Failing("undelivered.get")

        answer = await overview(desk)

        told = answer.json()
        assert (answer.status_code, told["complete"]) == (200, False)
        delivery = told["sections"].pop("delivery")
        assert (delivery["status"], delivery["problem"]["type"]) == ("failed", "urn:iommi:problem:unavailable")
        assert "data" not in delivery
        assert {section["status"] for section in told["sections"].values()} == {"ok"}

    async def test_a_slow_source_is_left_behind(self, desk: Desk) -> None:
        await live(desk)
        object.__setattr__(desk.world.platform.settings, "overview_section_seconds", 0.2)
        desk.world.tap = Failing("undelivered.get", hang=True)

        told = (await overview(desk)).json()

        assert {name: section["status"] for name, section in told["sections"].items()} == {
            **dict.fromkeys(ALL, "ok"),
            "delivery": "timedOut",
        }

    async def test_without_the_profile_tells_what_it_can(self, desk: Desk) -> None:
        await live(desk)
        desk.world.tap = Failing("customers.get")

        answer = await overview(desk, include="profile,orders,timeline")

        assert answer.status_code == 200
        assert {name: section["status"] for name, section in answer.json()["sections"].items()} == {
            "profile": "failed",
            "orders": "ok",
            "timeline": "ok",
        }

    async def test_of_which_nothing_can_be_read_is_503(self, desk: Desk) -> None:
        desk.world.tap = Failing("customers.get", "customers.page", "undelivered.get", "subscriptiongroups.page")

        answer = await overview(desk)

        assert (answer.status_code, answer.json()["type"]) == (503, "urn:iommi:problem:overview-unavailable")
        assert answer.headers["retry-after"]


class TestHistory:
    @pytest.mark.parametrize("include", ["profile", "timeline", "profile,interactions,feedback,timeline,delivery"])
    async def test_does_not_grow_the_number_of_calls(self, desk: Desk, include: str) -> None:
        """Reading a customer costs the same storage calls with a few entries and with many."""
        await live(desk)
        await overview(desk, include=include)
        few, desk.calls[:] = list(desk.calls), []
        for number in range(60):
            await desk.tell(baggage(f"more {number}".replace(" ", "-")))
        desk.calls.clear()

        await overview(desk, include=include)

        assert sorted(desk.calls) == sorted(few)
