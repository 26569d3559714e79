"""The load: creates, changes, races for one version, repeats of answered requests; every one recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Final

from local.chaos.api import DEFECT_KIND, Api, Reply
from local.chaos.history import History, Kind, Outcome, Write

REJECTED_PREFIX: Final = "refused@"
_REJECTED_SHARE: Final = 0.05
_KEYED_SHARE: Final = 0.6
_CLAIM_SHARE: Final = 0.3
_HOT: Final = 5
_HOT_SHARE: Final = 0.25
_RACERS: Final = 3
_SETTLE_TRIES: Final = 6
_SETTLE_PAUSE_SECONDS: Final = 0.4
_GATE_SECONDS: Final = 0.2


@dataclass
class Load:
    """Issues `operations` writes over `customers` customers from `workers` at once, while `gate` is open."""

    api: Api
    history: History
    random: Random
    operations: int
    customers: int
    gate: Callable[[], bool]
    known: dict[str, int] = field(default_factory=dict[str, int])
    _answered: list[tuple[Write, Mapping[str, Any]]] = field(default_factory=list[tuple[Write, Mapping[str, Any]]])
    _marks: int = 0
    _races: int = 0
    _creating: int = 0

    @property
    def done(self) -> bool:
        """Whether as many writes were asked as were wanted."""
        return len(self.history.writes) >= self.operations

    def stop(self) -> None:
        """Ask no more."""
        self.operations = 0

    async def worker(self, enough: Callable[[], bool]) -> None:
        """Ask one thing after the other until all writes were asked and it is enough."""
        while not (self.done and enough()):
            if not self.gate():
                await asyncio.sleep(_GATE_SECONDS)
                continue
            await self._next()()

    def _next(self) -> Callable[[], Awaitable[None]]:
        few = len(self.known) + self._creating < min(self.customers, 10)
        share = self.customers / max(1, self.operations)
        wanted = len(self.known) + self._creating < self.customers and self.random.random() < share * 1.5
        if few or wanted or not self.known:
            return self._create
        return self.random.choices((self._amend, self._race, self._repeat, self._sample), weights=(80, 5, 8, 7))[0]

    async def _create(self) -> None:
        write = self._write(Kind.CREATE)
        body: dict[str, Any] = {
            "lastName": f"Customer {write.mark}",
            "middleName": write.mark,
            "email": f"{self._mailbox()}@example.com",
        }
        if self.random.random() < _CLAIM_SHARE:
            body["loyalty"] = {"number": f"IO-{write.mark.upper()}", "tier": "gold"}
            body["externalIds"] = [{"system": "chaos", "id": write.mark}]
        self._creating += 1
        try:
            await self._ask(write, body, lambda: self.api.create(body, key=write.key))
        finally:
            self._creating -= 1

    async def _amend(self) -> None:
        customer_id = self._pick()
        await self._amend_at(customer_id, self.known[customer_id], race=None)

    async def _race(self) -> None:
        customer_id, self._races = self._pick(), self._races + 1
        version = self.known[customer_id]
        await asyncio.gather(*(self._amend_at(customer_id, version, race=self._races) for _ in range(_RACERS)))

    async def _amend_at(self, customer_id: str, version: int, *, race: int | None) -> None:
        write = self._write(Kind.AMEND, customer_id=customer_id, expected=version, race=race)
        patch: dict[str, Any] = {"middleName": write.mark}
        if self.random.random() < _REJECTED_SHARE * 2:
            patch["email"] = f"{self._mailbox()}@example.com"
        etag = f'"{version}-public"'
        await self._ask(write, patch, lambda: self.api.amend(customer_id, patch, etag=etag, key=write.key))
        if write.outcome is not Outcome.OK:
            await self._look(customer_id)

    async def _ask(self, write: Write, body: Mapping[str, Any], ask: Callable[[], Awaitable[Reply]]) -> None:
        """Ask; with a key ask again until it is known what became of it, as a careful client does."""
        for round_number in range(_SETTLE_TRIES):
            reply = await ask()
            write.statuses.append(reply.short)
            self.history.counts[f"answered {reply.short}"] += 1
            self.history.counts["defects met"] += DEFECT_KIND in reply.text
            if reply.outcome is Outcome.OK:
                self._keep(write, reply, body)
                return
            # A later refusal says nothing about an earlier try whose answer was lost, but that the key was not used.
            refused = reply.outcome is Outcome.FAILED and reply.status == HTTPStatus.PRECONDITION_FAILED
            if reply.outcome is Outcome.FAILED and (round_number == 0 or (write.key is not None and refused)):
                write.outcome = Outcome.FAILED
                return
            if write.key is None:
                return
            await asyncio.sleep(_SETTLE_PAUSE_SECONDS)

    def _keep(self, write: Write, reply: Reply, body: Mapping[str, Any]) -> None:
        document = reply.json()
        write.outcome, write.answer = Outcome.OK, reply.text
        write.customer_id, write.version = str(document["id"]), int(document["version"])
        self.known[write.customer_id] = max(write.version, self.known.get(write.customer_id, 0))
        if len(write.statuses) > 1:
            self.history.counts["settled by asking again"] += 1
        if write.key is not None:
            self._answered.append((write, body))

    async def _repeat(self) -> None:
        """Ask an answered request again, with the same body and with another one (I13)."""
        if not self._answered:
            return
        write, body = self.random.choice(self._answered)
        same = await self._again(write, body)
        if same.outcome is Outcome.OK:
            self.history.counts["repeats answered"] += 1
            if same.text != write.answer or same.headers.get("idempotency-replayed") != "true":
                self.history.breaches.append(f"I13 {write.mark}: a repeat was answered otherwise")
        other = await self._again(write, {**body, "firstName": "Other"})
        if other.outcome is Outcome.OK:
            self.history.breaches.append(f"I13 {write.mark}: its key was taken with another body")
        elif other.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            self.history.counts["other bodies refused"] += 1

    async def _again(self, write: Write, body: Mapping[str, Any]) -> Reply:
        if write.kind is Kind.CREATE:
            return await self.api.create(body, key=write.key)
        etag = f'"{write.expected}-public"'
        return await self.api.amend(str(write.customer_id), body, etag=etag, key=write.key)

    async def _sample(self) -> None:
        """Look where a delivery stands: what was accepted is acknowledged, on its way or listed (I12)."""
        customer_id = self._pick()
        reply = await self.api.ask("GET", f"/api/private/v1/customers/{customer_id}/deliveries/mainframe")
        if reply.outcome is not Outcome.OK:
            return
        told = reply.json()
        self.history.samples += 1
        version, acknowledged, state = told["version"], told["acknowledgedVersion"], told["state"]
        if (state == "inSync") != (acknowledged >= version):
            self.history.breaches.append(f"I12 {customer_id}: {state} with {acknowledged} of {version} acknowledged")

    async def _look(self, customer_id: str) -> None:
        reply = await self.api.ask("GET", f"/api/v1/customers/{customer_id}")
        if reply.outcome is Outcome.OK:
            self.known[customer_id] = max(int(reply.json()["version"]), self.known[customer_id])

    def _write(self, kind: Kind, **more: Any) -> Write:
        self._marks += 1
        mark = f"m{self._marks}"
        key = f"key-{mark}" if self.random.random() < _KEYED_SHARE else None
        return self.history.add(Write(mark=mark, kind=kind, key=key, **more))

    def _mailbox(self) -> str:
        return REJECTED_PREFIX.rstrip("@") if self.random.random() < _REJECTED_SHARE else "someone"

    def _pick(self) -> str:
        ids = list(self.known)
        return self.random.choice(ids[:_HOT] if self.random.random() < _HOT_SHARE else ids)
