"""Preferences over HTTP: read, stated by customers, recorded by agents, and their history."""

import asyncio
import json
from typing import Any

import pytest

from tests.preferences.conftest import Desk

CHANGES = "changes"


class TestRead:
    async def test_without_any_is_version_0_with_an_etag_to_begin_with(self, desk: Desk) -> None:
        answer = await desk.http.get(desk.public)

        assert answer.json() == {"customerId": desk.customer, "version": 0, "statements": {}}
        assert answer.headers["etag"] == '"0-public"'

    @pytest.mark.parametrize("customer", ["cus_00000000000000000000000001", "nobody", "a b", "%23"])
    async def test_of_nobody_is_404(self, desk: Desk, customer: str) -> None:
        for path in (f"/api/v1/customers/{customer}/preferences", f"/api/private/v1/customers/{customer}/preferences"):
            answer = await desk.http.get(path)
            assert answer.status_code == 404
            assert answer.json()["type"] == "urn:iommi:problem:customer-not-found"

    async def test_is_one_storage_call_however_long_the_history(self, desk: Desk) -> None:
        for number in range(5):
            await desk.state(drink=f"tea {number}")
        desk.calls.clear()

        await desk.read()

        assert desk.calls == ["customers.get"]

    async def test_of_what_the_caller_has_is_304(self, desk: Desk) -> None:
        tag = (await desk.state(drink="tea")).headers["etag"]

        answer = await desk.http.get(desk.public, headers={"If-None-Match": tag})

        assert answer.status_code == 304


class TestState:
    async def test_keeps_value_source_and_time(self, desk: Desk) -> None:
        """Feature 28: meal, seat and drink with source and time."""
        await desk.state(seat={"position": "window", "zone": "front"}, meal={"code": "VGML"}, drink="tomato juice")

        kept = await desk.read()

        assert kept["seat"] == {"position": "window", "zone": "front"}
        assert (kept["meal"], kept["drink"]) == ({"code": "VGML"}, "tomato juice")
        assert kept["statements"]["meal"] == {
            "statedAt": "2026-01-01T00:00:00.000Z",
            "recordedAt": "2026-01-01T00:00:00.000Z",
            "source": {"kind": "customer"},
            "confirmed": True,
            "version": 1,
            "withdrawn": False,
        }

    async def test_null_withdraws(self, desk: Desk) -> None:
        await desk.state(drink="tea", language="en")

        answer = await desk.state(drink=None)

        assert "drink" not in answer.json()
        assert answer.json()["language"] == "en"
        assert answer.json()["statements"]["drink"]["withdrawn"] is True

    async def test_of_two_in_one_millisecond_the_second_holds(self, desk: Desk) -> None:
        await desk.state(drink="tea")

        assert (await desk.state(drink="coffee")).json()["drink"] == "coffee"

    async def test_a_clock_that_runs_behind_loses_nothing(self, desk: Desk) -> None:
        await desk.state(drink="tea")
        desk.world.clock.advance(-30)

        assert (await desk.state(drink="coffee")).json()["drink"] == "coffee"

    async def test_needs_the_version_that_was_read(self, desk: Desk) -> None:
        without = await desk.http.patch(desk.public, json={"drink": "tea"})
        await desk.state(drink="tea")
        stale = await desk.http.patch(desk.public, json={"drink": "x"}, headers={"If-Match": '"0-public"'})

        assert (without.status_code, stale.status_code) == (428, 412)

    async def test_of_nobody_is_404_and_promises_nothing(self, desk: Desk) -> None:
        before = (await desk.world.storage.queue(CHANGES).depth()).messages
        desk.customer = "cus_00000000000000000000000001"

        answer = await desk.state(drink="tea")

        assert answer.status_code == 404
        assert (await desk.world.storage.queue(CHANGES).depth()).messages == before

    @pytest.mark.parametrize(
        "body",
        [
            {"seat": {"position": "wing"}},
            {"seat": {}},
            {"meal": {"code": "KSML", "text": "x"}},
            {"meal": {"code": "SPML"}},
            {"meal": {"code": "XXML"}},
            {"accessibility": ["WCHR", "WCHR"]},
            {"accessibility": []},
            {"interests": ["x"] * 31},
            {"language": "not a tag"},
            {"drink": ""},
            {"drink": "x" * 41},
            {"channel": "pigeon"},
            {"smoking": True},
            {"stated": {"source": {"kind": "agent"}}},
            {"statements": {}},
            {"version": 4},
        ],
    )
    async def test_refuses_what_is_no_preference(self, desk: Desk, body: Any) -> None:
        answer = await desk.http.patch(desk.public, json=body, headers={"If-Match": '"0-public"'})

        assert answer.status_code == 422
        assert (await desk.read())["version"] == 0

    async def test_nothing_named_changes_nothing(self, desk: Desk) -> None:
        first = await desk.state()
        await desk.state(drink="tea")
        second = await desk.state()

        assert (first.json()["version"], second.json()["version"]) == (0, 1)
        assert len(await desk.history()) == 1

    async def test_twice_with_one_key_changes_nothing(self, desk: Desk) -> None:
        headers = {"If-Match": '"0-public"', "Idempotency-Key": "k"}
        first = await desk.http.patch(desk.public, json={"drink": "tea"}, headers=headers)
        again = await desk.http.patch(desk.public, json={"drink": "tea"}, headers=headers)

        assert again.content == first.content
        assert again.headers["idempotency-replayed"] == "true"
        assert len(await desk.history()) == 1

    async def test_of_several_at_once_one_wins(self, desk: Desk) -> None:
        answers = await asyncio.gather(
            *(
                desk.http.patch(desk.public, json={"drink": f"tea {n}"}, headers={"If-Match": '"0-public"'})
                for n in range(6)
            )
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]

    async def test_is_three_storage_calls(self, desk: Desk) -> None:
        await desk.state(drink="tea")
        desk.calls.clear()

        await desk.state(drink="coffee")

        assert desk.calls == ["customers.get", "changes.send", "customers.commit"]

    async def test_the_largest_is_kept_whole(self, desk: Desk) -> None:
        wide = "\U0001f600"
        body: dict[str, Any] = {
            "seat": {"position": "window", "zone": "overWing", "features": ["exitRow", "bulkhead", "quiet"]},
            "meal": {"code": "SPML", "text": wide * 100},
            "drink": wide * 40,
            "language": "zh-Hant-TW",
            "channel": "whatsapp",
            "accessibility": ["WCHR", "WCHS", "WCHC", "WCHP", "WCOB", "WCMP", "BLND", "DEAF", "DPNA", "MAAS"],
            "interests": [f"{number:02d}" + wide * 38 for number in range(30)],
        }

        await desk.state(**body)

        kept = await desk.read()
        assert {name: kept[name] for name in body} == body


