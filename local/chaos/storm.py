"""The storm: load, kills, faults and mischief together; then calm, a drain, and an audit of everything."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import aiohttp

from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.errors import StorageError
from local.chaos.api import Api
from local.chaos.cases import Cases
from local.chaos.consents import Consents
from local.chaos.drain import BacklogWatch, drained
from local.chaos.evidence import Evidence, totals
from local.chaos.fleet import Fleet
from local.chaos.history import History
from local.chaos.killer import Killer
from local.chaos.listed import Listed
from local.chaos.load import Load
from local.chaos.mainframe import MainframeControl
from local.chaos.messages import QueueMischief
from local.chaos.orders import Orders
from local.chaos.sizes import Size
from local.chaos.weather import Weather, expected_faults
from local.chaos.witness import Witness

# Azurite looks through all messages for each that is taken, so a long queue makes it slow.
_MOST_MESSAGES: Final = 400
_BEAT_SECONDS: Final = 1.0
_NEWS_SECONDS: Final = 15.0
_DRAIN_LIMIT_SECONDS: Final = 150.0
_COPIED_SHARE: Final = 0.1
_MISCHIEF: Final = frozenset({"queue copies", "queue messages withheld"})


@dataclass
class Storm:
    """One storm over one fleet. `say` takes a line of news."""

    fleet: Fleet
    size: Size
    seed: int
    say: Callable[[str], None]
    messages_waiting: int = 0
    _late: bool = False
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> Evidence:
        """Rage, calm down, drain, and return the evidence."""
        history = History()
        storage = AzureStorage(ConnectionString.parse(self.fleet.connection_string))
        try:
            async with (
                aiohttp.ClientSession() as session,
                Api([host.url for host in self.fleet.hosts], self.fleet.function_key, self._random("api")) as api,
            ):
                return await self._run(history, storage, session, api)
        finally:
            await storage.close()

    async def _run(self, history: History, storage: AzureStorage, session: aiohttp.ClientSession, api: Api) -> Evidence:
        mainframe = MainframeControl(session, self.fleet.control_url)
        weather = Weather(session, self.fleet.proxy_control, mainframe, self._random("weather"), self.size.down_seconds)
        mischief = QueueMischief(
            storage, self._random("messages"), wanted=lambda: round(len(history.writes) * _COPIED_SHARE)
        )
        killer = Killer(
            self.fleet,
            self._random("killer"),
            per_point=self.size.kills_per_point,
            rare_per_point=self.size.kills_per_rare_point,
            others=self.size.other_blows,
        )
        load = Load(
            api,
            history,
            self._random("load"),
            operations=self.size.operations,
            customers=self.size.customers,
            gate=lambda: self.messages_waiting < _MOST_MESSAGES,
        )
        orders = Orders(api, load.asking, self._random("orders"))
        load.more = [
            (orders.act, 20),
            (Consents(api, load.asking, self._random("consents")).act, 10),
            (Cases(api, load.asking, self._random("cases"), orders.of).act, 10),
        ]
        planned = Counter(blow.name for blow in killer.plan())
        if self.size.cut_short:
            planned = Counter(set(planned))
        watch = BacklogWatch(storage)
        await weather.begin()
        await self._rage(load, killer, weather, mischief, watch)
        fired = totals([await weather.calm(), mischief.counts, killer.dealt])
        self.say(f"calm after {self._elapsed:.0f} s; draining")
        seconds, backlog = await drained(watch, limit_seconds=_DRAIN_LIMIT_SECONDS)
        self.say(f"drained in {seconds:.1f} s; what the hosts said is in {self.fleet.keep_logs()}")
        entities, lookups = await Witness(api, mainframe).entities(history)
        return Evidence(
            history=history,
            entities=entities,
            lookups=lookups,
            journal=await mainframe.journal(),
            mainframe=await mainframe.stats(),
            listed=await Listed.read(api),
            backlog=backlog,
            drain_seconds=seconds,
            drain_limit_seconds=_DRAIN_LIMIT_SECONDS,
            fired=fired,
            expected=dict.fromkeys(expected_faults() | _MISCHIEF, 1) | planned,
            hosts_stopped=bool(killer.pauses),
        )

    async def _rage(
        self,
        load: Load,
        killer: Killer,
        weather: Weather,
        mischief: QueueMischief,
        watch: BacklogWatch,
    ) -> None:
        turn = asyncio.Lock()
        for_ever = [
            asyncio.create_task(work())
            for work in (
                weather.storage_bursts,
                weather.outages,
                mischief.copies,
                mischief.thief,
                lambda: self._watch(load, killer, watch),
            )
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for host in self.fleet.hosts:
                    group.create_task(killer.strike(host, turn))
                group.create_task(mischief.garbage())
                for _ in range(self.size.workers):
                    group.create_task(load.worker(lambda: self._late or (killer.left == 0 and weather.complete)))
                ended = group.create_task(self._failed(for_ever))
                group.create_task(self._ends(ended, load, killer, weather))
        finally:
            for task in for_ever:
                task.cancel()
            await asyncio.gather(*for_ever, return_exceptions=True)

    async def _failed(self, tasks: list["asyncio.Task[None]"]) -> None:
        """Fail as soon as one of the endless loops fails."""
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _ends(self, watcher: "asyncio.Task[None]", load: Load, killer: Killer, weather: Weather) -> None:
        while not (load.done and killer.left == 0 and weather.complete):
            if self._elapsed > self.size.limit_seconds:
                self._late = True
                killer.stop()
                load.stop()
                break
            await asyncio.sleep(_BEAT_SECONDS)
        watcher.cancel()

    async def _watch(self, load: Load, killer: Killer, watch: BacklogWatch) -> None:
        told = 0.0
        while True:
            with contextlib.suppress(StorageError):  # too busy to be asked: the last number stands
                self.messages_waiting = await watch.messages()
            if self._elapsed - told > _NEWS_SECONDS:
                told = self._elapsed
                self.say(
                    f"{told:4.0f} s  {len(load.history.writes)} writes, {len(load.known)} customers, "
                    f"{self.messages_waiting} messages waiting, {killer.left} blows left"
                )
            await asyncio.sleep(_BEAT_SECONDS)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _random(self, part: str) -> Random:
        return Random(f"{self.seed} {part}")  # noqa: S311 - to be repeated, not to be secret
