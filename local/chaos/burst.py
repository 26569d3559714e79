"""A burst of changes to one customer: how many mainframe calls it costs, and that the newest version is the last."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import aiohttp

from local.chaos.api import Api
from local.chaos.fleet import Fleet
from local.chaos.history import Outcome
from local.chaos.mainframe import MainframeControl

_WINDOW_SECONDS: Final = 2.0
_ALLOWED_BEYOND_FIRST: Final = 3
_SETTLE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2


class BurstError(Exception):
    """The burst could not be made; the message says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What a burst came to. `versions` are those that the mainframe was sent, in order, without the first delivery."""

    changes: int
    seconds: float
    latency_milliseconds: float
    newest: int
    versions: Sequence[int]

    @property
    def allowed(self) -> int:
        """How many calls are allowed beyond the first: three for every two seconds that the burst took."""
        return _ALLOWED_BEYOND_FIRST * max(1, math.ceil(self.seconds / _WINDOW_SECONDS))

    @property
    def good(self) -> bool:
        """Whether few calls were made, in order, and the last brought the newest version."""
        in_order = list(self.versions) == sorted(set(self.versions))
        return in_order and len(self.versions) - 1 <= self.allowed and self.versions[-1:] == [self.newest]

    def __str__(self) -> str:
        return (
            f"Burst: {self.changes} changes to one customer in {self.seconds:.2f} s, "
            f"mainframe latency {self.latency_milliseconds:g} ms: {len(self.versions)} mainframe calls "
            f"({len(self.versions) - 1} beyond the first, at most {self.allowed} allowed), "
            f"versions {', '.join(map(str, self.versions))}; newest {self.newest}: {'ok' if self.good else 'FAIL'}"
        )


async def burst(fleet: Fleet, *, changes: int = 100, latency_milliseconds: float = 300) -> Burst:
    """Change one customer so often without a pause, wait until it is delivered, and count.

    Raises:
        BurstError: a change was refused, or the delivery never came.
    """
    async with (
        aiohttp.ClientSession() as session,
        Api([fleet.hosts[0].url], fleet.function_key, Random(0)) as api,  # noqa: S311 - one host, nothing to draw
    ):
        mainframe = MainframeControl(session, fleet.control_url)
        created = await api.create({"lastName": "Burst", "email": "burst@example.com"})
        if created.outcome is not Outcome.OK:
            raise BurstError(f"the create was answered {created.short}")
        customer_id = str(created.json()["id"])
        await _in_sync(api, customer_id, 1)
        await mainframe.latency(latency_milliseconds)
        before = len(await mainframe.journal(key=customer_id))
        began = time.monotonic()
        for version in range(1, changes + 1):
            reply = await api.amend(customer_id, {"middleName": f"burst {version}"}, etag=f'"{version}-public"')
            if reply.outcome is not Outcome.OK:
                raise BurstError(f"change {version} was answered {reply.short}")
        seconds = time.monotonic() - began
        await _in_sync(api, customer_id, changes + 1)
        rows = (await mainframe.journal(key=customer_id))[before:]
    return Burst(
        changes=changes,
        seconds=seconds,
        latency_milliseconds=latency_milliseconds,
        newest=changes + 1,
        versions=[int(row["version"]) for row in rows],
    )


async def _in_sync(api: Api, customer_id: str, version: int) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    told: dict[str, Any] = {}
    while time.monotonic() < deadline:
        told = (await api.get(f"/api/private/v1/customers/{customer_id}/deliveries/mainframe")).json()
        if told["acknowledgedVersion"] >= version:
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise BurstError(f"version {version} was not delivered within {_SETTLE_SECONDS:g} s: {told}")
