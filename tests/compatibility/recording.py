"""Records what a release keeps and sends: `python -m tests.compatibility.recording 1.2.0`.

Done once for each release, from its own code, and never again: the recording is what is out there, whatever the code of
today would write. One story is told to the platform in memory, and everything in its tables and queues is written down.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2

from lib.messaging.catalogue import ALL_QUEUES, Subject
from lib.messaging.envelope import WakeUp
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Insert
from lib.wiring import ALL_TABLES
from local.simulation.mainframe import Behaviour
from local.simulation.world import World

RELEASES = Path(__file__).resolve().parent / "releases"
_FULL: dict[str, Any] = {
    "title": "Dr",
    "firstName": "Zoë",
    "middleName": "K.",
    "lastName": "Łukasiewicz",
    "email": "zoe@example.com",
    "phone": "+48221234567",
    "dateOfBirth": "1980-02-29",
    "gender": "female",
    "nationality": "PL",
    "language": "pl",
    "passport": {"number": "EM1234567", "issuingCountry": "PL", "expiresOn": "2031-05-01"},
    "loyalty": {"number": "IO-100", "tier": "gold"},
    "addresses": [
        {"kind": "home", "lines": ["ul. Długa 1"], "city": "Gdańsk", "postalCode": "80-827", "country": "PL"}
    ],
    "externalIds": [{"system": "crm", "id": "4711"}],
}
FULL_KEY = "compatibility"


class Teller:
    """Tells the story over HTTP, as callers do."""

    def __init__(self, world: World) -> None:
        self.world = world
        transport = httpx2.ASGITransport(app=world.api)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://platform")

    async def create(self, key: str = "", **person: Any) -> dict[str, Any]:
        """Create a customer."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.client.post("/api/v1/customers", json=person, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def change(self, customer_id: str, **changes: Any) -> dict[str, Any]:
        """Change a customer in the version that is there."""
        path = f"/api/v1/customers/{customer_id}"
        etag = (await self.client.get(path)).headers["ETag"]
        answer = await self.client.patch(path, json=changes, headers={"If-Match": etag})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def create_full(self) -> httpx2.Response:
        """Create the customer with every field, or hear again that it was."""
        return await self.client.post("/api/v1/customers", json=_FULL, headers={"Idempotency-Key": FULL_KEY})


async def record() -> dict[str, Any]:
    """Tell the story, and return everything that is kept."""
    world = await World.build()
    teller = Teller(world)
    full = (await teller.create_full()).json()
    full = await teller.change(full["id"], title="Prof", phone=None)
    refused = await teller.create(lastName="Refused", email="refused@example.com")
    world.mainframe.behave = lambda key, _: Behaviour.REJECT if key == refused["id"] else Behaviour.ANSWER
    await world.settle(seconds=20)
    world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
    waiting = [await teller.create(lastName=f"Waiting {n}", email=f"waiting{n}@example.com") for n in range(7)]
    await world.settle(seconds=20)
    waiting[0] = await teller.change(waiting[0]["id"], lastName="Waiting longer")
    now = world.clock.now()
    promised = WakeUp(
        subject=Subject.CUSTOMER, id=full["id"], version=full["version"], accepted_at=now, deadline=now, trace="t"
    )
    await world.platform.outbox.put(promised)
    return {
        "at": now.isoformat(),
        "full": full,
        "refused": refused["id"],
        "waiting": {customer["id"]: customer["version"] for customer in waiting},
        "tables": {name: _rows(world.storage, name) for name in ALL_TABLES},
        "queues": {name: _messages(world.storage, name) for name in ALL_QUEUES},
    }


async def play(recording: dict[str, Any], storage: MemoryStorage) -> None:
    """Put a recording into storage, as if its release had run there until now."""
    for name, partitions in recording["tables"].items():
        for partition, rows in partitions.items():
            for key, values in rows.items():
                await storage.table(name).write(partition, Insert(key, values))
    for name, bodies in recording["queues"].items():
        for body in bodies:
            await storage.queue(name).send(body)


def _rows(storage: MemoryStorage, table: str) -> dict[str, dict[str, Any]]:
    partitions = storage.table(table)._partitions
    return {
        name: {key: dict(row.values) for key, row in sorted(partition.rows.items())}
        for name, partition in sorted(partitions.items())
        if partition.rows
    }


def _messages(storage: MemoryStorage, queue: str) -> list[str]:
    return [kept.body for kept in storage.queue(queue)._kept.values()]


if __name__ == "__main__":
    RELEASES.mkdir(exist_ok=True)
    target = RELEASES / f"{sys.argv[1]}.json"
    target.write_text(json.dumps(asyncio.run(record()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
