"""Customers that are rejected for good hold up nobody: how long the others' changes take, with and without them."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

import aiohttp

from lib.clock import parse_rfc3339
from lib.storage.azure import AzureStorage, ConnectionString
from local.chaos.api import Api
from local.chaos.drain import BacklogWatch, drained
from local.chaos.fleet import Fleet
from local.chaos.mainframe import MainframeControl
from local.chaos.rejected import PATIENT_SECONDS, TrialError, create

_ALLOWED_RATIO: Final = 1.5
_PERCENTILE: Final = 95
_REJECTED_ONE_IN: Final = 20
_PREFIX: Final = "refused@"
_FAULT: Final = {"kind": "reject", "field": "EMAIL", "prefix": _PREFIX, "reasonCode": "REFUSED"}
_DRAIN_LIMIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Seconds from an accepted write to its effect at the mainframe, alone and beside rejected customers."""

    alone: Sequence[float]
    beside: Sequence[float]

    @property
    def ratio(self) -> float:
        """The p95 beside rejected customers over the p95 alone."""
        return p95(self.beside) / p95(self.alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What all rounds came to. Other work on the machine disturbs single rounds, so their median counts."""

    rounds: Sequence[Round]
    rejected: int
    listed: int
    most_attempts: int

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(one.ratio for one in self.rounds)

    @property
    def good(self) -> bool:
        """Whether the good did not wait for the bad, and each of the bad was tried once and listed."""
        return self.ratio <= _ALLOWED_RATIO and self.listed == self.rejected and self.most_attempts == 1

    def __str__(self) -> str:
        good = sum(len(one.alone) + len(one.beside) for one in self.rounds)
        lines = [
            f"  round {number}: p95 {p95(one.alone):.2f} s alone, {p95(one.beside):.2f} s beside ({one.ratio:.2f}x); "
            f"median {statistics.median(one.alone):.2f} s and {statistics.median(one.beside):.2f} s"
            for number, one in enumerate(self.rounds, 1)
        ]
        verdict = (
            f"  I10 median ratio {self.ratio:.2f} (at most {_ALLOWED_RATIO}); I9 {self.listed} of {self.rejected} "
            f"rejected are listed, after {self.most_attempts} attempt at most: {'ok' if self.good else 'FAIL'}"
        )
        return "\n".join([f"Rejections: {good} deliveries timed, from accepted to applied:", *lines, verdict])


@dataclass
class RejectionTrial:
    """Creates customers at a steady rate, in turns with and without one in twenty more that is rejected for good."""

    fleet: Fleet
    rounds: int = 3
    seconds: float = 20.0
    per_second: float = 10.0
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - to be repeated, not to be secret
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _rejected: int = 0

    async def run(self) -> Isolation:
        """Return the figures of all rounds.

        Raises:
            TrialError: a create was refused, or a good one never arrived.
        """
        storage = AzureStorage(ConnectionString.parse(self.fleet.connection_string))
        try:
            async with (
                aiohttp.ClientSession() as session,
                Api(
                    [host.url for host in self.fleet.hosts], self.fleet.function_key, self.random, PATIENT_SECONDS
                ) as api,
            ):
                mainframe = MainframeControl(session, self.fleet.control_url)
                await mainframe.faults(_FAULT)
                watch = BacklogWatch(storage)
                await self._timed(api, mainframe, watch, seconds=3, rejected=False)  # what is slow only the first time
                done = [await self._round(api, mainframe, watch, number) for number in range(self.rounds)]
                listed = await api.pages("/api/private/v1/failures?limit=200&code=REFUSED")
        finally:
            await storage.close()
        return Isolation(
            rounds=done,
            rejected=self._rejected,
            listed=len(listed),
            most_attempts=max((one["attempts"] for one in listed), default=0),
        )

    async def _round(self, api: Api, mainframe: MainframeControl, watch: BacklogWatch, number: int) -> Round:
        # In turns, so that a machine that gets slower or faster meets both sides.
        taken = {
            rejected: await self._timed(api, mainframe, watch, seconds=self.seconds, rejected=rejected)
            for rejected in ((False, True) if number % 2 == 0 else (True, False))
        }
        return Round(alone=taken[False], beside=taken[True])

    async def _timed(
        self, api: Api, mainframe: MainframeControl, watch: BacklogWatch, *, seconds: float, rejected: bool
    ) -> list[float]:
        accepted: dict[str, float] = {}
        asked: set[asyncio.Task[None]] = set()
        ends = time.monotonic() + seconds
        for number in count(1):
            if time.monotonic() > ends:
                break
            asked.add(asyncio.create_task(self._create(api, accepted)))
            if rejected and number % _REJECTED_ONE_IN == 0:
                self._rejected += 1
                asked.add(asyncio.create_task(self._create(api, None)))
            await asyncio.sleep(1 / self.per_second)
        await asyncio.gather(*asked)
        _, left = await drained(watch, limit_seconds=_DRAIN_LIMIT_SECONDS)
        applied = {
            row["key"]: parse_rfc3339(row["at"]).timestamp()
            for row in await mainframe.journal()
            if row["outcome"] == "applied"
        }
        if not left.nothing or not accepted.keys() <= applied.keys():
            raise TrialError(f"{len(accepted.keys() - applied.keys())} customers did not arrive; left: {left}")
        return [max(0.0, applied[key] - at) for key, at in accepted.items()]

    async def _create(self, api: Api, accepted: dict[str, float] | None) -> None:
        number = next(self._numbers)
        email = f"n{number}@example.com" if accepted is not None else f"{_PREFIX}n{number}.example.com"
        customer_id = await create(api, {"lastName": "Isolation", "email": email}, key=f"isolation-{number}")
        if accepted is not None:
            accepted[customer_id] = time.time()


def p95(seconds: Sequence[float]) -> float:
    """Return the time within which 95 of 100 arrived."""
    return statistics.quantiles(seconds, n=100)[_PERCENTILE - 1]
