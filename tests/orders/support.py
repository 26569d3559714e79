"""What the tests of orders order, and the desk at which they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from lib.clock import rfc3339
from lib.orders.models import Order, OrderDetails
from lib.orders.rules import placed
from local.simulation.world import World

ADA = {"id": "P1", "type": "adult", "firstName": "Ada", "lastName": "Lovelace", "isCustomer": True}
NEW_YEAR = datetime.fromisoformat("2026-01-01T00:00:00Z")


def segment(departs_at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    departure = departs_at or NEW_YEAR + timedelta(days=30)
    return {
        "kind": "flightSegment",
        "id": "out",
        "flight": "IM204",
        "flightDate": departure.date().isoformat(),
        "departureAirport": "LHR",
        "arrivalAirport": "JFK",
        "scheduledDeparture": rfc3339(departure),
        "scheduledArrival": rfc3339(departure + timedelta(hours=8)),
        "travellers": [{"passengerId": "P1"}],
        **fields,
    }


def widget(**fields: Any) -> dict[str, Any]:
    price = {"amount": "19.90", "currency": "EUR"}
    return {"kind": "product", "family": "widget", "sku": "WID-200", "quantity": 2, "unitPrice": price, **fields}


def body(*items: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"currency": "EUR", "passengers": [ADA], "items": list(items or (segment(),)), **fields}


def order(*items: Mapping[str, Any], **fields: Any) -> Order:
    details = OrderDetails.model_validate(body(*items, **fields))
    return placed(details, order_id="ord_" + "0" * 26, customer_id="cus_" + "0" * 26, at=NEW_YEAR)


def problem(answer: httpx2.Response) -> str:
    """Return the name of the problem that was answered."""
    return str(answer.json()["type"]).rpartition(":")[2]


@dataclass
class Desk:
    """A world, a customer, and the API to order at."""

    world: World
    http: httpx2.AsyncClient
    customer_id: str

    @property
    def public(self) -> str:
        return f"/api/v1/customers/{self.customer_id}/orders"

    @property
    def private(self) -> str:
        return f"/api/private/v1/customers/{self.customer_id}/orders"

    async def place(self, *items: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        answer = await self.http.post(self.public, json=body(*items, **fields))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def read(self, order_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"{self.private}/{order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def act(self, order_id: str, action: str, **fields: Any) -> httpx2.Response:
        return await self.http.post(f"{self.private}/{order_id}/{action}", json={"reason": "test", **fields})

    async def status(self, order_id: str, item_id: str, status: str, **fields: Any) -> httpx2.Response:
        return await self.act(order_id, f"items/{item_id}/status", status=status, **fields)

    async def patch(self, order_id: str, version: int, **fields: Any) -> httpx2.Response:
        return await self.http.patch(
            f"{self.private}/{order_id}",
            json={"reason": "test", **fields},
            headers={"If-Match": f'"{version}-private"', "X-Actor": "m.okafor"},
        )

    async def prefer(self, version: int, **preferences: Any) -> None:
        answer = await self.http.patch(
            f"/api/v1/customers/{self.customer_id}/preferences",
            json=preferences,
            headers={"If-Match": f'"{version}-public"'},
        )
        assert answer.status_code == 200, answer.text

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        """Return all pages of a list."""
        address: str | None = f"{self.public}?{httpx2.QueryParams(query)}"
        found: list[dict[str, Any]] = []
        while address is not None:
            answer = await self.http.get(address)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            address = answer.json()["next"]
        return found

    async def timeline(self) -> list[tuple[str, str]]:
        page = await self.world.storage.table("customers").page(
            self.customer_id, from_key="timeline~", below_key="timeline\x7f"
        )
        return [
            (str(row.values["kind"]), str(row.values["entry"])) for row in page.rows if row.values["type"] == "order"
        ]