class TestConsent:
    async def test_that_came_with_a_value_is_kept_beside_it(self, desk: Desk) -> None:
        """Feature 28: preferences with the consent under which they are kept."""
        agreed = {"textVersion": "preferences-2026-03", "language": "en-GB"}

        await desk.state(accessibility=["WCHR"], meal={"code": "KSML"}, consent=agreed)
        await desk.state(drink="tea")

        statements = (await desk.read())["statements"]
        assert (statements["accessibility"]["consent"], statements["meal"]["consent"]) == (agreed, agreed)
        assert "consent" not in statements["drink"]
        assert [item.get("consent") for item in await desk.history("?kind=meal")] == [agreed]

    async def test_alone_states_nothing(self, desk: Desk) -> None:
        answer = await desk.state(consent={"textVersion": "preferences-2026-03"})

        assert (answer.json()["version"], await desk.history()) == (0, [])


class TestFreeText:
    async def test_is_kept_without_card_numbers(self, desk: Desk) -> None:
        """Feature 74: what people write is kept without card numbers."""
        card = "4111 1111 1111 1111"
        await desk.state(drink=f"pay {card}", interests=[card], meal={"code": "SPML", "text": f"no nuts {card}"})

        kept = (await desk.http.get(desk.public)).text + str(await desk.history())

        assert card not in kept
        assert kept.count("4111 11") == 6


