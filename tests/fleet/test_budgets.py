"""Promises about every operation at once: how many calls to storage it may make."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx2
import pytest

from local.faults.taps import When
from local.simulation.world import World

CUSTOMERS = "/api/v1/customers"
PRIVATE = "/api/private/v1/customers"
BODY = {"lastName": "Lovelace", "email": "ada@example.com"}
CALL = {"kind": "call", "channel": "phone", "happenedAt": "2025-12-31T09:00:00Z"}
CASE = {"type": "question", "subject": "May I bring a cello?"}
COMPLAINT = {"kind": "complaint", "text": "The bag came two days late."}


@dataclass
class Counted:
    http: httpx2.AsyncClient
    customer: str
    calls: list[str] = field(default_factory=list[str])

    @property
    def private(self) -> str:
        return f"{PRIVATE}/{self.customer}"

    async def create(self, **fields: Any) -> httpx2.Response:
        return await self.http.post(CUSTOMERS, json={**BODY, **fields})

    async def read(self, **headers: str) -> httpx2.Response:
        return await self.http.get(f"{CUSTOMERS}/{self.customer}", headers=headers)

    async def patch(self) -> httpx2.Response:
        address = f"{CUSTOMERS}/{self.customer}"
        return await self.http.patch(address, json={"title": "Dr"}, headers={"If-Match": '"1-public"'})

    async def list_page(self) -> httpx2.Response:
        return await self.http.get("/api/private/v1/customers")


Ask: TypeAlias = Callable[[Counted], Awaitable[httpx2.Response]]

BUDGETS: dict[str, tuple[int, Ask]] = {
    "read": (1, Counted.read),
    "read that is not modified": (1, lambda counted: counted.read(**{"If-None-Match": '"1-public"'})),
    "list page": (1, Counted.list_page),
    "patch": (3, Counted.patch),
    "create": (2, Counted.create),
    "create with a key": (2, lambda counted: counted.http.post(CUSTOMERS, json=BODY, headers={"Idempotency-Key": "k"})),
    "create with three unique values": (
        5,
        lambda counted: counted.create(
            loyalty={"number": "IO-1"}, externalIds=[{"system": "crm", "id": "1"}, {"system": "crm", "id": "2"}]
        ),
    ),
    "interaction": (2, lambda counted: counted.http.post(f"{counted.private}/interactions", json=CALL)),
    "feedback": (2, lambda counted: counted.http.post(f"{CUSTOMERS}/{counted.customer}/feedback", json=COMPLAINT)),
    "case": (3, lambda counted: counted.http.post(f"{counted.private}/cases", json=CASE)),
    "customer's own list of cases": (2, lambda counted: counted.http.get(f"{CUSTOMERS}/{counted.customer}/cases")),
    "timeline page": (1, lambda counted: counted.http.get(f"{counted.private}/timeline")),
    "customer's own timeline page": (1, lambda counted: counted.http.get(f"{CUSTOMERS}/{counted.customer}/timeline")),
}


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post(CUSTOMERS, json=BODY)
        found = Counted(http, made.json()["id"])

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                found.calls.append(point)

        world.tap = listen
        yield found


class TestOperations:
    @pytest.mark.parametrize("operation", BUDGETS)
    async def test_keep_their_budget_of_storage_calls(self, counted: Counted, operation: str) -> None:
        budget, ask = BUDGETS[operation]

        answer = await ask(counted)

        assert answer.status_code < 400
        assert len(counted.calls) == budget, counted.calls
