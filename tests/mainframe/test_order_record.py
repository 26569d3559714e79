"""Orders in the mainframe's words: what fits, what is flagged, and what is refused. Feature 26."""

from decimal import Decimal
from typing import Any

import pytest

from lib.mainframe.errors import UnfitError
from lib.mainframe.layouts import ORDER_LAYOUT
from lib.mainframe.order_record import write_order
from tests.orders.support import ADA, order, segment, widget

EUR = {"amount": "412.50", "currency": "EUR"}


def written(*items: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    record = write_order(order(*items, **fields).json_values())
    return ORDER_LAYOUT.decode(record.body), record.altered_fields


class TestWriteOrder:
    def test_writes_every_field(self) -> None:
        traveller = {
            "passengerId": "P1",
            "ticketNumber": "1252345678901",
            "seat": "12A",
            "meal": {"code": "VGML"},
            "bagTags": ["0125728359"],
        }
        more = {"bookingReference": "K7QX2M", "cabinClass": "business", "bookingClass": "J", "gate": "B42"}

        values, altered = written(
            segment(unitPrice=EUR, taxes=EUR, travellers=[traveller], **more), widget(), channel="web"
        )

        first, second = values["ITEMS"][:2]
        assert altered == ()
        assert (values["STATE"], values["CURRENCY"], values["CHANNEL"], values["ALTERED"]) == (
            "placed",
            "EUR",
            "web",
            "",
        )
        assert (values["PASSENGER-COUNT"], values["ITEM-COUNT"]) == (1, 2)
        assert (values["NET-AMOUNT"], values["TAX-AMOUNT"], values["GROSS-AMOUNT"]) == (
            Decimal("452.300"),
            Decimal("412.500"),
            Decimal("864.800"),
        )
        assert values["PASSENGERS"][0] == {
            "PASSENGER-ID": "P1",
            "PASSENGER-TYPE": "adult",
            "LAST-NAME": "Lovelace",
            "FIRST-NAME": "Ada",
        }
        assert first | {"TRAVELLERS": first["TRAVELLERS"][:1]} == {
            "ITEM-ID": "out",
            "KIND": "flightSegment",
            "STATUS": "onTime",
            "CODE": "",
            "QUANTITY": 1,
            "UNIT-PRICE": Decimal("412.500"),
            "TAXES": Decimal("412.500"),
            "FLIGHT": "IM204",
            "FLIGHT-DATE": "2026-01-31",
            "DEPARTURE-AIRPORT": "LHR",
            "ARRIVAL-AIRPORT": "JFK",
            "DEPARTS-AT": "2026-01-31T00:00:00.000Z",
            "ARRIVES-AT": "2026-01-31T08:00:00.000Z",
            "BOOKING-REFERENCE": "K7QX2M",
            "CABIN-CLASS": "business",
            "BOOKING-CLASS": "J",
            "GATE": "B42",
            "REBOOKED-TO": "",
            "TRAVELLERS": [
                {
                    "PASSENGER-ID": "P1",
                    "TICKET-NUMBER": "1252345678901",
                    "SEAT": "12A",
                    "MEAL-CODE": "VGML",
                    "BAG-TAG": ["0125728359", ""],
                }
            ],
        }
        assert (second["CODE"], second["QUANTITY"], second["FLIGHT"]) == ("WID-200", 2, "")

    def test_says_when_it_leaves_as_far_as_is_known(self) -> None:
        values = order(segment()).json_values()
        values["items"][0]["statusDetails"] = {"estimatedDeparture": "2026-01-31T02:00:00.000Z"}

        record = ORDER_LAYOUT.decode(write_order(values).body)

        assert record["ITEMS"][0]["DEPARTS-AT"] == "2026-01-31T02:00:00.000Z"

    def test_of_more_items_than_fit_those_that_take_place_go_first_and_the_rest_is_flagged(self) -> None:
        values = order(*[widget(id=f"w{number}") for number in range(14)]).json_values()
        values["items"][0]["status"] = "cancelled"
        values["items"][5]["status"] = "cancelled"

        record = write_order(values)

        decoded = ORDER_LAYOUT.decode(record.body)
        assert [item["ITEM-ID"] for item in decoded["ITEMS"]] == [
            f"w{number}" for number in range(14) if number not in {0, 5}
        ]
        assert (decoded["ITEM-COUNT"], decoded["ALTERED"], record.altered_fields) == (14, "Y", ("/items",))

    def test_flags_passengers_travellers_and_tags_that_do_not_fit(self) -> None:
        passengers = [{**ADA, "id": f"P{number}", "isCustomer": False} for number in range(10)]
        travellers = [{"passengerId": one["id"], "bagTags": ["0125728359"] * 3} for one in passengers]

        values, altered = written(segment(travellers=travellers), passengers=passengers)

        assert values["PASSENGER-COUNT"] == 10
        assert len(values["PASSENGERS"]) == 9
        assert altered[:3] == ("/passengers", "/items/0/travellers", "/items/0/travellers/0/bagTags")

    def test_spells_names_of_every_script(self) -> None:
        values, altered = written(passengers=[{**ADA, "lastName": "Щербаков"}])

        assert values["PASSENGERS"][0]["LAST-NAME"] == "Shcherbakov"
        assert altered == ("/passengers/0/lastName",)

    def test_largest_order_fits_a_frame(self) -> None:
        passengers = [{**ADA, "id": f"P{number}", "isCustomer": False} for number in range(20)]
        travellers = [{"passengerId": one["id"]} for one in passengers]

        record = write_order(
            order(
                *[segment(id=f"s{number}", travellers=travellers) for number in range(30)], passengers=passengers
            ).json_values()
        )

        assert len(record.body) == ORDER_LAYOUT.length < 32_000

    def test_refuses_amounts_beyond_its_digits(self) -> None:
        dear = {"amount": "9" * 12, "currency": "EUR"}

        with pytest.raises(UnfitError) as refused:
            write_order(order(*[widget(quantity=9999, unitPrice=dear) for _ in range(2)]).json_values())

        assert (refused.value.reason_code, refused.value.field) == ("TOOLONG", "/totals/net")

    def test_refuses_a_name_of_which_nothing_remains(self) -> None:
        with pytest.raises(UnfitError) as refused:
            written(passengers=[{**ADA, "lastName": "\U0001f600"}])

        assert refused.value.field == "/passengers/0/lastName"
