"""The lists of a customer's orders. Feature 27."""

from datetime import timedelta

import pytest

from local.faults.taps import When
from tests.orders.support import NEW_YEAR, Desk, problem, segment, widget


def on(day: float, **fields: object) -> dict[str, object]:
    return segment(NEW_YEAR + timedelta(days=day), **fields)


class TestListPage:
    async def test_coming_ones_come_soonest_first_and_past_ones_latest_first(self, desk: Desk) -> None:
        placed = {day: (await desk.place(on(day)))["id"] for day in (20, 5, 40, 1, 30)}
        desk.world.clock.advance(25 * 86_400)

        coming = [order["id"] for order in await desk.listed(when="coming")]
        past = [order["id"] for order in await desk.listed(when="past")]
        every = [order["id"] for order in await desk.listed()]

        assert coming == [placed[30], placed[40]]
        assert past == [placed[20], placed[5], placed[1]]
        assert every == [placed[day] for day in (40, 30, 20, 5, 1)]

    async def test_journey_is_coming_until_its_last_flight_landed_and_counts_once(self, desk: Desk) -> None:
        trip = await desk.place(
            on(3), on(30, id="back", departureAirport="JFK", arrivalAirport="LHR"), on(60, id="again")
        )
        other = await desk.place(on(10))
        at = []
        for day in (0, 4, 31, 61):
            desk.world.clock.at = NEW_YEAR + timedelta(days=day)
            at.append(
                (
                    [order["id"] for order in await desk.listed(when="coming")],
                    [order["id"] for order in await desk.listed(when="past")],
                )
            )

        assert at == [
            ([trip["id"], other["id"]], []),
            ([other["id"], trip["id"]], []),
            ([trip["id"]], [other["id"]]),
            ([], [trip["id"], other["id"]]),
        ]

    async def test_what_has_no_date_is_coming_until_it_is_closed(self, desk: Desk) -> None:
        order = await desk.place(widget())
        desk.world.clock.advance(400 * 86_400)
        before = [one["id"] for one in await desk.listed(when="coming")]

        await desk.act(order["id"], "cancel")

        assert before == [order["id"]]
        assert await desk.listed(when="coming") == []
        assert [one["state"] for one in await desk.listed(when="past")] == ["cancelled"]

    async def test_delay_moves_the_order_in_its_lists(self, desk: Desk) -> None:
        first, second = await desk.place(on(5)), await desk.place(on(6))
        details = {"estimatedDeparture": "2026-01-08T00:00:00Z"}

        await desk.status(first["id"], "out", "delayed", details=details)

        assert [one["id"] for one in await desk.listed(when="coming")] == [second["id"], first["id"]]
        assert [one["id"] for one in await desk.listed()] == [first["id"], second["id"]]

    async def test_only_those_in_a_state(self, desk: Desk) -> None:
        orders = [(await desk.place(on(day)))["id"] for day in (1, 2, 3)]
        await desk.act(orders[1], "state", state="confirmed")

        assert [one["id"] for one in await desk.listed(state="confirmed", when="coming")] == [orders[1]]
        assert [one["id"] for one in await desk.listed(state="placed")] == [orders[2], orders[0]]

    @pytest.mark.parametrize("when", ["coming", "past", None])
    async def test_pages_hold_every_order_once_while_others_come(self, desk: Desk, when: str | None) -> None:
        orders = [(await desk.place(on(5 + number)))["id"] for number in range(7)]
        if when == "past":
            desk.world.clock.advance(100 * 86_400)
        query = {"limit": 3} | ({"when": when} if when else {})
        answer = (await desk.http.get(desk.public, params=query)).json()
        found = [one["id"] for one in answer["items"]]
        await desk.place(on(4 if when == "coming" else 300))

        while answer["next"]:
            desk.world.clock.advance(86_400)
            answer = (await desk.http.get(answer["next"])).json()
            found += [one["id"] for one in answer["items"]]

        assert found == (orders if when == "coming" else orders[::-1])

    async def test_page_is_one_read_however_long_the_history(self, desk: Desk) -> None:
        for day in range(1, 6):
            await desk.place(on(day))
        calls: list[str] = []

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                calls.append(point)

        desk.world.tap = listen

        await desk.http.get(desk.public, params={"when": "coming", "state": "placed"})

        assert len(calls) == 1, calls

    async def test_cursor_belongs_to_its_list(self, desk: Desk) -> None:
        for day in (1, 2):
            await desk.place(on(day))
        following = (await desk.http.get(desk.public, params={"limit": 1, "when": "coming"})).json()["next"]

        other = await desk.http.get(following.replace("when=coming", "when=past"))

        assert (other.status_code, problem(other)) == (400, "bad-cursor")

    async def test_of_nobody_is_404_and_of_nothing_is_empty(self, desk: Desk) -> None:
        nobody = await desk.http.get("/api/v1/customers/cus_00000000000000000000000000/orders")

        assert (nobody.status_code, problem(nobody)) == (404, "customer-not-found")
        assert await desk.listed(when="coming") == []

    async def test_summary_says_when_where_and_how_much(self, desk: Desk) -> None:
        await desk.place(on(3, unitPrice={"amount": "412", "currency": "EUR"}), on(30, id="back", flight="IM205"))

        (shown,) = await desk.listed()

        assert shown["startsAt"] == "2026-01-04T00:00:00.000Z"
        assert shown["endsAt"] == "2026-01-31T08:00:00.000Z"
        assert (shown["gross"]["amount"], shown["route"], shown["itemCount"]) == ("412.00", "LHR-JFK, LHR-JFK", 2)
