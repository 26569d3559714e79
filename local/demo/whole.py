"""The rest of one customer's life: preferences, consent, an order, a case, a call, and all of it on one timeline."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from local.demo.client import Answer, Client, NotAsPromisedError

_MERGE_PATCH: Final = {"Content-Type": "application/merge-patch+json"}
_CARD: Final = "4111 1111 1111 1111"


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer to do things with: the address of its public and of its private resources, and the key for those."""

    client: Client
    api: str
    customer_id: str
    key: dict[str, str]

    def public(self, rest: str) -> str:
        """Return a public address of this customer."""
        return f"{self.api}/api/v1/customers/{self.customer_id}{rest}"

    def private(self, rest: str) -> str:
        """Return a private address of this customer."""
        return f"{self.api}/api/private/v1/customers/{self.customer_id}{rest}"


@dataclass
class WholeStory:
    """What happens to a customer beside its profile. `visit` is asked when the first step begins."""

    visit: Callable[[], Visit]
    _run: str = field(default_factory=lambda: secrets.token_hex(4), init=False)
    _order: dict[str, Any] = field(default_factory=dict[str, Any], init=False)
    _case: dict[str, Any] = field(default_factory=dict[str, Any], init=False)

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the steps with their titles."""
        return [
            ("The customer likes window seats and vegetarian meals", self._prefer),
            ("The customer allows marketing by e-mail", self._consent),
            ("The customer takes that back, as easily", self._withdraw),
            ("A flight is booked; the meal is filled in from the preferences", self._book),
            ("A case is opened from the booked flight, and the order shows it", self._claim),
            ("The case is not closed without a resolution; with one, it is resolved", self._resolve),
            ("The customer answers, and the case is open again", self._answer),
            ("A call is recorded; the card number said in it is not kept", self._call),
            ("The same event told again is the same record", self._call_again),
            ("The customer is found by e-mail", self._find),
            ("All of it stands on one timeline", self._look_back),
        ]

    def _prefer(self) -> None:
        visit = self.visit()
        before = visit.client.ask("GET", visit.public("/preferences")).require(200)
        wishes = {"seat": {"position": "window"}, "meal": {"code": "VGML"}}
        headers = {**_MERGE_PATCH, "If-Match": before.header("ETag")}
        after = visit.client.ask("PATCH", visit.public("/preferences"), body=wishes, headers=headers).require(200)
        _same("meal", after.json().get("meal", {}).get("code"), "VGML")

    def _consent(self) -> None:
        self._say({"state": "granted", "textVersion": "marketing-2026-03", "how": "web"}, allowed=True)

    def _withdraw(self) -> None:
        self._say({"state": "withdrawn"}, allowed=False)

    def _say(self, said: dict[str, Any], *, allowed: bool) -> None:
        visit = self.visit()
        address = visit.public("/consents/marketing/email")
        before = visit.client.ask("GET", address, quietly=True).require(200)
        visit.client.ask("PUT", address, body=said, headers={"If-Match": before.header("ETag")}).require(200)
        decision = visit.private("/consents/decision?purpose=marketing&channel=email")
        _same("allowed", visit.client.ask("GET", decision, headers=visit.key).require(200).json()["allowed"], allowed)

    def _book(self) -> None:
        visit = self.visit()
        booked = visit.client.ask("POST", visit.public("/orders"), body=_trip()).require(201)
        self._order = booked.json()
        filled = {one["field"]: one["value"] for one in self._order.get("filledIn", [])}
        _same("meal that was filled in", filled.get("meal"), {"code": "VGML"})

    def _claim(self) -> None:
        visit = self.visit()
        about = {"orderId": self._order["id"], "itemIds": [self._order["items"][0]["id"]]}
        wish = {"type": "request", "subject": "A seat beside my daughter", "about": about}
        self._case = visit.client.ask("POST", visit.public("/cases"), body=wish).require(201).json()
        shown = visit.client.ask("GET", visit.public(f"/orders/{self._order['id']}/cases")).require(200).json()
        _same("cases of the order", [one["id"] for one in shown["items"]], [self._case["id"]])

    def _resolve(self) -> None:
        visit = self.visit()
        address = visit.private(f"/cases/{self._case['id']}/state")
        visit.client.ask("POST", address, body={"state": "closed"}, headers=visit.key).require(422)
        settled = {"state": "resolved", "resolution": {"code": "solved", "text": "You have 12A and 12B."}}
        after = visit.client.ask("POST", address, body=settled, headers=visit.key).require(200).json()
        _same("state of the case", after.get("state"), "resolved")

    def _answer(self) -> None:
        visit = self.visit()
        case = visit.public(f"/cases/{self._case['id']}")
        visit.client.ask("POST", f"{case}/comments", body={"text": "There is no row 12."}).require(201)
        after = visit.client.ask("GET", case).require(200).json()
        _same("state of the case", after.get("state"), "open")

    def _call(self) -> None:
        kept = self._record().require(201).json()
        if _CARD in str(kept) or "*" not in str(kept.get("body")):
            raise NotAsPromisedError("expected a card number that is masked")

    def _call_again(self) -> None:
        _same("answered again", self._record().require(200).status, 200)

    def _find(self) -> None:
        visit = self.visit()
        mail = visit.client.ask("GET", visit.public(""), quietly=True).require(200).json()["email"]
        address = f"{visit.api}/api/private/v1/customers/lookup?identifier=email:{mail}"
        found = visit.client.ask("GET", address, headers=visit.key).require(200).json()
        _same("who was found", [one["id"] for one in found["items"]], [visit.customer_id])

    def _look_back(self) -> None:
        visit = self.visit()
        told = visit.client.ask("GET", visit.private("/timeline"), headers=visit.key).require(200).json()
        types = {one["type"] for one in told["items"]}
        _same("what it tells about", types, {"profile", "preference", "consent", "interaction", "order", "case"})

    def _record(self) -> Answer:
        visit = self.visit()
        event = {
            "kind": "call",
            "channel": "phone",
            "direction": "inbound",
            "happenedAt": "2026-03-02T09:30:00Z",
            "subject": "Payment",
            "body": f"Read out a card, {_CARD}, and asked for a receipt.",
            "source": {"system": "telephony", "eventId": f"demo-{self._run}"},
            "references": {"orderId": self._order["id"], "caseId": self._case["id"]},
        }
        return visit.client.ask("POST", visit.private("/interactions"), body=event, headers=visit.key)


def _trip() -> dict[str, Any]:
    fare = {"amount": "420.00", "currency": "EUR"}
    return {
        "currency": "EUR",
        "passengers": [{"id": "P1", "lastName": "Lovelace", "isCustomer": True}],
        "items": [
            {
                "kind": "flightSegment",
                "bookingReference": "K7QX2M",
                "flight": "IM204",
                "flightDate": "2031-06-01",
                "departureAirport": "LHR",
                "arrivalAirport": "JFK",
                "scheduledDeparture": "2031-06-01T09:00:00Z",
                "scheduledArrival": "2031-06-01T17:00:00Z",
                "cabinClass": "economy",
                "bookingClass": "Y",
                "unitPrice": fare,
                "travellers": [{"passengerId": "P1"}],
            }
        ],
    }


def _same(name: str, came: object, expected: object) -> None:
    if came != expected:
        raise NotAsPromisedError(f"{name}: expected {expected!r}, got {came!r}")
