"""After an outage: how fast what waited reaches the mainframe, beside what its latency and its regions allow."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import aiohttp

from lib.mainframe.undelivered import UNDELIVERED_TABLE, UndeliveredStore
from lib.storage.azure import AzureStorage, ConnectionString
from local.chaos.api import Api
from local.chaos.fleet import Fleet
from local.chaos.mainframe import MainframeControl
from local.chaos.rejected import PATIENT_SECONDS, TrialError, create

PATIENT_CALLS: Final = {"MAINFRAME_CALL_TIMEOUT_SECONDS": "10"}
"""As deployed: all that an instance calls at once has to wait for its turn at the regions, which is no failure."""
_ALLOWED_PART: Final = 0.9
_CREATORS: Final = 8
_LOOK_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 60.0
# Beginning and end are left out: the breaker has to close first, and the last leave regions idle.
_FROM, _TO = 0.15, 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How a backlog drained."""

    backlog: int
    latency_milliseconds: float
    regions: int
    wake_rate_per_second: float
    per_second: float
    seconds: float

    @property
    def limit_per_second(self) -> float:
        """What the mainframe allows."""
        return 1000 * self.regions / self.latency_milliseconds

    @property
    def part(self) -> float:
        """The rate as a part of that."""
        return self.per_second / self.limit_per_second

    @property
    def good(self) -> bool:
        """Whether the mainframe had little time to wait for us."""
        return self.part >= _ALLOWED_PART

    def __str__(self) -> str:
        allowed = f"{self.limit_per_second:.1f}/s that {self.regions} regions allow at {self.latency_milliseconds:g} ms"
        return (
            f"Recovery: {self.backlog} customers waited, and arrived at {self.per_second:.1f}/s of the {allowed}, "
            f"all in {self.seconds:.1f} s (woken at {self.wake_rate_per_second:g}/s at most): "
            f"{self.part:.2f} (at least {_ALLOWED_PART}): {'ok' if self.good else 'FAIL'}"
        )


async def recover(fleet: Fleet, *, backlog: int = 400, latency_milliseconds: float = 300, regions: int = 8) -> Recovery:
    """Take so many customers while the mainframe is away, let it come back, and measure.

    Raises:
        TrialError: a customer was not taken, did not wait, or never arrived.
    """
    storage = AzureStorage(ConnectionString.parse(fleet.connection_string))
    try:
        async with (
            aiohttp.ClientSession() as session,
            Api([host.url for host in fleet.hosts], fleet.function_key, Random(0), PATIENT_SECONDS) as api,  # noqa: S311 - not a secret
        ):
            mainframe = MainframeControl(session, fleet.control_url)
            await mainframe.faults({"kind": "refuse"})
            await mainframe.speed(latency_milliseconds, regions=regions)
            numbers = iter(range(backlog))
            await asyncio.gather(*(_make(api, numbers) for _ in range(_CREATORS)))
            await _all_wait(UndeliveredStore(storage.table(UNDELIVERED_TABLE)), backlog)
            before = await _applied(mainframe)
            await mainframe.faults()
            seen = await _watched(mainframe, before, backlog)
    finally:
        await storage.close()
    first = next(one for one in seen if one[1] >= _FROM * backlog)
    last = next(one for one in seen if one[1] >= _TO * backlog)
    return Recovery(
        backlog=backlog,
        latency_milliseconds=latency_milliseconds,
        regions=regions,
        wake_rate_per_second=float(fleet.settings["WAKE_RATE_PER_SECOND"]),
        per_second=(last[1] - first[1]) / (last[0] - first[0]),
        seconds=seen[-1][0] - seen[0][0],
    )


async def _make(api: Api, numbers: Iterator[int]) -> None:
    for number in numbers:
        await create(api, {"lastName": "Recovery", "email": "recovery@example.com"}, key=f"recovery-{number}")


async def _all_wait(undelivered: UndeliveredStore, backlog: int) -> None:
    deadline = time.monotonic() + _STALL_SECONDS
    while True:
        waiting = await undelivered.summary(at_most=1000)
        if waiting.parked + waiting.retrying >= backlog:
            return
        if time.monotonic() > deadline:
            raise TrialError(f"only {waiting} of {backlog} wait")
        await asyncio.sleep(1)


async def _watched(mainframe: MainframeControl, before: int, backlog: int) -> list[tuple[float, int]]:
    seen = [(time.monotonic(), 0)]
    while seen[-1][1] < backlog:
        await asyncio.sleep(_LOOK_SECONDS)
        now, applied = time.monotonic(), await _applied(mainframe) - before
        if applied > seen[-1][1]:
            seen.append((now, applied))
        if now - seen[-1][0] > _STALL_SECONDS:
            raise TrialError(f"only {applied} of {backlog} arrived, and no more come")
    return seen


async def _applied(mainframe: MainframeControl) -> int:
    return int((await mainframe.stats())["calls"].get("UPD", {}).get("00", 0))
