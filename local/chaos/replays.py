"""Thousands of failures replayed while the host is killed: counts, rate, and that doing it again changes nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Any, Final

import aiohttp

from lib.replays.pace import MADE_UP_SECONDS
from lib.storage.azure import AzureStorage, ConnectionString
from local.chaos.api import Api
from local.chaos.drain import BacklogWatch, drained
from local.chaos.fleet import Fleet
from local.chaos.mainframe import MainframeControl
from local.chaos.points import KILLED_SENDING, KILLED_SENT, Point
from local.chaos.progress import WINDOW_SECONDS, Look, Progress
from local.chaos.rejected import (
    FAILURES,
    MENDED,
    PATIENT_SECONDS,
    REJECTING,
    STAYING,
    RejectedCustomers,
    TrialError,
)

_REPLAYS: Final = "/api/private/v1/replays"
_CHANGED_SHARE: Final = 0.01
_ALLOWED_OFF: Final = 0.05
_JUDGED_SECONDS: Final = 30.0
# How long a slice may take from its first send to the look that shows it.
_LATE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.25
_PAUSE_SECONDS: Final = 3.0
_SPRING_SECONDS: Final = 30.0
_STALL_SECONDS: Final = 120.0
_OPERATOR, _LEAD, _JOB = "m.okafor", "s.lead", "replay-job"
_TICKET: Final = "OPS-5000"
_AUDIT: Final = [
    (_OPERATOR, "requested"),
    (_JOB, "selected"),
    (_JOB, "canaryPassed"),
    (_LEAD, "paused"),
    (_LEAD, "resumed"),
    (_JOB, "completed"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay through crashes came to. `against` names everything that was not as promised."""

    failures: int
    asked_per_second: float
    progress: Progress
    counts: Mapping[str, int]
    calls: Mapping[str, int]
    made_in_seconds: float
    against: Sequence[str]

    @property
    def good(self) -> bool:
        """Whether all of it was as promised."""
        return not self.against

    def __str__(self) -> str:
        progress = self.progress
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        calls = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.calls.items()))
        off = progress.per_second / self.asked_per_second - 1
        verdict = "ok" if self.good else "FAIL"
        rate = (
            f"  asked {self.asked_per_second:g}/s, was {progress.per_second:.2f}/s ({off:+.1%}, at most 5 % off); "
            f"at most {progress.most_in_window} in any {WINDOW_SECONDS:g} s"
        )
        lines = [
            f"Replay: {self.failures} failures, made and listed in {self.made_in_seconds:.0f} s",
            f"  {counts}; mainframe calls: {calls}",
            f"  {progress}",
            rate,
            *(f"  FAIL {one}" for one in self.against),
            f"  counts add up at every look, I11 again changes nothing, I16 the audit is complete: {verdict}",
        ]
        return "\n".join(lines)


