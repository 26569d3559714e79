"""Flight events reach every order with such a segment, in whatever order they come, and orders placed later too."""

import asyncio
import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import httpx2
import pytest

from lib.orders.flights.models import FlightEvent, FlightState
from lib.orders.flights.rules import updated
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from tests.customers.support import Always, Once
from tests.orders.support import NEW_YEAR, Desk, order, problem, segment

EVENTS = "/api/private/v1/flight-events"
FLIGHT = "IM204~2026-01-31~LHR"


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "source": "ops-feed",
        "eventId": f"e-{number}",
        "flight": "IM 0204",
        "flightDate": "2026-01-31",
        "departureAirport": "LHR",
        "occurredAt": f"2026-01-01T00:{number % 60:02d}:00Z",
        **fields,
    }


def delayed(number: int = 1, departure: str = "2026-01-31T01:30:00Z", **fields: Any) -> dict[str, Any]:
    return event(number, status="delayed", estimatedDeparture=departure, **fields)


async def send(desk: Desk, told: dict[str, Any], **headers: str) -> httpx2.Response:
    return await desk.http.post(EVENTS, json=told, headers=headers)


async def tell(desk: Desk, *events: dict[str, Any]) -> None:
    for one in events:
        answer = await send(desk, one)
        assert answer.status_code == 202, answer.text
    await desk.world.settle(seconds=20)


async def first(desk: Desk, order_id: str) -> dict[str, Any]:
    return (await desk.read(order_id))["items"][0]


@pytest.fixture
def an_hour_later(desk: Desk) -> Desk:
    desk.world.clock.advance(3600)
    return desk


