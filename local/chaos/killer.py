"""Brings hosts down by plan and back up: killed at every point or anywhere, drained, stopped longer than leases."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from local.chaos.fleet import Fleet, Host
from local.chaos.points import KILL_POINTS, RARE_KILL_POINTS, STOPPED_DELIVERY, STOPPED_WRITER, Point

_SPRING_SECONDS: Final = 8.0
_RARE_SPRING_SECONDS: Final = 20.0
_TRIES: Final = 8
_MARGIN_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that is done to a host. Without a point: at any moment."""

    name: str
    point: Point | None = None
    tries: int = 0


@dataclass
class Killer:
    """Deals the blows, one at a time to each host, until none is left."""

    fleet: Fleet
    random: Random
    per_point: int
    rare_per_point: int
    others: int
    dealt: Counter[str] = field(default_factory=Counter[str])
    missed: list[str] = field(default_factory=list[str])
    pauses: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    _left: list[Blow] = field(default_factory=list[Blow])
    _in_hand: int = 0

    def plan(self) -> Sequence[Blow]:
        """Draw the order of all blows."""
        points = [point for point in KILL_POINTS for _ in range(self.per_point)]
        rare = [point for point in RARE_KILL_POINTS for _ in range(self.rare_per_point)]
        blows = [Blow(f"killed {point.name}", point) for point in (*points, *rare)]
        blows += [Blow(STOPPED_WRITER.name, STOPPED_WRITER) for _ in range(self.per_point)]
        blows += [Blow(STOPPED_DELIVERY.name, STOPPED_DELIVERY) for _ in range(self.others)]
        for name in ("killed anywhere", "drained and restarted", "stopped longer than a queue lease"):
            blows += [Blow(name)] * self.others
        self.random.shuffle(blows)
        self._left = blows
        return tuple(blows)

    @property
    def left(self) -> int:
        """How many blows are still to be dealt, those in hand included."""
        return len(self._left) + self._in_hand

    def stop(self) -> None:
        """Deal no more blows; those that are left count as missed."""
        self.missed += [blow.name for blow in self._left]
        self._left.clear()

    async def strike(self, host: Host, turn: asyncio.Lock) -> None:
        """Deal blows to one host until none is left. Only who has the `turn` stops one, so that another still works."""
        while self._left:
            blow = self._left.pop()
            self._in_hand += 1
            if blow.point in {STOPPED_WRITER, STOPPED_DELIVERY} or blow.name.startswith("stopped"):
                async with turn:
                    dealt = await self._stop(host, blow)
            else:
                dealt = await self._bring_down(host, blow)
            self._in_hand -= 1
            if dealt:
                self.dealt[blow.name] += 1
            elif blow.tries < _TRIES:
                self._left.insert(0, Blow(blow.name, blow.point, blow.tries + 1))
            else:
                self.missed.append(blow.name)

    async def _bring_down(self, host: Host, blow: Blow) -> bool:
        if blow.point is not None:
            host.door.arm(blow.point.trap)
            seconds = _RARE_SPRING_SECONDS if blow.point in RARE_KILL_POINTS else _SPRING_SECONDS
            if not await host.door.springs(within_seconds=seconds):
                return False
            await host.ended()
        elif blow.name == "drained and restarted":
            await self._anywhere()
            await host.drain()
        else:
            await self._anywhere()
            await host.kill()
        await host.start()
        return True

    async def _stop(self, host: Host, blow: Blow) -> bool:
        wanted = self.fleet.settings
        lease, window = float(wanted["LOCAL_QUEUE_LEASE_SECONDS"]), float(wanted["COMMIT_WINDOW_SECONDS"])
        if blow.point is None:
            await self._anywhere()
            host.pause()
            seconds = lease
        else:
            host.door.arm(blow.point.trap)
            if not await host.door.springs(within_seconds=_SPRING_SECONDS):
                return False
            seconds = window if blow.point is STOPPED_WRITER else self.fleet.patience_seconds - window
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds + _MARGIN_SECONDS)
        host.resume()
        self.pauses.append((began, asyncio.get_running_loop().time()))
        return True

    async def _anywhere(self) -> None:
        await asyncio.sleep(self.random.uniform(0.2, 1.5))
