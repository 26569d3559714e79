"""The mainframe is down while an order changes three times: afterwards it holds the newest, once. Features 85, 86."""

from tests.journeys.travelling import Traveller


class TestOutage:
    def test_leaves_one_effect_at_the_newest_version(self, traveller: Traveller) -> None:
        order = traveller.place(traveller.segment("out", "LHR-JFK"))
        traveller.until(lambda: traveller.held(order["id"]), lambda seen: seen["version"] == 1)
        traveller.control.put("/faults", json={"kind": "refuse"})

        for number in range(3):
            details = {"reason": f"change {number}"}
            traveller.act(f"{order['id']}/items/out/status", status="onTime", details=details)
        down = traveller.until(
            lambda: traveller.delivery(order["id"]), lambda seen: seen["state"] in {"parked", "retrying"}
        )
        traveller.control.delete("/faults")
        traveller.until(lambda: traveller.delivery(order["id"]), lambda seen: seen["state"] == "inSync")

        assert (down["version"], down["acknowledgedVersion"]) == (4, 1)
        assert traveller.journal(order["id"]) == [(1, "applied"), (4, "applied")]
        assert traveller.held(order["id"])["version"] == 4
