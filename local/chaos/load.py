"""The load: creates, changes, races for one version, repeats of answered requests; every one recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from local.chaos.api import Api
from local.chaos.asking import Asking
from local.chaos.history import History, Kind, Outcome

REJECTED_PREFIX: Final = "refused@"
_REJECTED_SHARE: Final = 0.05
_CLAIM_SHARE: Final = 0.3
_NEWCOMER_SHARE: Final = 0.02
_HOT: Final = 5
_HOT_SHARE: Final = 0.25
_RACERS: Final = 3
_GATE_SECONDS: Final = 0.2
_FAMILIES: Final = 60


@dataclass
class Load:
    """Issues `operations` writes over `customers` customers and few more from `workers` at once, while `gate` is open.

    `more` are other things to do to a known customer, each with its weight beside the hundred of these.
    """

    api: Api
    history: History
    random: Random
    operations: int
    customers: int
    gate: Callable[[], bool]
    more: list[tuple[Callable[[str], Awaitable[None]], int]] = field(
        default_factory=list[tuple[Callable[[str], Awaitable[None]], int]]
    )
    known: dict[str, int] = field(default_factory=dict[str, int])
    asking: Asking = field(init=False)
    _races: int = 0
    _creating: int = 0

    def __post_init__(self) -> None:
        self.asking = Asking(self.history, self.random)

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
        # Somebody comes also when all are there: some kills wait for what only a create does.
        newcomer = self.random.random() < _NEWCOMER_SHARE
        if few or wanted or newcomer or not self.known:
            return self._create
        own = ((self._amend, 80), (self._race, 5), (self.asking.repeat, 8), (self._sample, 7))
        others = tuple((self._on_known(work), weight) for work, weight in self.more)
        works, weights = zip(*own, *others, strict=True)
        return self.random.choices(works, weights=weights)[0]

    def _on_known(self, work: Callable[[str], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        return lambda: work(self._pick())

    async def _create(self) -> None:
        write = self.asking.write(Kind.CREATE)
        body: dict[str, Any] = {
            "lastName": f"Customer {write.mark}",
            "middleName": write.mark,
            "email": f"{self._mailbox()}@example.com",
        }
        full = len(self.known) >= self.customers
        if full or self.random.random() < _CLAIM_SHARE:
            body["loyalty"] = {"number": f"IO-{write.mark.upper()}", "tier": "gold"}
            body["externalIds"] = [{"system": "chaos", "id": write.mark}]
        self._creating += 1
        try:
            if await self.asking.ask(
                write, body, {**body, "firstName": "Other"}, lambda sent: self.api.create(sent, key=write.key)
            ):
                self._learn(str(write.entity_id), write.version or 0)
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
        write = self.asking.write(Kind.AMEND, entity_id=customer_id, expected=version, race=race)
        patch: dict[str, Any] = {"middleName": write.mark}
        if self.random.random() < _REJECTED_SHARE * 2:
            patch["email"] = f"{self._mailbox()}@example.com"
        etag = f'"{version}-public"'
        if await self.asking.ask(
            write,
            patch,
            {**patch, "firstName": "Other"},
            lambda sent: self.api.amend(customer_id, sent, etag=etag, key=write.key),
        ):
            self._learn(customer_id, write.version or 0)
        else:
            await self._look(customer_id)

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
            self._learn(customer_id, int(reply.json()["version"]))

    def _learn(self, customer_id: str, version: int) -> None:
        self.known[customer_id] = max(version, self.known.get(customer_id, 0))

    def _mailbox(self) -> str:
        if self.random.random() < _REJECTED_SHARE:
            return REJECTED_PREFIX.rstrip("@")
        return f"family{self.random.randrange(_FAMILIES)}"

    def _pick(self) -> str:
        ids = list(self.known)
        return self.random.choice(ids[:_HOT] if self.random.random() < _HOT_SHARE else ids)
