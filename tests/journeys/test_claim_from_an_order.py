"""A claim from an order item, answered, resolved and reopened, through the real host. Features 30, 40, 41 and 49."""

from tests.journeys.travelling import PRIVATE, Traveller


class TestClaimFromAnOrder:
    def test_is_shown_by_the_order_until_the_customer_is_content(self, traveller: Traveller) -> None:
        """Feature 30: a case is opened from an order item, and the order shows its cases."""
        order = traveller.place(
            traveller.segment("out", "LHR-LIS"), traveller.segment("back", "LIS-LHR", after_hours=48)
        )
        traveller.act(f"{order['id']}/items/out/status", status="cancelled")
        own = f"/api/v1/customers/{traveller.customer_id}"
        staff = f"{PRIVATE}/customers/{traveller.customer_id}"
        claim = {
            "type": "claim",
            "subject": "My flight was cancelled",
            "about": {"orderId": order["id"], "itemIds": ["out"]},
        }

        opened = [
            traveller.http.post(f"{own}/cases", json=claim, headers={"Idempotency-Key": order["id"]}) for _ in range(2)
        ]
        case = opened[0].json()["id"]
        asked = traveller.http.post(f"{staff}/cases/{case}/comments", json={"text": "Which hotel did you take?"})
        traveller.http.post(f"{staff}/cases/{case}/state", json={"state": "waitingCustomer"})
        noted = {"text": "Knows our rules well.", "visibility": "internal"}
        traveller.http.post(f"{staff}/cases/{case}/comments", json=noted)
        answered = traveller.http.post(f"{own}/cases/{case}/comments", json={"text": "The one at the airport."})
        after_answer = traveller.http.get(f"{staff}/cases/{case}").json()
        unresolved = traveller.http.post(f"{staff}/cases/{case}/state", json={"state": "closed"})
        resolution = {"code": "solved", "text": "We pay for the hotel."}
        resolved = traveller.http.post(
            f"{staff}/cases/{case}/state",
            json={"state": "resolved", "resolution": resolution},
            headers={"If-Match": f'"{after_answer["version"]}-private"'},
        )
        reopened = traveller.http.post(f"{own}/cases/{case}/reopen", json={"reason": "nothing came"})
        shown = traveller.http.get(f"{own}/orders/{order['id']}/cases").json()["items"]

        assert [answer.status_code for answer in opened] == [201, 201]
        assert opened[0].json() == opened[1].json()
        assert opened[0].json()["items"][0]["status"] == "cancelled"
        assert (asked.status_code, answered.status_code) == (201, 201)
        assert after_answer["state"] == "open"
        assert unresolved.status_code == 422
        assert (resolved.status_code, resolved.json()["resolution"]) == (200, resolution)
        assert (reopened.status_code, reopened.json()["state"]) == (200, "open")
        assert [(one["id"], one["state"], one["itemIds"]) for one in shown] == [(case, "open", ["out"])]
        words = traveller.http.get(f"{own}/cases/{case}/comments").json()["items"]
        assert [(one["author"], one["text"]) for one in words] == [
            ("staff", "Which hotel did you take?"),
            ("customer", "The one at the airport."),
        ]
        told = traveller.http.get(f"{own}/timeline", params={"type": "case"}).json()["items"]
        assert {entry["kind"] for entry in told} == {"opened", "waitingCustomer", "commented", "resolved", "reopened"}
        held = traveller.until(lambda: traveller.held(order["id"]), lambda seen: seen["version"] == 2)
        assert held["subject"] == "ORDER"
