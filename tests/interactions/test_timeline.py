"""Feature 24: everything that happened to a customer in its order, filtered, and paged while more arrives."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.interactions.conftest import PRIVATE, PUBLIC, Desk, baggage, call

START = datetime(2026, 1, 10, tzinfo=UTC)


def at(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TestPage:
    async def test_is_newest_first_by_when_it_happened(self, desk: Desk) -> None:
        for minutes in (30, 10, 20):
            await desk.tell(call(happenedAt=at(minutes), subject=f"at {minutes}"))

        timeline = await desk.timeline()

        assert [entry.get("detail") for entry in timeline] == [None, "at 30", "at 20", "at 10"]
        assert [entry["type"] for entry in timeline] == ["profile", *["interaction"] * 3]

    async def test_has_a_late_event_where_it_happened(self, desk: Desk) -> None:
        asked = await desk.tell(call(happenedAt=at(60), subject="Where is my bag?"))
        desk.world.clock.advance(600)

        late = await desk.tell(baggage(happenedAt=at(30)))

        references = [entry["reference"] for entry in await desk.timeline(type="interaction")]
        assert references == [asked.json()["id"], late.json()["id"]]

    async def test_says_who_acted_to_staff_alone(self, desk: Desk) -> None:
        await desk.tell(call(agent="m.okafor", subject="Rather angry", direction="inbound"))

        [staff] = await desk.timeline(type="interaction")
        [own] = (await desk.http.get(f"{PUBLIC}/{desk.customer}/timeline?type=interaction")).json()["items"]

        assert (staff["actor"], staff["detail"]) == ("m.okafor", "Rather angry")
        assert own == {name: value for name, value in staff.items() if name not in {"actor", "detail"}}
        assert own["summary"] == "Call, inbound"

    @pytest.mark.parametrize("entries", [3, 300])
    async def test_is_one_range_read_however_long_the_history(self, desk: Desk, entries: int) -> None:
        for number in range(entries):
            await desk.tell(call(happenedAt=at(number)))
        desk.calls.clear()

        answer = await desk.http.get(f"{desk.address}/timeline?limit=10&kind=call")

        assert answer.status_code == 200
        assert desk.calls == ["customers.page"]

    async def test_of_a_customer_to_whom_nothing_like_it_happened_is_empty(self, desk: Desk) -> None:
        answer = await desk.http.get(f"{desk.address}/timeline?type=order")

        assert answer.json() == {"items": [], "next": None}

    @pytest.mark.parametrize("root", [PRIVATE, PUBLIC])
    @pytest.mark.parametrize("customer", ["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT", "nobody", "a b"])
    async def test_of_no_customer_is_refused(self, desk: Desk, root: str, customer: str) -> None:
        answer = await desk.http.get(f"{root}/{customer}/timeline")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:customer-not-found")


class TestFilter:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"kind": "call"}, ["call 40", "call 20"]),
            ({"channel": "phone"}, ["call 40", "call 20"]),
            ({"channel": "airport", "type": "interaction"}, ["bag 30", "bag 10"]),
            ({"type": "order"}, []),
            ({"from": at(20)}, [None, "call 40", "bag 30", "call 20"]),
            ({"to": at(20)}, ["bag 10"]),
            ({"from": at(20), "to": at(40)}, ["bag 30", "call 20"]),
            ({"from": at(20), "to": at(40), "kind": "baggage"}, ["bag 30"]),
            ({"from": "2026-01-10T01:20:00+01:00", "to": "2026-01-10T01:21:00+01:00"}, ["call 20"]),
        ],
    )
    async def test_shows_what_was_asked_for(
        self, desk: Desk, query: dict[str, Any], expected: list[str | None]
    ) -> None:
        for minutes in (10, 30):
            await desk.tell(baggage(f"b{minutes}", happenedAt=at(minutes), subject=f"bag {minutes}"))
            await desk.tell(call(happenedAt=at(minutes + 10), subject=f"call {minutes + 10}"))

        timeline = await desk.timeline(**query, limit=1)

        assert [entry.get("detail") for entry in timeline] == expected

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ({"from": at(20), "to": at(20)}, "bad-period"),
            ({"from": "yesterday"}, "bad-parameter"),
            ({"type": "weather"}, "bad-parameter"),
            ({"cursor": "made-up"}, "bad-cursor"),
        ],
    )
    async def test_says_what_cannot_be_asked(self, desk: Desk, query: dict[str, str], kind: str) -> None:
        answer = await desk.http.get(f"{desk.address}/timeline", params=query)

        assert (answer.status_code, answer.json()["type"]) == (400, f"urn:iommi:problem:{kind}")


class TestCursor:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("query", [{}, {"channel": "phone"}], ids=["all", "filtered"])
    async def test_repeats_and_skips_nothing_while_more_arrives(
        self, desk: Desk, seed: int, query: dict[str, str]
    ) -> None:
        shuffled = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        for number in range(40):
            await desk.tell(call(happenedAt=at(number * 10), subject=f"old {number} {number * 10}"))
            await desk.tell(baggage(f"b{number}", happenedAt=at(number * 10)))
        following: str | None = f"{desk.address}/timeline"
        seen: list[str] = []
        below: list[str] = []

        while following:
            params = {"limit": 7, **query} if following.endswith("timeline") else None
            page = (await desk.http.get(following, params=params)).json()
            seen += [entry["detail"] for entry in page["items"] if "detail" in entry]
            for number in range(3):
                minutes = shuffled.randrange(400)
                late = f"new {len(seen)}.{number} {minutes}"
                await desk.tell(call(happenedAt=at(minutes), subject=late))
                if page["items"] and page["next"] and minutes < _minutes(page["items"][-1]):
                    below.append(late)
            following = page["next"]

        assert [detail for detail in seen if "old" in detail] == [f"old {n} {n * 10}" for n in reversed(range(40))]
        assert len(seen) == len(set(seen))
        assert set(below) <= set(seen)

    async def test_belongs_to_its_filter(self, desk: Desk) -> None:
        for number in range(10):
            await desk.tell(call(happenedAt=at(number)))
        following: str | None = None
        while following is None:
            following = (await desk.http.get(f"{desk.address}/timeline?limit=2")).json()["next"]

        answer = await desk.http.get(f"{following}&kind=call")

        assert answer.status_code == 400


def _minutes(entry: dict[str, Any]) -> float:
    return (datetime.fromisoformat(entry["happenedAt"]) - START) / timedelta(minutes=1)
