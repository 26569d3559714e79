"""The mainframe is down for scaled hours: what callers notice, what fails, and how fast everything drains after."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import aiohttp

from lib.storage.azure import AzureStorage, ConnectionString
from local.chaos.api import Api
from local.chaos.drain import Backlog, BacklogWatch, drained
from local.chaos.fleet import Fleet
from local.chaos.history import Outcome
from local.chaos.mainframe import MainframeControl

_ALLOWED_RATIO: Final = 1.5
_PERCENTILE: Final = 98
_CUSTOMERS: Final = 60
_DRAIN_LIMIT_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One calm stretch and one outage: seconds per request of each, and how the rest drained."""

    calm: Sequence[float]
    down: Sequence[float]
    waiting: int
    drain_seconds: float
    left: Backlog

    @property
    def ratio(self) -> float:
        """The p98 while down over the p98 before."""
        return p98(self.down) / p98(self.calm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What all rounds came to. Other work on the machine disturbs single rounds, so their median counts."""

    rounds: Sequence[Round]
    down_seconds: float
    refused: int
    listed: int
    overlaps: int

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(one.ratio for one in self.rounds)

    @property
    def good(self) -> bool:
        """Whether callers noticed nothing, nothing was listed as failed, no calls overlapped, and all of it drained."""
        all_drained = all(one.left.nothing for one in self.rounds)
        return self.ratio <= _ALLOWED_RATIO and all_drained and not (self.refused or self.listed or self.overlaps)

    def __str__(self) -> str:
        lines = [
            f"  round {number}: p98 {p98(one.calm) * 1000:.0f} ms before, {p98(one.down) * 1000:.0f} ms during "
            f"({one.ratio:.2f}x); {one.waiting} customers waited, drained in {one.drain_seconds:.1f} s"
            for number, one in enumerate(self.rounds, 1)
        ]
        requests = sum(len(one.calm) + len(one.down) for one in self.rounds)
        head = f"Outage: mainframe down {len(self.rounds)} times for {self.down_seconds:g} s, {requests} requests:"
        verdict = (
            f"  median ratio {self.ratio:.2f} (at most {_ALLOWED_RATIO}), {self.refused} requests refused, "
            f"{self.listed} listed as failed, {self.overlaps} calls overlapped: {'ok' if self.good else 'FAIL'}"
        )
        return "\n".join([head, *lines, verdict])


@dataclass
class OutageTrial:
    """Asks at a steady rate, whatever the answers take, in calm and during outages."""

    fleet: Fleet
    rounds: int = 3
    calm_seconds: float = 10.0
    down_seconds: float = 20.0
    per_second: float = 15.0
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - to be repeated, not to be secret
    _versions: dict[str, int] = field(default_factory=dict[str, int])
    _refused: int = 0

    async def run(self) -> Outage:
        """Return the figures of all rounds."""
        storage = AzureStorage(ConnectionString.parse(self.fleet.connection_string))
        try:
            async with (
                aiohttp.ClientSession() as session,
                Api([host.url for host in self.fleet.hosts], self.fleet.function_key, self.random) as api,
            ):
                mainframe = MainframeControl(session, self.fleet.control_url)
                watch = BacklogWatch(storage)
                for _ in range(_CUSTOMERS):
                    await self._create(api)
                await drained(watch, limit_seconds=_DRAIN_LIMIT_SECONDS)
                done = [await self._round(api, mainframe, watch) for _ in range(self.rounds)]
                listed = await api.pages("/api/private/v1/failures?limit=200")
                overlaps = int((await mainframe.stats())["overlaps"])
        finally:
            await storage.close()
        return Outage(
            rounds=done,
            down_seconds=self.down_seconds,
            refused=self._refused,
            listed=len(listed),
            overlaps=overlaps,
        )

    async def _round(self, api: Api, mainframe: MainframeControl, watch: BacklogWatch) -> Round:
        calm = await self._ask(api, self.calm_seconds)
        await mainframe.faults({"kind": "refuse"})
        down = await self._ask(api, self.down_seconds)
        waiting = (await watch.now()).undelivered
        await mainframe.faults()
        seconds, left = await drained(watch, limit_seconds=_DRAIN_LIMIT_SECONDS)
        return Round(calm=calm, down=down, waiting=waiting, drain_seconds=seconds, left=left)

    async def _ask(self, api: Api, seconds: float) -> list[float]:
        took: list[float] = []
        asked: set[asyncio.Task[None]] = set()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            asked.add(asyncio.create_task(self._timed(api, took)))
            await asyncio.sleep(1 / self.per_second)
        await asyncio.gather(*asked)
        return took

    async def _timed(self, api: Api, took: list[float]) -> None:
        began = time.monotonic()
        what = self.random.random()
        if what < 0.2:  # noqa: PLR2004 - a fifth creates, two fifths change, the rest reads
            await self._create(api)
        elif what < 0.6:  # noqa: PLR2004 - as above
            await self._amend(api)
        else:
            reply = await api.ask("GET", f"/api/v1/customers/{self._pick()}")
            self._refused += reply.outcome is not Outcome.OK
        took.append(time.monotonic() - began)

    async def _create(self, api: Api) -> None:
        reply = await api.create({"lastName": "Outage", "email": "outage@example.com"})
        if reply.outcome is Outcome.OK:
            self._versions[str(reply.json()["id"])] = 1
        else:
            self._refused += 1

    async def _amend(self, api: Api) -> None:
        # Taken out while it is being changed, so that no two requests meet and none is stale.
        customer_id = self._pick()
        version = self._versions.pop(customer_id)
        patch = {"middleName": f"change {version}"}
        reply = await api.amend(customer_id, patch, etag=f'"{version}-public"')
        self._refused += reply.outcome is not Outcome.OK
        self._versions[customer_id] = version + (reply.outcome is Outcome.OK)

    def _pick(self) -> str:
        return self.random.choice(list(self._versions))


def p98(seconds: Sequence[float]) -> float:
    """Return the time within which 98 of 100 were answered."""
    return statistics.quantiles(seconds, n=100)[_PERCENTILE - 1]