@pytest.mark.usefixtures("an_hour_later")
class TestTake:
    async def test_touches_every_order_of_the_flight_and_no_other(self, desk: Desk) -> None:
        orders = [(await desk.place())["id"] for _ in range(3)]
        others = [
            (await desk.place(segment(**fields)))["id"]
            for fields in (
                {"flight": "IM205"},
                {"departureAirport": "LGW"},
                {"flightDate": "2026-02-01"},
            )
        ]
        await desk.world.settle(seconds=10)

        await tell(desk, delayed(reason="late inbound aircraft"))

        for one in orders:
            item = await first(desk, one)
            assert (item["status"], item["statusKnown"]) == (
                "delayed",
                {"at": "2026-01-01T00:01:00.000Z", "event": "ops-feed/e-1"},
            )
            assert item["statusDetails"] == {
                "reason": "late inbound aircraft",
                "estimatedDeparture": "2026-01-31T01:30:00.000Z",
                "delayMinutes": 90,
            }
        assert [(await first(desk, one))["status"] for one in others] == ["onTime"] * 3

    async def test_repeat_changes_nothing(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)
        await tell(desk, delayed())
        after = await desk.read(order["id"])
        log = len(await desk.timeline())

        await tell(desk, delayed(), delayed())

        assert await desk.read(order["id"]) == after
        assert (after["version"], len(await desk.timeline())) == (2, log)
        assert (await desk.world.storage.queue("flight-events").depth()).messages == 0

    async def test_same_id_with_another_content_is_409(self, desk: Desk) -> None:
        await tell(desk, delayed())

        answer = await send(desk, delayed(departure="2026-01-31T05:00:00Z"))

        assert (answer.status_code, problem(answer)) == (409, "flight-event-conflict")

    @pytest.mark.parametrize("turn", list(permutations(range(4))), ids=str)
    async def test_any_turn_of_events_ends_the_same(self, desk: Desk, turn: tuple[int, ...]) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)
        events = [
            event(1, gate="B1", terminal="5"),
            delayed(2),
            event(3, gate="B42", terminal="5"),
            delayed(4, "2026-01-31T03:00:00Z"),
        ]

        for number in turn:
            await tell(desk, events[number])

        item = await first(desk, order["id"])
        assert (item["gate"], item["statusDetails"]["delayMinutes"]) == ("B42", 180)
        assert (item["statusKnown"]["event"], item["gateKnown"]["event"]) == ("ops-feed/e-4", "ops-feed/e-3")

    async def test_reaches_an_order_that_is_placed_later(self, desk: Desk) -> None:
        await tell(desk, delayed())

        order = await desk.place()
        await desk.world.settle(seconds=20)

        assert (await first(desk, order["id"]))["status"] == "delayed"

    async def test_does_not_undo_what_staff_learned_later(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.status(order["id"], "out", "onTime", details={"reason": "back on schedule"})
        await desk.world.settle(seconds=10)

        await tell(desk, delayed(1))
        early = await first(desk, order["id"])
        await tell(desk, delayed(2, occurredAt="2026-01-01T01:05:00Z"))

        assert early["status"] == "onTime"
        assert (await first(desk, order["id"]))["status"] == "delayed"

    async def test_who_was_rebooked_or_missed_the_flight_stays_so(self, desk: Desk) -> None:
        missed, cancelled = await desk.place(), await desk.place()
        await desk.status(missed["id"], "out", "noShow")
        await desk.act(cancelled["id"], "cancel")
        await desk.world.settle(seconds=10)

        await tell(desk, event(1, status="flown", occurredAt="2026-01-01T01:05:00Z"))

        assert (await first(desk, missed["id"]))["status"] == "noShow"
        assert (await desk.read(cancelled["id"]))["version"] == 2

    async def test_order_that_is_over_stays_as_it_is(self, desk: Desk) -> None:
        order = await desk.place()
        for state in ("confirmed", "inFulfilment"):
            await desk.act(order["id"], "state", state=state)
        await desk.status(order["id"], "out", "cancelled")
        over = await desk.act(order["id"], "state", state="fulfilled")
        await desk.world.settle(seconds=10)

        await tell(desk, delayed(occurredAt="2026-01-01T01:05:00Z"))

        assert over.status_code == 200
        assert (await desk.read(order["id"]))["version"] == over.json()["version"]

    async def test_delay_to_the_end_of_time_is_kept(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)

        await tell(desk, delayed(departure="9999-12-31T23:59:59Z"))

        assert (await first(desk, order["id"]))["statusDetails"]["delayMinutes"] == 20_000
        assert [one["id"] for one in await desk.listed(when="coming")] == [order["id"]]

    async def test_order_that_left_the_flight_is_not_looked_for_again(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)
        await desk.patch(order["id"], 1, items=[segment(flight="IM206")])
        await desk.world.settle(seconds=10)

        await tell(desk, delayed())

        rows = await desk.world.storage.table("flights").page(FLIGHT, from_key="order~", below_key="order\x7f")
        assert rows.rows == []
        assert (await first(desk, order["id"]))["status"] == "onTime"

    async def test_tells_the_timeline_when_it_happened_and_the_log_why(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)

        await tell(desk, delayed())
        await tell(desk, event(2, gate="B42"))

        told = [(kind, json.loads(entry)) for kind, entry in await desk.timeline()]
        assert [(kind, entry["happenedAt"]) for kind, entry in told] == [
            ("placed", "2026-01-01T01:00:00.000Z"),
            ("gateChanged", "2026-01-01T00:02:00.000Z"),
            ("flightDelayed", "2026-01-01T00:01:00.000Z"),
        ]
        log = (await desk.http.get(f"{desk.private}/{order['id']}/changes")).json()["items"]
        assert [(entry["actor"], entry.get("reason")) for entry in log] == [
            ("ops-feed", "flight event ops-feed/e-2"),
            ("ops-feed", "flight event ops-feed/e-1"),
            ("public", None),
        ]

    async def test_delay_moves_the_order_in_the_lists_and_reaches_the_mainframe(self, desk: Desk) -> None:
        order = await desk.place()
        other = await desk.place(segment(NEW_YEAR + timedelta(days=30, hours=1), flight="IM300"))
        await desk.world.settle(seconds=10)

        await tell(desk, delayed(departure="2026-02-02T00:00:00Z"))

        assert [one["id"] for one in await desk.listed(when="coming")] == [other["id"], order["id"]]
        assert await desk.world.mainframe.inquire(subject="ORDER", key=order["id"]) == 2

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"status": "delayed"},
            {"status": "cancelled", "estimatedDeparture": "2026-01-31T05:00:00Z"},
            {"gate": "B1", "delayMinutes": 5},
            {"status": "noShow"},
            {"status": "onTime", "occurredAt": "2027-01-01T00:00:00Z"},
            {"status": "onTime", "flight": "LH0000"},
            {"status": "onTime", "eventId": "with space"},
        ],
    )
    async def test_refuses_what_says_nothing_or_cannot_be(self, desk: Desk, fields: dict[str, Any]) -> None:
        assert (await send(desk, event(1, **fields))).status_code == 422

    async def test_repeat_with_its_key_is_the_first_answer_again(self, desk: Desk) -> None:
        one = await send(desk, delayed(), **{"Idempotency-Key": "k"})
        two = await send(desk, delayed(), **{"Idempotency-Key": "k"})

        assert one.json() == two.json()
        assert two.headers["idempotency-replayed"] == "true"
        known = await desk.http.get(one.headers["location"])
        assert (known.json()["status"], known.json()["version"]) == ("delayed", 1)

    @pytest.mark.parametrize("point", ["flights.get", "flights.write", "flight-events.send", "customers.commit"])
    @pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
    async def test_survives_one_lost_call_anywhere(self, desk: Desk, point: str, when: When) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)
        error = StorageUnavailableError("down") if when is When.BEFORE else OutcomeUnknownError("lost")
        fault = Once(point, when, error)
        desk.world.tap = fault

        for _ in range(2):  # whoever gets no 2xx sends it again
            if (await send(desk, delayed())).status_code == 202:
                break
        await desk.world.settle(seconds=120)

        assert fault.fired
        after = await desk.read(order["id"])
        assert (after["items"][0]["status"], after["version"]) == ("delayed", 2)

    async def test_tells_the_orders_though_the_process_died_when_it_was_kept(self, desk: Desk) -> None:
        order = await desk.place()
        await desk.world.settle(seconds=10)
        desk.world.tap = Once("flights.write", When.AFTER, RuntimeError("killed"))

        answer = await send(desk, delayed())
        await desk.world.settle(seconds=30)

        assert answer.status_code == 500
        assert (await first(desk, order["id"]))["status"] == "delayed"

    @pytest.mark.parametrize("told_before", [False, True])
    async def test_tells_the_orders_though_the_writer_stood_still_until_its_promise_was_let_go(
        self, desk: Desk, *, told_before: bool
    ) -> None:
        order = await desk.place()
        await tell(desk, *([event(1, gate="B1")] if told_before else []))
        stood: list[str] = []

        async def stand_still(point: str, when: When) -> None:
            if point == "flights.write" and when is When.BEFORE and not stood:
                stood.append(point)
                await desk.world.settle(seconds=200)

        desk.world.tap = stand_still
        answer = await send(desk, delayed(2))
        await desk.world.settle(seconds=30)

        assert stood == ["flights.write"]
        assert answer.status_code == 202
        assert (await first(desk, order["id"]))["status"] == "delayed"


