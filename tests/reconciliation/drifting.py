"""A world with customers on both sides, and ways to make the sides drift apart."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2

from lib.changes.operation import Operation
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.mainframe.undelivered import Undelivered, WaitState
from lib.messaging.catalogue import Subject
from local.faults.taps import When
from local.simulation.world import World

ROOT = "/api/private/v1/reconciliations"
DRIFTS = ("behind", "ahead", "missing", "unknownToUs", "rejected")


async def calm(point: str, when: When) -> None: ...


@dataclass
class Sides:
    """Our side, the mainframe's, and somebody in operations."""

    world: World
    http: httpx2.AsyncClient
    created: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def create(self, count: int = 1, *, keyed: bool = True) -> list[str]:
        """Create customers that the mainframe holds too; keyed ids are spread evenly, the others by time."""
        made: list[str] = []
        for _ in range(count):
            self.created += 1
            name = f"opr_{self.created}"
            operation = Operation(
                name="create_customer", id=name, attempt=name, actor="test", fingerprint="f" if keyed else None
            )
            details = CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com"})
            made.append((await self.world.platform.customers.create(details=details, operation=operation)).entity_id)
        await self.world.settle(seconds=4)
        return made

    async def settled(self, count: int, *, keyed: bool = True) -> list[str]:
        """Create customers long ago."""
        made = await self.create(count, keyed=keyed)
        self.world.clock.advance(3600)
        return made

    async def amend(self, customer_id: str, version: int) -> None:
        """Change a customer."""
        name = self.world.platform.ids.new("att")
        await self.world.platform.customers.amend(
            customer_id=customer_id,
            patch=CustomerPatch.model_validate({"title": f"T{version}"}),
            expected_version=version,
            operation=Operation(name="update_customer", id=name, attempt=name, actor="test"),
        )

    def mainframe_forgets(self, customer_id: str) -> None:
        """Take a customer from the mainframe, as a restored backup would."""
        del self.world.mainframe.inner._held["CUSTOMER", customer_id]

    async def mainframe_holds(self, key: str, version: int) -> None:
        """Make the mainframe hold a version, whatever it held."""
        self.world.mainframe.inner._held.pop(("CUSTOMER", key), None)
        await self.world.mainframe.inner.update(subject="CUSTOMER", key=key, version=version, trace="", body=b"")

    async def lose_change(self, customer_id: str) -> None:
        """Change a customer, and lose the message that would tell the mainframe."""
        await self.amend(customer_id, 1)
        self.world.clock.advance(3)
        queue = self.world.storage.queue("changes")
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)
        self.world.clock.advance(3600)

    async def park(self, customer_id: str) -> None:
        """Change a customer that then waits for the road to open."""
        await self.lose_change(customer_id)
        await self.world.platform.undelivered.put(
            Undelivered(
                subject=Subject.CUSTOMER,
                id=customer_id,
                version=2,
                accepted_at=self.world.clock.now(),
                state=WaitState.RETRYING,
                attempts=1,
                next_attempt_at=self.world.clock.now() + timedelta(hours=5),
                reason="busy",
                trace="",
            )
        )

    async def start(self, *, key: str | None = None, **fields: object) -> httpx2.Response:
        """Start a reconciliation, of customers when nothing else is said."""
        headers = {"X-Actor": "m.okafor"} | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(ROOT, json={"subjects": ["customer"], **fields}, headers=headers)

    async def look(self, reconciliation_id: str) -> dict[str, Any]:
        """Look at one; its counts must add up at every look."""
        tap, self.world.tap = self.world.tap, calm  # whatever goes wrong does so for the others
        shown = (await self.http.get(f"{ROOT}/{reconciliation_id}")).json()
        self.world.tap = tap
        counts = shown["counts"]
        assert counts["compared"] == counts["inStep"] + counts["inFlight"] + sum(counts[kind] for kind in DRIFTS)
        self.seen.append(shown)
        return shown

    async def ended(self, reconciliation_id: str, *, within_seconds: float = 600) -> dict[str, Any]:
        """Let time go on until one has ended."""
        for _ in range(int(within_seconds)):
            shown = await self.look(reconciliation_id)
            if "endedAt" in shown:
                return shown
            await self.world.settle(seconds=1)
        raise AssertionError(self.seen[-1])

    async def run(self, **fields: object) -> dict[str, Any]:
        """Start one and let it end."""
        return await self.ended((await self.start(**fields)).json()["id"])

    async def result(self, reconciliation_id: str, *, limit: int = 10_000) -> list[dict[str, Any]]:
        """Download everything that drifted."""
        found: list[dict[str, Any]] = []
        following: str | None = f"{ROOT}/{reconciliation_id}/result?limit={limit}"
        while following:
            answer = await self.http.get(following)
            assert answer.headers["content-type"] == "application/x-ndjson"
            found += [json.loads(line) for line in answer.text.splitlines()]
            following = answer.links["next"]["url"] if "next" in answer.links else None
        return found

    async def listed(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """List all reconciliations."""
        found: list[dict[str, Any]] = []
        following: str | None = f"{ROOT}?limit={limit}"
        while following:
            page = (await self.http.get(following)).json()
            found += page["items"]
            following = page["next"]
        return found

    async def drifted(self, reconciliation_id: str) -> dict[str, str]:
        """Return what drifted how."""
        return {line["id"]: line["drift"] for line in await self.result(reconciliation_id)}
