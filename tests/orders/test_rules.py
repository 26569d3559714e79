"""What a valid order is, what changes make of it, and what it adds up to."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from lib.clock import rfc3339
from lib.orders.differences import changed_fields
from lib.orders.fulfilment import ItemStatusChange, with_status
from lib.orders.items import Segment
from lib.orders.models import Order, OrderDetails, OrderPatch
from lib.orders.prefill import filled
from lib.orders.rules import ItemInUseError, OrderClosedError, OrderInvalidError, amended, moved
from lib.orders.states import CLOSED, ITEM_MOVES, ORDER_MOVES, ItemKind, OrderState, first_status
from lib.orders.story import told
from lib.preferences.models import Preferences
from tests.orders.support import ADA, NEW_YEAR, body, order, segment, widget

LATER = NEW_YEAR + timedelta(days=1)


def pointers(*items: dict[str, Any], **fields: Any) -> set[str]:
    with pytest.raises(OrderInvalidError) as refused:
        order(*items, **fields)
    return {problem.pointer for problem in refused.value.problems}


def patch(**fields: Any) -> OrderPatch:
    return OrderPatch.model_validate({"reason": "test", **fields})


class TestPlaced:
    def test_every_kind_of_item_begins_in_its_first_status(self) -> None:
        made = order(
            widget(),
            {"kind": "service", "serviceCode": "MCG-1"},
            segment(),
            {"kind": "ancillary", "ancillaryType": "lounge", "segmentId": "out", "passengerIds": ["P1"]},
            {"kind": "retailPurchase", "sku": "WATCH-7"},
        )

        assert [item.status for item in made.items] == ["ordered", "booked", "onTime", "booked", "purchased"]
        assert [item.id for item in made.items] == ["item-1", "item-2", "out", "item-3", "item-4"]

    def test_adds_up_exactly(self) -> None:
        made = order(
            widget(quantity=3, unitPrice={"amount": "0.1", "currency": "EUR"}),
            segment(taxes={"amount": "88.4", "currency": "EUR"}, unitPrice={"amount": "412", "currency": "EUR"}),
        )

        assert [made.totals.net.amount, made.totals.taxes.amount, made.totals.gross.amount] == [
            "412.30",
            "88.40",
            "500.70",
        ]

    def test_largest_amounts_still_add_up(self) -> None:
        dear = {"amount": "9" * 12 + ".999", "currency": "KWD"}

        made = order(*[widget(quantity=9999, unitPrice=dear) for _ in range(30)], currency="KWD")

        assert made.totals.gross.amount == "299969999999999700.030"

    def test_refuses_more_than_anything_costs(self) -> None:
        assert pointers(widget(unitPrice={"amount": "1" + "0" * 12, "currency": "EUR"})) == {
            "/items/0/unitPrice/amount"
        }

    def test_refuses_another_currency(self) -> None:
        assert pointers(widget(unitPrice={"amount": "1", "currency": "USD"})) == {"/items/0/unitPrice/currency"}

    def test_refuses_links_to_nothing(self) -> None:
        lounge = {"kind": "ancillary", "ancillaryType": "lounge", "segmentId": "back", "passengerIds": ["P9"]}

        found = pointers(segment(travellers=[{"passengerId": "P7"}]), lounge)

        assert found == {"/items/0/travellers/0/passengerId", "/items/1/passengerIds/0", "/items/1/segmentId"}

    def test_refuses_the_same_id_twice_and_two_customers(self) -> None:
        assert pointers(segment(), segment()) == {"/items"}
        assert pointers(passengers=[ADA, {**ADA, "id": "P2"}]) == {"/passengers"}
        assert pointers(passengers=[ADA, {**ADA, "isCustomer": False}]) == {"/passengers"}

    @pytest.mark.parametrize(
        "fields",
        [
            {"arrivalAirport": "LHR"},
            {"scheduledArrival": "2026-01-30T00:00:00Z"},
            {"scheduledArrival": "2026-02-02T00:00:01Z"},
            {"flightDate": "2026-02-03"},
            {"travellers": [{"passengerId": "P1"}, {"passengerId": "P1"}]},
            {"flight": "LH0000"},
            {"departureAirport": "lhr"},
            {"travellers": [{"passengerId": "P1", "seat": "12I"}]},
            {"travellers": [{"passengerId": "P1", "ticketNumber": "12523456789011"}]},
            {"travellers": [{"passengerId": "P1", "bagTags": ["0000000000"]}]},
            {"status": "flown"},
            {"kind": "rocket"},
        ],
    )
    def test_refuses_impossible_segments(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            OrderDetails.model_validate(body(segment(**fields)))

    @pytest.mark.parametrize("quantity", [0, -1, 10_000, 1.5, "2", True])
    def test_refuses_quantities_that_are_none(self, quantity: object) -> None:
        with pytest.raises(ValidationError):
            OrderDetails.model_validate(body(widget(quantity=quantity)))


class TestMoves:
    def test_every_state_and_status_is_in_the_tables(self) -> None:
        assert set(ORDER_MOVES) == set(OrderState)
        assert set(ITEM_MOVES) == set(ItemKind)
        for moves in ITEM_MOVES.values():
            assert all(targets <= moves.keys() for targets in moves.values())

    def test_closed_states_lead_nowhere_and_all_others_somewhere(self) -> None:
        assert {state for state, targets in ORDER_MOVES.items() if not targets} == CLOSED

    def test_cancelling_cancels_what_can_be_and_costs_nothing_more(self) -> None:
        made = order(widget(), segment(), {"kind": "retailPurchase", "sku": "W", "unitPrice": ADA_PRICE})

        after = moved(made, OrderState.CANCELLED, version=2, at=LATER)

        assert [item.status for item in after.items] == ["cancelled", "cancelled", "purchased"]
        assert after.totals.gross.amount == "5.00"
        assert after.closed_at == LATER


ADA_PRICE = {"amount": "5", "currency": "EUR"}


def marked(made: Order, status: str) -> Order:
    change = ItemStatusChange.model_validate({"status": status, "reason": "test"})
    return with_status(made, "out", change, version=1, at=NEW_YEAR)


class TestAmended:
    def test_items_that_keep_their_id_keep_their_status(self) -> None:
        made = order(segment(), widget(id="w"))
        flown = marked(made, "flown")

        after = amended(flown, patch(items=[segment(gate="B42"), widget()]), version=2, at=LATER)

        assert [(item.id, item.status) for item in after.items] == [("out", "flown"), ("item-1", "ordered")]

    def test_another_flight_under_the_same_id_is_another_segment(self) -> None:
        made = order(segment())
        delayed = marked(made, "delayed")

        after = amended(delayed, patch(items=[segment(flight="IM206")]), version=2, at=LATER)

        assert after.items[0].status == first_status(ItemKind.FLIGHT_SEGMENT)

    def test_items_to_which_something_happened_are_not_lost(self) -> None:
        made = order(segment(), widget(id="w"))
        flown = marked(made, "flown")

        with pytest.raises(ItemInUseError):
            amended(flown, patch(items=[widget()]), version=2, at=LATER)

    def test_null_takes_away_and_what_is_not_named_stays(self) -> None:
        made = order(notes="Travels with a cello", channel="web")

        after = amended(made, patch(notes=None), version=2, at=LATER)

        assert (after.notes, after.channel, after.version) == (None, "web", 2)

    @pytest.mark.parametrize("fields", [{"items": None}, {"passengers": []}, {"items": [segment(travellers=[])] * 2}])
    def test_refuses_what_would_leave_no_valid_order(self, fields: dict[str, Any]) -> None:
        with pytest.raises(OrderInvalidError):
            amended(order(), patch(**fields), version=2, at=LATER)

    def test_closed_orders_stay_as_they_are(self) -> None:
        closed = moved(order(), OrderState.CANCELLED, version=2, at=LATER)

        with pytest.raises(OrderClosedError):
            amended(closed, patch(notes="late"), version=3, at=LATER)


def stated(version: int) -> dict[str, Any]:
    at = rfc3339(NEW_YEAR)
    return {"statedAt": at, "recordedAt": at, "source": {"kind": "customer"}, "confirmed": True, "version": version}


PREFERENCES = Preferences.model_validate(
    {
        "customerId": "cus_1",
        "version": 4,
        "meal": {"code": "VGML"},
        "seat": {"position": "window"},
        "drink": "tea",
        "statements": {"meal": stated(1), "seat": stated(1), "drink": stated(4)},
    }
)


class TestFilled:
    """Feature 29: a new order is filled in from preferences."""

    def test_what_is_open_is_filled_in_for_the_customer_alone(self) -> None:
        bob = {"id": "P2", "lastName": "Babbage"}
        made = order(segment(travellers=[{"passengerId": "P1"}, {"passengerId": "P2"}]), passengers=[ADA, bob])

        after = filled(made, PREFERENCES, at=LATER)

        ada, other = after.segments[0].travellers
        assert (ada.meal, ada.seat_request, ada.drink) == (PREFERENCES.meal, PREFERENCES.seat, "tea")
        assert (other.meal, other.seat_request, other.drink) == (None, None, None)
        assert [(one.field, one.value, one.preference_version) for one in after.filled_in] == [
            ("meal", PREFERENCES.meal, 1),
            ("seatRequest", PREFERENCES.seat, 1),
            ("drink", "tea", 4),
        ]

    def test_what_the_order_says_stands(self) -> None:
        made = order(segment(travellers=[{"passengerId": "P1", "meal": {"code": "KSML"}, "seat": "12A"}]))

        after = filled(made, PREFERENCES, at=LATER)

        traveller = after.segments[0].travellers[0]
        assert traveller.meal is not None
        assert (traveller.meal.code, traveller.seat_request, traveller.drink) == ("KSML", None, "tea")

    def test_nothing_is_filled_in_for_others(self) -> None:
        made = order(passengers=[{**ADA, "isCustomer": False}])

        assert filled(made, PREFERENCES, at=LATER) == made

    def test_source_is_forgotten_when_somebody_decides_otherwise(self) -> None:
        made = filled(order(), PREFERENCES, at=LATER)
        own = {"passengerId": "P1", "meal": {"code": "KSML"}, "seatRequest": {"position": "window"}}

        after = amended(made, patch(items=[segment(travellers=[own])]), version=2, at=LATER)

        assert [one.field for one in after.filled_in] == ["seatRequest"]


class TestChangedFields:
    def test_items_are_told_by_their_ids_and_field_by_field(self) -> None:
        before = order(segment(), widget(id="w"))
        after = amended(before, patch(items=[segment(gate="B42"), widget(id="x")]), version=2, at=LATER)

        found = {change["field"]: (change["old"], change["new"]) for change in changed_fields(before, after)}

        assert found.keys() == {"/items/out/gate", "/items/w", "/items/x"}
        assert found["/items/out/gate"] == (None, "B42")
        assert found["/items/w"][1] is None
        assert found["/items/x"][0] is None

    def test_nothing_is_nothing(self) -> None:
        assert changed_fields(order(), order()) == []

    def test_never_are_more_than_the_log_shows(self) -> None:
        before = order(*[segment(id=f"s{number}", travellers=[]) for number in range(30)])
        many = {"gate": "B1", "terminal": "5", "cabinClass": "first", "bookingClass": "F"}
        items = [segment(id=f"s{number}", travellers=[], **many) for number in range(30)]

        found = changed_fields(before, amended(before, patch(items=items), version=2, at=LATER))

        assert [change["field"] for change in found] == [f"/items/s{number}" for number in range(30)]


class TestTold:
    def test_names_no_passenger(self) -> None:
        made = order(notes="private", passengers=[{**ADA, "lastName": "Zzyzx"}])

        entry = told(None, made, actor="public")

        assert (entry.kind, entry.summary) == ("placed", "Order placed, 1 item")
        assert "Zzyzx" not in str(entry)

    def test_delay_says_when_it_leaves(self) -> None:
        made = order()
        details = {"estimated_departure": NEW_YEAR + timedelta(days=30, hours=2)}
        item = Segment.model_validate({**made.items[0].model_dump(), "status": "delayed", "status_details": details})

        entry = told(made, made.model_copy(update={"items": (item,)}), actor="ops")

        assert entry.kind == "flightDelayed"
        assert entry.summary == "Flight IM204 from LHR to JFK is delayed, leaves at 2026-01-31 02:00 UTC"