@dataclass
class ReplayTrial:
    """Makes failures, replays them while the host is killed twice and the replay paused once, and audits."""

    fleet: Fleet
    failures: int
    per_second: float
    random: Random
    say: Callable[[str], None] = print

    async def run(self) -> Replayed:
        """Return what it came to.

        Raises:
            TrialError: the failures could not be made, or the replay stood still.
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
                one = _Trial(self, api, mainframe, BacklogWatch(storage))
                return await one.run()
        finally:
            await storage.close()


@dataclass
class _Trial:
    wanted: ReplayTrial
    api: Api
    mainframe: MainframeControl
    watch: BacklogWatch

    async def run(self) -> Replayed:
        wanted = self.wanted
        began = time.monotonic()
        customers = RejectedCustomers(self.api, self.mainframe, wanted.failures)
        await customers.make()
        await self._rest()
        if (listed := await customers.listed()) != wanted.failures:
            raise TrialError(f"{listed} of {wanted.failures} customers are listed as failures")
        made_in_seconds = time.monotonic() - began
        wanted.say(f"{listed} failures are listed after {made_in_seconds:.0f} s; they are replayed now.")
        await self.mainframe.faults(REJECTING[STAYING])
        changed = round(wanted.failures * _CHANGED_SHARE)
        replay_id = (await self._start())["id"]
        progress = await self._progress(replay_id, customers, changed)
        await self._rest()
        ended = (await self.api.get(f"{_REPLAYS}/{replay_id}")).json()
        journal = await self.mainframe.journal()
        against = [
            *progress.against,
            *_rate(progress, wanted.per_second),
            *_counted(ended, staying=customers.staying, superseded=changed, selected=wanted.failures),
            *_arrived(journal, wanted.failures - customers.staying),
            *await self._audited(replay_id),
            *await self._again(replay_id, journal),
        ]
        return Replayed(
            failures=wanted.failures,
            asked_per_second=wanted.per_second,
            progress=progress,
            counts=ended["counts"],
            calls=Counter(row["outcome"] for row in journal),
            made_in_seconds=made_in_seconds,
            against=against,
        )

    async def _progress(self, replay_id: str, customers: RejectedCustomers, changed: int) -> Progress:
        """Look at the replay until it ends; on the way kill its host twice, and pause it once."""
        random, total = self.wanted.random, self.wanted.failures
        blows = [(random.uniform(0.2, 0.3), KILLED_SENDING), (random.uniform(0.45, 0.55), KILLED_SENT), (0.75, None)]
        progress, moved_at = Progress(), time.monotonic()
        while True:
            reply = await self.api.ask("GET", f"{_REPLAYS}/{replay_id}")
            now = time.monotonic()
            if reply.status == HTTPStatus.OK:
                look = Look.of(now, reply.json())
                if progress.add(look):
                    moved_at = now
                if look.ended:
                    return progress
                if look.running and changed:
                    # Newest first: those that were made first are the last to be replayed.
                    await customers.change(changed)
                    changed = 0
                if look.running and blows and look.sent > blows[0][0] * total:
                    await self._strike(blows.pop(0)[1], replay_id, progress)
            if now - moved_at > _STALL_SECONDS:
                raise TrialError(f"the replay stands still: {reply.text[:600]}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _strike(self, blow: Point | None, replay_id: str, progress: Progress) -> None:
        if blow is not None:
            await self._kill(blow, progress)
        else:
            progress.interrupted("paused", time.monotonic())
            await self._steer(replay_id, "pause")
            await asyncio.sleep(_PAUSE_SECONDS)
            await self._steer(replay_id, "resume")
        progress.may_go_on(time.monotonic())

    async def _kill(self, blow: Point, progress: Progress) -> None:
        """Have the host die by its own SIGKILL in the middle of a slice."""
        host = self.wanted.fleet.hosts[0]
        host.door.arm(blow.trap)
        if not await host.door.springs(within_seconds=_SPRING_SECONDS):
            raise TrialError(f"no slice came to the point {blow.name}")
        progress.interrupted(blow.name, time.monotonic())
        await host.ended()
        await host.start()

    async def _steer(self, replay_id: str, step: str) -> None:
        reply = await self.api.ask("POST", f"{_REPLAYS}/{replay_id}/{step}", headers={"X-Actor": _LEAD})
        if reply.status != HTTPStatus.OK:
            raise TrialError(f"{step} was answered {reply.short}: {reply.text}")

    async def _start(self, **other: Any) -> dict[str, Any]:
        body = {
            "filter": {},
            "reason": "country table corrected",
            "ticket": _TICKET,
            "requestedBy": _OPERATOR,
            "ratePerSecond": self.wanted.per_second,
            "stopAfterFailures": 100_000,
            **other,
        }
        reply = await self.api.ask("POST", _REPLAYS, body=body, headers={"X-Actor": _OPERATOR})
        if reply.status != HTTPStatus.ACCEPTED:
            raise TrialError(f"the replay was answered {reply.short}: {reply.text}")
        return reply.json()

    async def _audited(self, replay_id: str) -> list[str]:
        steps = (await self.api.get(f"{_REPLAYS}/{replay_id}/audit")).json()["items"]
        told = [(step["actor"], step["action"]) for step in steps]
        complete = told == _AUDIT and {step["ticket"] for step in steps} == {_TICKET}
        held = await self.api.pages(f"{FAILURES}?limit=200&state=replaying")
        return [
            *([] if complete else [f"I16: the audit tells {steps}"]),
            *([f"{len(held)} failures are still held by the replay"] if held else []),
        ]

    async def _again(self, replay_id: str, journal: Sequence[Mapping[str, Any]]) -> list[str]:
        against: list[str] = []
        if (await self._start())["id"] != replay_id:
            against.append("I11: the same request is another replay")
        other = (await self._start(filter={"code": MENDED}, requestId="again"))["id"]
        deadline = time.monotonic() + _STALL_SECONDS
        while (ended := (await self.api.get(f"{_REPLAYS}/{other}")).json())["state"] != "completed":
            if time.monotonic() > deadline:
                raise TrialError(f"the second replay stands still: {ended}")
            await asyncio.sleep(_LOOK_SECONDS)
        if ended["counts"]["selected"]:
            against.append(f"I11: the second replay selected {ended['counts']['selected']}")
        await self._rest()
        gained = (await self.mainframe.journal())[len(journal) :]
        if gained:
            against.append(f"I11: the mainframe's journal gained {len(gained)} rows: {gained[:3]}")
        return against

    async def _rest(self) -> None:
        seconds, left = await drained(self.watch, limit_seconds=_STALL_SECONDS)
        if not left.nothing:
            raise TrialError(f"after {seconds:.0f} s there is still {left}")


def _rate(progress: Progress, asked: float) -> list[str]:
    against: list[str] = []
    off = progress.per_second / asked - 1
    # Looks are a quarter of a second apart, so a short run cannot be judged that closely.
    if abs(off) > _ALLOWED_OFF and progress.running_seconds > _JUDGED_SECONDS:
        against.append(f"the rate was {off:+.1%} off")
    most = asked * (WINDOW_SECONDS + MADE_UP_SECONDS + _LATE_SECONDS)
    if progress.most_in_window > most:
        against.append(f"{progress.most_in_window} were sent in {WINDOW_SECONDS:g} s, and {most:g} may be")
    return against


def _counted(ended: Mapping[str, Any], *, selected: int, staying: int, superseded: int) -> list[str]:
    wanted = {
        "selected": selected,
        "replayed": selected - staying - superseded,
        "superseded": superseded,
        "rejectedAgain": staying,
        "waiting": 0,
    }
    if ended["state"] == "completed" and ended["counts"] == wanted:
        return []
    return [f"the replay ended {ended['state']} with {ended['counts']}, which should be {wanted}"]


def _arrived(journal: Sequence[Mapping[str, Any]], wanted: int) -> list[str]:
    applied = Counter((row["key"], row["version"]) for row in journal if row["outcome"] == "applied")
    keys = {key for key, _ in applied}
    return [
        *(
            f"{key} version {version} was applied {count} times"
            for (key, version), count in applied.items()
            if count > 1
        ),
        *([] if len(keys) == wanted else [f"{len(keys)} customers arrived, and {wanted} should have"]),
    ]
