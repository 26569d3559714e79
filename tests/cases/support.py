"""The desk at which the tests open cases and look after them."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.orders.support import Desk

NOWHERE = "01KAJ8W8Q9V3D0W3W7S2F5R3YT"


def claim(**fields: Any) -> dict[str, Any]:
    return {"type": "claim", "subject": "My bag came two days late", **fields}


@dataclass
class CaseDesk(Desk):
    """A world, a customer, and the API to order at and to open cases."""

    calls: list[str] = field(default_factory=list[str])

    @property
    def own(self) -> str:
        return f"/api/v1/customers/{self.customer_id}/cases"

    @property
    def cases(self) -> str:
        return f"/api/private/v1/customers/{self.customer_id}/cases"

    async def open(self, **fields: Any) -> dict[str, Any]:
        """Open a case as staff do."""
        answer = await self.http.post(self.cases, json=claim(**fields), headers={"X-Actor": "m.okafor"})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def case(self, case_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"{self.cases}/{case_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def move(self, case_id: str, state: str, **fields: Any) -> httpx2.Response:
        headers = {"X-Actor": "m.okafor"}
        return await self.http.post(f"{self.cases}/{case_id}/state", json={"state": state, **fields}, headers=headers)

    async def resolve(self, case_id: str) -> dict[str, Any]:
        answer = await self.move(case_id, "resolved", resolution={"code": "solved", "text": "We sent it on."})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def say(self, case_id: str, text: str = "It is still not here.") -> httpx2.Response:
        """Write in a case as the customer does."""
        return await self.http.post(f"{self.own}/{case_id}/comments", json={"text": text})

    async def note(self, case_id: str, text: str, **fields: Any) -> httpx2.Response:
        """Write in a case as staff do."""
        headers = {"X-Actor": "m.okafor"}
        return await self.http.post(f"{self.cases}/{case_id}/comments", json={"text": text, **fields}, headers=headers)

    async def amend(self, case_id: str, version: int, **fields: Any) -> httpx2.Response:
        headers = {"If-Match": f'"{version}-private"', "X-Actor": "m.okafor"}
        return await self.http.patch(f"{self.cases}/{case_id}", json=fields, headers=headers)

    async def all(self, address: str) -> list[dict[str, Any]]:
        """Return the items of every page of a list."""
        found: list[dict[str, Any]] = []
        following: str | None = address
        while following is not None:
            answer = await self.http.get(following)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            following = answer.json()["next"]
        return found

    async def told(self, *, public: bool = False) -> list[tuple[str, str]]:
        """Return what the timeline tells of cases, the first first."""
        folder = "/api/v1" if public else "/api/private/v1"
        entries = await self.all(f"{folder}/customers/{self.customer_id}/timeline?type=case")
        return [(entry["kind"], entry["summary"]) for entry in reversed(entries)]
