"""What journeys with orders do at a running copy: somebody travels, and the mainframe is watched."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from lib.clock import SystemClock, rfc3339

SECONDS = 90.0
PRIVATE = "/api/private/v1"


@dataclass
class Traveller:
    """A customer of the running copy, with a flight number that nobody else uses."""

    http: httpx2.Client
    control: httpx2.Client
    customer_id: str
    number: int
    departs_at: datetime

    @classmethod
    def arrive(cls, http: httpx2.Client, control: httpx2.Client) -> "Traveller":
        """Become a customer."""
        person = {"lastName": "Lovelace", "email": f"{secrets.token_hex(6)}@example.com"}
        made = http.post("/api/v1/customers", json=person)
        assert made.status_code == 201, made.text
        departs_at = SystemClock().now().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=20)
        return cls(http, control, made.json()["id"], secrets.randbelow(8000) + 1000, departs_at)

    @property
    def orders(self) -> str:
        return f"{PRIVATE}/customers/{self.customer_id}/orders"

    def segment(self, item_id: str, route: str, *, after_hours: float = 0, flight: int = 0) -> dict[str, Any]:
        """Return a flight of two hours between two airports."""
        departure = self.departs_at + timedelta(hours=after_hours)
        return {
            "kind": "flightSegment",
            "id": item_id,
            "flight": f"IM{self.number + flight}",
            "flightDate": departure.date().isoformat(),
            "departureAirport": route[:3],
            "arrivalAirport": route[4:],
            "scheduledDeparture": rfc3339(departure),
            "scheduledArrival": rfc3339(departure + timedelta(hours=2)),
            "travellers": [{"passengerId": "P1"}],
        }

    def place(self, *segments: dict[str, Any]) -> dict[str, Any]:
        """Order flights."""
        passenger = {"id": "P1", "lastName": "Lovelace", "isCustomer": True}
        body = {"currency": "EUR", "passengers": [passenger], "items": list(segments)}
        made = self.http.post(f"/api/v1/customers/{self.customer_id}/orders", json=body)
        assert made.status_code == 201, made.text
        return made.json()

    def act(self, path: str, **fields: Any) -> dict[str, Any]:
        """Do something to an order as staff."""
        done = self.http.post(f"{self.orders}/{path}", json={"reason": "journey", **fields})
        assert done.status_code == 200, done.text
        return done.json()

    def read(self, order_id: str) -> dict[str, Any]:
        return self.http.get(f"{self.orders}/{order_id}").json()

    def held(self, order_id: str) -> dict[str, Any]:
        """Return what the mainframe holds of an order; version 0 for nothing."""
        answer = self.control.get(f"/master/{order_id}")
        return answer.json() if answer.status_code == 200 else {"version": 0}

    def delivery(self, order_id: str) -> dict[str, Any]:
        return self.http.get(f"{self.orders}/{order_id}/deliveries/mainframe").json()

    def journal(self, order_id: str) -> list[tuple[int, str]]:
        """Return the versions that reached the mainframe, and what became of each."""
        rows = self.control.get("/journal", params={"key": order_id, "limit": 1000}).json()["items"]
        return [(row["version"], row["outcome"]) for row in rows]

    def timeline(self) -> list[str]:
        """Return what the timeline tells of orders, oldest first."""
        address = f"{PRIVATE}/customers/{self.customer_id}/timeline"
        page = self.http.get(address, params={"type": "order"})
        assert page.status_code == 200, page.text
        return [entry["kind"] for entry in page.json()["items"]][::-1]

    def until(self, look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
        """Return what is seen as soon as it is as wanted."""
        deadline = time.monotonic() + SECONDS
        while not wanted(seen := look()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)
        return seen