class TestRecord:
    async def test_says_where_it_comes_from(self, desk: Desk) -> None:
        answer = await desk.record(at="2025-12-01T10:00:00+01:00", drink="tea")

        assert answer.json()["statements"]["drink"] == {
            "statedAt": "2025-12-01T09:00:00.000Z",
            "recordedAt": "2026-01-01T00:00:00.000Z",
            "source": {"kind": "agent", "system": "desk"},
            "confirmed": False,
            "version": 1,
            "withdrawn": False,
        }

    async def test_what_is_late_or_unconfirmed_does_not_change_what_the_customer_said(self, desk: Desk) -> None:
        await desk.state(drink="tea")
        desk.world.clock.advance(60)

        late = await desk.record(at="2025-12-01T10:00:00Z", confirmed=True, drink="coffee")
        unsure = await desk.record(drink="water")

        assert (late.json()["drink"], unsure.json()["drink"]) == ("tea", "tea")
        assert unsure.json()["version"] == 3

    @pytest.mark.parametrize(
        "stated",
        [
            {"source": {"kind": "inferred"}, "confirmed": True},
            {"source": {"kind": "agent"}, "at": "2026-01-02T00:00:00Z"},
            {"source": {"kind": "agent"}, "at": "2026-01-01"},
            {"source": {"kind": "agent"}, "confirmed": "yes"},
            {"source": {"kind": "oracle"}},
            {"source": {"kind": "agent", "system": "The Desk"}},
            {},
            None,
        ],
    )
    async def test_refuses_a_source_that_cannot_be(self, desk: Desk, stated: Any) -> None:
        answer = await desk.http.patch(
            desk.private, json={"drink": "tea", "stated": stated}, headers={"If-Match": '"0-private"'}
        )

        assert answer.status_code == 422


class TestHistory:
    async def test_holds_everything_in_the_order_it_was_stated(self, desk: Desk) -> None:
        await desk.state(drink="tea", language="en")
        desk.world.clock.advance(60)
        await desk.record(at="2025-12-01T10:00:00Z", drink="coffee")
        await desk.state(drink=None)

        told = await desk.history("?kind=drink&limit=1")

        assert [(item.get("value"), item["held"], item["withdrawn"]) for item in told] == [
            (None, True, True),
            ("tea", True, False),
            ("coffee", False, False),
        ]
        assert [item["actor"] for item in told] == ["public", "public", "private"]
        assert len(await desk.history("?limit=2")) == 4

    async def test_refuses_another_lists_cursor(self, desk: Desk) -> None:
        for number in range(3):
            await desk.state(drink=f"tea {number}")
        following = (await desk.http.get(f"{desk.private}/history?limit=1")).json()["next"]

        answer = await desk.http.get(f"{following}&kind=drink")

        assert answer.status_code == 400

    async def test_of_nobody_is_404_and_of_a_silent_customer_empty(self, desk: Desk) -> None:
        nobody = await desk.http.get("/api/private/v1/customers/cus_00000000000000000000000001/preferences/history")

        assert nobody.status_code == 404
        assert await desk.history() == []


class TestTelling:
    async def test_every_change_is_carried_by_the_relay_and_stands_in_the_timeline(self, desk: Desk) -> None:
        await desk.state(drink="tea")
        await desk.world.settle(seconds=10)

        rows = desk.world.storage._table("entityindex").rows()
        timeline = await desk.world.storage.table("customers").page(
            desk.customer, from_key="timeline~", below_key="timeline\x7f", where={"type": "preference"}
        )

        assert [(row.partition, row.values["owner"], row.values["version"]) for row in rows] == [
            ("preferences", desk.customer, 1)
        ]
        assert [json.loads(str(row.values["entry"]))["summary"] for row in timeline.rows] == [
            "Preferences stated: drink"
        ]
        assert desk.world.failures == []

    async def test_personal_data_stays_out_of_logs_and_messages(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG", logger="platform")

        await desk.state(drink="geheimtee", meal={"code": "SPML", "text": "geheim"})
        desk.world.clock.advance(3)
        messages = await desk.world.storage.queue(CHANGES).peek()
        await desk.world.settle(seconds=10)

        assert "geheim" not in caplog.text + "".join(messages)


class TestCurrent:
    async def test_is_what_other_rooms_read(self, desk: Desk) -> None:
        await desk.state(meal={"code": "VGML"}, seat={"position": "aisle"})

        current = await desk.world.platform.preferences.current(desk.customer)

        assert current.meal is not None
        assert current.seat is not None
        assert (current.meal.code, current.seat.position) == ("VGML", "aisle")
