"""What fails around the platform while it works: storage and mainframe, by a plan that the seed draws."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import aiohttp

from local.chaos.load import REJECTED_PREFIX
from local.chaos.mainframe import MainframeControl

# An outbox row that "exists already" is a promise kept; storage does not lie about that, so neither does the proxy.
_NO_OUTBOX: Final = r"^(?!.*outbox)"
_STORAGE: Final[Sequence[Mapping[str, Any]]] = (
    {"fault": "twice", "operation": "send", "probability": 0.04},
    {"fault": "drop_reply", "operation": "transaction", "probability": 0.03},
    {"fault": "drop_reply", "operation": "replace", "probability": 0.03},
    {"fault": "drop_reply", "operation": "insert", "probability": 0.03},
    {"fault": "drop_reply", "operation": "send", "probability": 0.01},
    {"fault": "drop_reply", "operation": "delete_message", "probability": 0.02},
    {"fault": "drop_reply", "operation": "delete", "probability": 0.05},
    {"fault": "drop_reply", "operation": "receive", "probability": 0.005},
    {"fault": "fail_after", "operation": "transaction", "probability": 0.01},
    {"fault": "fail_after", "operation": "send", "probability": 0.005},
    {"fault": "fail_after", "operation": "replace", "probability": 0.01},
    {"fault": "changed", "operation": "transaction", "probability": 0.01},
    {"fault": "changed", "operation": "replace", "probability": 0.01},
    {"fault": "exists", "operation": "insert", "path": _NO_OUTBOX, "probability": 0.02},
    {"fault": "delay", "operation": "transaction", "probability": 0.01, "delay_seconds": 3.0},
    {"fault": "delay", "operation": "send", "probability": 0.01, "delay_seconds": 2.5},
    {"fault": "delay", "operation": "replace", "probability": 0.005, "delay_seconds": 6.0},
    {"fault": "late_reply", "operation": "get", "probability": 0.005, "delay_seconds": 1.0},
    {"fault": "late_reply", "operation": "transaction", "probability": 0.005, "delay_seconds": 6.0},
    {"fault": "busy", "probability": 0.01},
    {"fault": "fail", "probability": 0.01},
    {"fault": "reset", "probability": 0.01},
    {"fault": "hang", "operation": "get", "probability": 0.001},
    {"fault": "hang", "operation": "transaction", "probability": 0.002},
)
_STORAGE_BURSTS: Final[Sequence[Mapping[str, Any]]] = (
    {"fault": "busy"},
    {"fault": "busy", "operation": "send"},
    {"fault": "drop_reply", "operation": "send"},
    {"fault": "drop_reply", "operation": "transaction"},
)
_REFUSAL: Final = {
    "kind": "reject",
    "field": "EMAIL",
    "prefix": REJECTED_PREFIX,
    "reasonCode": "EMAIL01",
    "reasonText": "mailbox not accepted",
}
_MAINFRAME: Final[Sequence[Mapping[str, Any]]] = (
    _REFUSAL,
    {"kind": "timeoutBeforeApply", "probability": 0.02},
    {"kind": "timeoutAfterApply", "probability": 0.02},
    {"kind": "resetBeforeApply", "probability": 0.02},
    {"kind": "resetAfterApply", "probability": 0.02},
    {"kind": "busy", "probability": 0.02},
    {"kind": "abend", "probability": 0.02},
    {"kind": "garbage", "form": "noise", "probability": 0.01},
    {"kind": "garbage", "form": "short", "probability": 0.01},
    {"kind": "garbage", "form": "wrongKey", "probability": 0.01},
    {"kind": "late", "milliseconds": 400, "probability": 0.04},
    {"kind": "slow", "milliseconds": 1500, "probability": 0.01},
    {"kind": "hang", "probability": 0.005},
)
_DOWN, _MAINTENANCE, _FLAPPING = "mainframe down for long", "mainframe in maintenance", "mainframe flapping"
_BAD_TIMES: Final = (_DOWN, _MAINTENANCE, _FLAPPING)
_FLAPS: Final = 6
_FLAP_SECONDS: Final = 0.5


@dataclass
class Weather:
    """Keeps storage and mainframe failing until `calm`, and counts what it asked for."""

    session: aiohttp.ClientSession
    proxy_url: str
    mainframe: MainframeControl
    random: Random
    down_seconds: float
    episodes: Counter[str] = field(default_factory=Counter[str])

    async def begin(self) -> None:
        """Let everything fail now and then."""
        for rule in _STORAGE:
            await self._add(rule)
        await self.mainframe.faults(*_MAINFRAME)

    async def storage_bursts(self) -> None:
        """Every few seconds, for a second or three, one storage call always fails. Runs until cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(5, 12))
            burst = self.random.choice(_STORAGE_BURSTS)
            await self._clear()
            number = await self._add(burst)
            await asyncio.sleep(self.random.uniform(1, 3))
            await self._remove(number)
            for rule in _STORAGE:
                await self._add(rule)
            self.episodes[f"storage burst: {burst['fault']} {burst.get('operation', 'everything')}"] += 1

    async def outages(self) -> None:
        """Now and then the mainframe is down, in maintenance, or flaps. Runs until cancelled."""
        kinds = [self._down, self._maintenance, self._flapping]
        while True:
            self.random.shuffle(kinds)
            for episode in kinds:
                await asyncio.sleep(self.random.uniform(6, 12))
                await episode()
                await self.mainframe.faults(*_MAINFRAME)

    @property
    def complete(self) -> bool:
        """Whether each of the mainframe's bad times came once."""
        return all(self.episodes[name] for name in _BAD_TIMES)

    async def calm(self) -> dict[str, int]:
        """End all faults and return how often each fired."""
        async with self.session.get(f"{self.proxy_url}/rules") as answer:
            fired = {f"storage {name}": count for name, count in (await answer.json())["fired"].items()}
        await self._clear()
        await self.mainframe.faults(_REFUSAL)
        stats = await self.mainframe.stats()
        fired |= {f"mainframe {name}": count for name, count in stats["faultsFired"].items()}
        return fired | self.episodes

    async def _down(self) -> None:
        await self.mainframe.faults({"kind": "refuse"})
        await asyncio.sleep(self.down_seconds)
        self.episodes[_DOWN] += 1

    async def _maintenance(self) -> None:
        await self.mainframe.faults({"kind": "maintenance"})
        await asyncio.sleep(self.random.uniform(2, 4))
        self.episodes[_MAINTENANCE] += 1

    async def _flapping(self) -> None:
        for _ in range(_FLAPS):
            await self.mainframe.faults({"kind": "refuse"})
            await asyncio.sleep(self.random.uniform(0.2, 1) * _FLAP_SECONDS)
            await self.mainframe.faults(*_MAINFRAME)
            await asyncio.sleep(self.random.uniform(0.2, 1) * _FLAP_SECONDS)
        self.episodes[_FLAPPING] += 1

    async def _add(self, rule: Mapping[str, Any]) -> int:
        async with self.session.post(f"{self.proxy_url}/rules", json=rule) as answer:
            answer.raise_for_status()
            return int((await answer.json())["number"])

    async def _remove(self, number: int) -> None:
        async with self.session.delete(f"{self.proxy_url}/rules/{number}") as answer:
            answer.raise_for_status()

    async def _clear(self) -> None:
        async with self.session.delete(f"{self.proxy_url}/rules") as answer:
            answer.raise_for_status()


def expected_faults() -> set[str]:
    """Return the names, as `calm` gives them, of every fault that has to fire for a run to prove anything."""
    storage = {f"{rule['operation']} {rule['fault']}" for rule in _STORAGE if "operation" in rule}
    anywhere = {"get busy", "get fail", "get reset"}
    return (
        {f"storage {name}" for name in storage | anywhere}
        | {f"mainframe {fault['kind']}" for fault in _MAINFRAME}
        | {"mainframe refuse", "mainframe maintenance"}
        | set(_BAD_TIMES)
    )
