"""Customers are found by the tickets and booking references of their orders. Feature 2."""

from lib.orders.identifiers import identifiers_of
from tests.orders.support import ADA, Desk, order, segment

TICKET = "1252345678901"


def ticketed(**fields: object) -> dict[str, object]:
    return segment(bookingReference="K7QX2M", travellers=[{"passengerId": "P1", "ticketNumber": TICKET}], **fields)


class TestIdentifiersOf:
    def test_customers_own_tickets_come_first(self) -> None:
        bob = {"id": "P0", "lastName": "Babbage"}
        travellers = [
            {"passengerId": "P0", "ticketNumber": "1252345678902"},
            {"passengerId": "P1", "ticketNumber": TICKET},
        ]
        made = order(segment(bookingReference="K7QX2M", travellers=travellers), passengers=[bob, ADA])

        found = [str(one) for one in identifiers_of(made.json_values())]

        assert found == [f"ticket:{TICKET}", "ticket:1252345678902", "pnr:K7QX2M"]

    def test_of_an_order_without_flights_are_none(self) -> None:
        made = order({"kind": "retailPurchase", "sku": "W"})

        assert list(identifiers_of(made.json_values())) == []


class TestLookup:
    async def test_finds_the_customer_until_the_ticket_is_gone(self, desk: Desk) -> None:
        placed = await desk.place(ticketed())
        await desk.world.settle(seconds=10)

        found = [await self._lookup(desk, f"ticket:{TICKET}"), await self._lookup(desk, "pnr:K7QX2M")]
        await desk.patch(placed["id"], 1, items=[segment()])
        await desk.world.settle(seconds=10)

        assert found == [[desk.customer_id], [desk.customer_id]]
        assert await self._lookup(desk, f"ticket:{TICKET}") == []

    async def _lookup(self, desk: Desk, identifier: str) -> list[str]:
        answer = await desk.http.get("/api/private/v1/customers/lookup", params={"identifier": identifier})
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]