@pytest.mark.usefixtures("an_hour_later")
class TestFanOut:
    async def test_many_orders_are_told_slice_by_slice_and_one_that_fails_holds_up_nobody(self, desk: Desk) -> None:
        orders = [(await desk.place())["id"] for _ in range(100)]
        await desk.world.settle(seconds=20)
        broken = Always("customers.commit", When.BEFORE, StorageUnavailableError("down"))
        seen: list[str] = []

        async def tap(point: str, when: When) -> None:
            if point == "customers.commit" and when is When.BEFORE and len(seen) < 4:
                seen.append(point)
                raise broken.error

        await send(desk, delayed())
        desk.world.tap = tap
        await desk.world.settle(seconds=120)

        assert {(await desk.read(one))["items"][0]["status"] for one in orders} == {"delayed"}
        assert {(await desk.read(one))["version"] for one in orders} == {2}
        assert len(seen) == 4

    async def test_slice_that_ran_twice_changes_nothing_twice(self, desk: Desk) -> None:
        orders = [(await desk.place())["id"] for _ in range(45)]
        await desk.world.settle(seconds=20)
        await send(desk, delayed())
        desk.world.clock.advance(3)
        (message,) = await desk.world.storage.queue("flight-events").receive(32, lease_seconds=1)

        runner = desk.world.platform.flight_runner
        await asyncio.gather(runner.take(message.body), runner.take(message.body))
        await desk.world.settle(seconds=30)

        assert {(await desk.read(one))["version"] for one in orders} == {2}

    async def test_promise_of_an_event_that_was_never_kept_is_let_go(self, desk: Desk) -> None:
        desk.world.tap = Always("flights.write", When.BEFORE, StorageUnavailableError("down"))
        answer = await send(desk, delayed())
        await desk.world.settle(seconds=200)

        assert answer.status_code == 503
        assert (await desk.world.storage.queue("flight-events").depth()).messages == 0
        assert desk.world.failures == []

    async def test_order_whose_customer_has_none_such_is_forgotten(self, desk: Desk) -> None:
        await desk.world.platform.flights.store.add_order(FLIGHT, "ord_" + "0" * 26, desk.customer_id)

        await tell(desk, delayed())

        rows = await desk.world.storage.table("flights").page(FLIGHT, from_key="order~", below_key="order\x7f")
        assert rows.rows == []


class TestUpdated:
    def test_of_nothing_new_is_nothing(self) -> None:
        made = order()
        known = FlightState().after(FlightEvent.model_validate(delayed()))
        once = updated(made, FLIGHT, known, version=2, at=NEW_YEAR)
        assert once is not None

        assert updated(once, FLIGHT, known, version=3, at=NEW_YEAR) is None

    def test_on_time_again_takes_the_delay_away(self) -> None:
        state = FlightState().after(FlightEvent.model_validate(delayed(1)))
        late = updated(order(), FLIGHT, state, version=2, at=NEW_YEAR)
        assert late is not None

        state = state.after(FlightEvent.model_validate(event(2, status="onTime")))
        again = updated(late, FLIGHT, state, version=3, at=NEW_YEAR)

        assert again is not None
        assert (again.segments[0].status, again.segments[0].status_details) == ("onTime", None)
        assert again.segments[0].departs_at == again.segments[0].scheduled_departure
