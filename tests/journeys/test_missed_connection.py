"""The first flight is late and the connection missed; order, timeline and mainframe all tell it. Feature 26."""

from datetime import timedelta

from lib.clock import SystemClock, rfc3339
from tests.journeys.travelling import PRIVATE, Traveller


class TestMissedConnection:
    def test_is_told_rebooked_and_arrives_at_the_mainframe(self, traveller: Traveller) -> None:
        first = traveller.segment("first", "LHR-FRA")
        second = traveller.segment("second", "FRA-SIN", after_hours=3, flight=1)
        order = traveller.place(first, second)
        event = {
            "source": "ops-feed",
            "eventId": f"late-{traveller.number}",
            "flight": first["flight"],
            "flightDate": first["flightDate"],
            "departureAirport": "LHR",
            "occurredAt": rfc3339(SystemClock().now()),
            "status": "delayed",
            "estimatedDeparture": rfc3339(traveller.departs_at + timedelta(hours=4)),
            "reason": "fog",
        }

        taken = [traveller.http.post(f"{PRIVATE}/flight-events", json=event) for _ in range(2)]
        late = traveller.until(
            lambda: traveller.read(order["id"]), lambda seen: seen["items"][0]["status"] == "delayed"
        )
        instead = traveller.segment("instead", "FRA-SIN", after_hours=9, flight=2)
        after = traveller.act(f"{order['id']}/items/second/status", status="rebooked", replacement=instead)
        held = traveller.until(lambda: traveller.held(order["id"]), lambda seen: seen["version"] == after["version"])

        assert [answer.status_code for answer in taken] == [202, 202]
        assert late["items"][0]["statusDetails"]["delayMinutes"] == 240
        assert [item["status"] for item in after["items"]] == ["delayed", "rebooked", "onTime"]
        assert traveller.timeline() == ["placed", "flightDelayed", "flightRebooked"]
        assert held["subject"] == "ORDER"
        assert [(item["ITEM-ID"], item["STATUS"]) for item in held["record"]["ITEMS"][:3]] == [
            ("first", "delayed"),
            ("second", "rebooked"),
            ("instead", "onTime"),
        ]
        assert held["record"]["ITEMS"][1]["REBOOKED-TO"] == "instead"
        assert held["record"]["ITEMS"][0]["DEPARTS-AT"] == event["estimatedDeparture"]
        applied = [version for version, outcome in traveller.journal(order["id"]) if outcome == "applied"]
        assert applied == sorted(set(applied))
        assert applied[-1] == 3
