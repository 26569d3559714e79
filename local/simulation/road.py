"""The road to the mainframe in a simulation: calls that time out, replies that are lost, moods, and a record of all."""

import asyncio
import hashlib
from dataclasses import dataclass, field

from lib.mainframe.errors import MainframeUnreachableError, NoAnswerError
from lib.mainframe.protocol import Reply, ReturnCode
from local.mainframe.memory import AppliedUpdate, MemoryMainframe
from local.simulation.activity import Activity, current_activity
from local.simulation.network import Network
from local.simulation.plan import MOODS, Fault, Sort

CONNECT_SECONDS = 1.0
CALL_SECONDS = 4.0

_REPLIES = {Fault.BUSY: Reply(code=ReturnCode.BUSY), Fault.ABEND: Reply(code=ReturnCode.ABENDED)}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two handlers that called for one subject at once, and how long ago the older of their leases was taken."""

    key: str
    first: Activity
    second: Activity
    oldest_lease_seconds: float


@dataclass
class Road:
    """Implements `lib.mainframe.link.Link` for every instance."""

    network: Network
    mainframe: MemoryMainframe
    seed: int
    calls: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    rejections: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    overlaps: list[Overlap] = field(default_factory=list[Overlap])
    mended: bool = False
    _calling: dict[str, list[Activity]] = field(default_factory=dict[str, list[Activity]])

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Hand over a subject's state, as the mood allows."""
        activity = current_activity()
        calling = self._calling.setdefault(key, [])
        self._notice(key, activity, calling)
        calling.append(activity)
        try:
            return await self.network.call(
                "mainframe.update",
                Sort.CALL,
                lambda: self._handle(subject, key, version, trace, body),
                about=f"{key} v{version}",
            )
        finally:
            calling.remove(activity)

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version that is held."""
        return await self.mainframe.inquire(subject=subject, key=key)

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return keys and versions after a key."""
        return await self.mainframe.browse(subject=subject, after=after, limit=limit)

    def rejects(self, key: str, version: int) -> bool:
        """Tell whether the mainframe will not take this version, before somebody mends it."""
        one_in = 0 if self.mended else self.network.plan.reject_one_in
        digest = hashlib.sha256(f"{self.seed} {key} {version}".encode()).digest()
        return one_in > 0 and int.from_bytes(digest[:4], "big") % one_in == 0

    def _notice(self, key: str, activity: Activity, calling: list[Activity]) -> None:
        now = self.network.loop.time()
        for other in calling:
            if not other.gone and other is not activity:
                oldest = min(handler.leases.get(key, now) for handler in (other, activity))
                self.overlaps.append(Overlap(key, other, activity, now - oldest))

    async def _handle(self, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        mood = self._mood()
        if mood is not None:
            self.network.fire(mood, "mainframe.update", current_activity(), disturbs=False)
        if mood is Fault.UNREACHABLE:
            await asyncio.sleep(CONNECT_SECONDS)
            raise MainframeUnreachableError
        self.calls.append((key, version))
        if mood is not None and mood in _REPLIES:
            return _REPLIES[mood]
        update = AppliedUpdate(
            subject=subject, key=key, version=version, trace=trace, body=body, previous_version=0, applied=True
        )
        reply = await self._answer(update, mood)
        if mood is None:
            return reply
        await asyncio.sleep(CALL_SECONDS)
        raise NoAnswerError

    async def _answer(self, update: AppliedUpdate, mood: Fault | None) -> Reply:
        if self.rejects(update.key, update.version):
            if mood is None:
                self.rejections.append((update.key, update.version))
            self.network.fired[Fault.REJECT, "mainframe.update"] += 1
            return Reply(code=ReturnCode.REJECTED, reason_code="E042", reason_text="not taken here")
        if mood is Fault.SILENT_LATE:
            task = self.network.loop.create_task(self._apply_late(update))
            self.network.late.add(task)
            task.add_done_callback(self.network.late.discard)
        if mood in {Fault.SILENT_LATE, Fault.SILENT_BEFORE}:
            return Reply(code=ReturnCode.ABENDED)
        return await self._apply(update)

    async def _apply(self, update: AppliedUpdate) -> Reply:
        return await self.mainframe.update(
            subject=update.subject, key=update.key, version=update.version, trace=update.trace, body=update.body
        )

    async def _apply_late(self, update: AppliedUpdate) -> None:
        await asyncio.sleep(CALL_SECONDS * 3 * self.network.random.random())
        await self._apply(update)
        self.network.tell("mainframe", f"applied late: {update.key} v{update.version}")

    def _mood(self) -> Fault | None:
        network = self.network
        if network.over:
            return None
        for window in network.plan.windows:
            if window.fault in MOODS and window.holds(network.loop.time(), "mainframe.update"):
                return window.fault
        draw = network.random.random()
        for mood in MOODS:
            draw -= network.plan.rates.get(mood, 0.0)
            if draw < 0:
                return mood
        return None
