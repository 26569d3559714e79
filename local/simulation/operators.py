"""The operators: they replay what failed, pause, resume and cancel, and repeat what they got no answer to.

When everything has come to rest they have the mainframe mended and replay until nothing is open; and then once more,
which must change nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from lib.errors import ConflictError, UnavailableError
from lib.failures.models import Failure, FailureFilter, FailureState
from lib.failures.store import FAILURE_PREFIX, FAILURES_TABLE
from lib.replays.models import Replay, ReplayRequest
from lib.storage.documents import joined
from lib.storage.errors import StorageError
from local.simulation.activity import Instance, Killed
from local.simulation.clients import Clients
from local.simulation.fleet import Fleet

ACTOR: Final = "operator"
TICKET: Final = "OPS-1"
_TRIES: Final = 12
_STEERING_TRIES: Final = 400
_FINAL_REPLAYS: Final = 6


@dataclass(frozen=True, slots=True)
class Steered:
    """A step that an operator took and that was answered."""

    replay_id: str
    action: str


@dataclass
class Operators:
    """Works while the clients write, and once more when they have ended."""

    fleet: Fleet
    clients: Clients
    random: Random
    steered: list[Steered] = field(default_factory=list[Steered])
    broken: list[str] = field(default_factory=list[str])

    async def run(self) -> None:
        """Replay now and then while things go wrong."""
        plan = self.fleet.network.plan
        if not plan.reject_one_in:
            return
        await asyncio.sleep(self.random.random() * plan.calm_at * 0.7)
        for number in range(self.random.randint(0, 2)):
            request = self._request(
                f"r{number}",
                canary=self.random.choice((0, 1, 3)),
                stopAfterFailures=self.random.choice((1, 3, 100)),
                ratePerSecond=self.random.choice((0.5, 5, 500)),
            )
            replay = await self._start(request)
            if replay is not None:
                await self._steer(replay.id)

    async def finish(self, rest: Callable[[], Awaitable[None]]) -> None:
        """Have everything delivered that failed, and replay once more."""
        if not self.open_failures():
            return
        road = self.fleet.road
        road.mended = True
        request = self._request("final-0")
        for number in range(_FINAL_REPLAYS):
            request = self._request(f"final-{number}")
            await self._start(request)
            await rest()
            if not self.open_failures():
                break
        calls = len(road.calls)
        same, other = await self._start(request), await self._start(self._request("again"))
        await rest()
        if same is None or other is None or same.id == other.id:
            self.broken.append("I11: the last replay could not be asked for again")
        if len(road.calls) != calls:
            self.broken.append(f"I11: replaying again called the mainframe for {road.calls[calls:]}")

    def failures(self) -> list[Failure]:
        """Return everything that is or was listed."""
        return [
            Failure.model_validate_json(joined("document", row.values))
            for row in self.fleet.storage.table(FAILURES_TABLE).rows()
            if row.key.startswith(f"{FAILURE_PREFIX}_")
        ]

    def open_failures(self) -> list[Failure]:
        """Return what is listed and can still be delivered."""
        left = {FailureState.OPEN, FailureState.REPLAYING}
        return [one for one in self.failures() if one.replayable and one.state in left]

    async def _start(self, request: ReplayRequest) -> Replay | None:
        return await self._insist("start", lambda at: at.platform.replays.start(request, actor=ACTOR), tries=_TRIES)

    async def _steer(self, replay_id: str) -> None:
        await asyncio.sleep(self.random.random() * 15)
        action = self.random.choice(("", "paused", "cancelled"))
        if action == "cancelled":
            await self._step(action, lambda at: at.platform.replays.cancel(replay_id=replay_id, actor=ACTOR), replay_id)
        elif action == "paused":
            await self._step(action, lambda at: at.platform.replays.pause(replay_id=replay_id, actor=ACTOR), replay_id)
            await asyncio.sleep(self.random.random() * 10)
            # Whatever became of the pause: nobody leaves it paused.
            await self._step(
                "resumed", lambda at: at.platform.replays.resume(replay_id=replay_id, actor=ACTOR), replay_id
            )

    async def _step(self, action: str, work: Callable[[Instance], Awaitable[Replay]], replay_id: str) -> None:
        if await self._insist(action, work, tries=_STEERING_TRIES) is not None:
            self.steered.append(Steered(replay_id, action))

    async def _insist(self, what: str, work: Callable[[Instance], Awaitable[Replay]], *, tries: int) -> Replay | None:
        for _ in range(tries):
            result = await self.clients.ask(f"replay {what}", work)
            if isinstance(result, Replay):
                return result
            if isinstance(result, ConflictError):
                return None  # another one runs, or it is over
            if not isinstance(result, Killed | UnavailableError | StorageError):
                self.broken.append(f"defect: {what} of a replay: {result!r}")
                return None
            await asyncio.sleep(self.random.random() * 4)
        return None

    def _request(self, name: str, **fields: object) -> ReplayRequest:
        wanted = {
            "filter": FailureFilter(),
            "reason": "mended",
            "ticket": TICKET,
            "requestedBy": ACTOR,
            "ratePerSecond": 500,
            "canary": 0,
            "stopAfterFailures": 100_000,
            "requestId": name,
            **fields,
        }
        return ReplayRequest.model_validate(wanted)
