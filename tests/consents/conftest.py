"""A world with one customer, and the way to ask it about consents and subscriptions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import httpx2
import pytest

from lib.clock import rfc3339
from local.faults.taps import When
from local.simulation.world import World

GRANTED = {"state": "granted", "textVersion": "t-1"}
WITHDRAWN = {"state": "withdrawn"}


class _Uncut(Random):
    def randrange(self, *_: object, **__: object) -> int:
        return 1


@dataclass
class Desk:
    """Asks about one customer, publicly and privately."""

    world: World
    http: httpx2.AsyncClient
    customer: str
    calls: list[str] = field(default_factory=list[str])

    def path(self, rest: str, *, private: bool = False) -> str:
        return f"/api/{'private/' if private else ''}v1/customers/{self.customer}/{rest}"

    def whole_pages(self) -> None:
        """Let the twin return no short pages, where storage calls are counted."""
        for name in ("customers", "subscriptiongroups"):
            self.world.storage._table(name)._random = _Uncut()
        self.calls.clear()

    async def say(self, said: dict[str, Any], *, purpose: str = "marketing", channel: str = "email") -> httpx2.Response:
        """Say something as the customer does, over what is there."""
        path = self.path(f"consents/{purpose}/{channel}")
        tag = (await self.http.get(path)).headers["etag"]
        return await self.http.put(path, json=said, headers={"If-Match": tag})

    async def capture(
        self, state: str, *, days_ago: float, purpose: str = "marketing", channel: str = "email", **more: Any
    ) -> httpx2.Response:
        """Record what was captured some days ago."""
        path = self.path(f"consents/{purpose}/{channel}", private=True)
        tag = (await self.http.get(path)).headers["etag"]
        at = rfc3339(self.world.clock.now() - timedelta(days=days_ago))
        body = {"state": state, "captured": {"how": "import", "at": at}, **more}
        if state == "granted":
            body.setdefault("textVersion", "t-1")
        return await self.http.put(path, json=body, headers={"If-Match": tag})

    async def state(self, query: str = "", *, purpose: str = "marketing", channel: str = "email") -> str:
        answer = await self.http.get(self.path(f"consents/{purpose}/{channel}{query}"))
        assert answer.status_code == 200, answer.text
        return answer.json()["state"]

    async def decision(self, *, purpose: str = "marketing", channel: str = "email", at: str = "") -> dict[str, Any]:
        query = f"consents/decision?purpose={purpose}&channel={channel}" + (f"&at={at}" if at else "")
        answer = await self.http.get(self.path(query, private=True))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def history(self, *, purpose: str = "marketing", channel: str = "email") -> list[dict[str, Any]]:
        address: str | None = self.path(f"consents/{purpose}/{channel}/history?limit=2", private=True)
        found: list[dict[str, Any]] = []
        while address:
            page = (await self.http.get(address)).json()
            found += page["items"]
            address = page["next"]
        return found

    async def define(self, group: str = "offers", **details: Any) -> httpx2.Response:
        """Define a subscription group."""
        body = {"name": "Offers", "purpose": "marketing", "channel": "email", "doubleOptIn": True, **details}
        return await self.http.put(
            f"/api/private/v1/subscription-groups/{group}", json=body, headers={"If-None-Match": "*"}
        )

    async def subscription(self, group: str = "offers", *, private: bool = False) -> dict[str, Any]:
        answer = await self.http.get(self.path(f"subscriptions/{group}", private=private))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def choose(self, state: str, group: str = "offers", *, private: bool = False) -> httpx2.Response:
        """Subscribe or unsubscribe over what is there."""
        path = self.path(f"subscriptions/{group}", private=private)
        tag = (await self.http.get(path)).headers["etag"]
        return await self.http.put(path, json={"state": state, "how": "web"}, headers={"If-Match": tag})

    async def token(self, group: str = "offers") -> str:
        """Return the token that a confirmation message would carry."""
        return (await self.subscription(group, private=True))["confirmation"]["token"]

    async def confirm(self, token: str, **headers: str) -> httpx2.Response:
        return await self.http.post("/api/v1/subscription-confirmations", json={"token": token}, headers=headers)

    async def timeline(self) -> list[str]:
        """Return the kinds of the entries about consents, newest first."""
        page = await self.world.storage.table("customers").page(
            self.customer, from_key="timeline~", below_key="timeline\x7f", where={"type": "consent"}
        )
        return [str(row.values["kind"]) for row in page.rows]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        found = Desk(world, http, made.json()["id"])

        async def listen(point: str, when: When) -> None:
            if when is When.BEFORE:
                found.calls.append(point)

        world.tap = listen
        yield found
