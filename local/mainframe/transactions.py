"""Run a transaction: in a region, as long as it takes, with the fault that hits it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any

from lib.mainframe.errors import RecordError
from lib.mainframe.frames import framed
from lib.mainframe.layout import Layout
from lib.mainframe.layouts import SUBJECT_LAYOUTS
from lib.mainframe.protocol import (
    Browse,
    Inquiry,
    Reply,
    Request,
    ReturnCode,
    UpdateRequest,
    encode_reply,
    holding_body,
    key_of,
    listing_body,
    transaction_of,
)
from local.mainframe import faults
from local.mainframe.faults import Fault, FaultBoard
from local.mainframe.flights import Caller, Flights
from local.mainframe.latency import FixedLatency, LognormalLatency, UniformLatency
from local.mainframe.master import OUTCOMES, MasterFile
from local.mainframe.regions import Regions
from local.mainframe.stats import Stats


class Ending(Enum):
    """What happens to the connection after a call."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets: bytes or nothing, now or later. `outcome` is the return code, or what came instead."""

    outcome: str
    data: bytes = b""
    ending: Ending = Ending.KEEP
    delay_seconds: float = 0.0
    reply: Reply | None = None
    fault: str = ""


@dataclass(slots=True)
class Transactions:
    """Runs requests against the master file."""

    master: MasterFile
    board: FaultBoard
    regions: Regions
    latency: FixedLatency | UniformLatency | LognormalLatency
    random: Random
    stats: Stats
    layouts: Mapping[str, Layout] = field(default_factory=lambda: SUBJECT_LAYOUTS)
    flights: Flights = field(init=False)

    def __post_init__(self) -> None:
        """Count flights where everything else is counted."""
        self.flights = Flights(self.stats)

    async def run(self, request: Request, caller: Caller, until_gone: Callable[[], Awaitable[None]]) -> Answer:
        """Return what the caller gets. `until_gone` waits until the caller has left."""
        self.stats.in_flight += 1
        self.stats.max_in_flight = max(self.stats.max_in_flight, self.stats.in_flight)
        try:
            if isinstance(request, UpdateRequest):
                with self.flights.one(request.subject, request.key, caller) as overlapping:
                    answer = await self._run(request, overlapping, until_gone)
            else:
                answer = await self._run(request, 0, until_gone)
        finally:
            self.stats.in_flight -= 1
        self.stats.answered(transaction_of(request), answer.outcome)
        return answer

    async def _run(self, request: Request, overlapping: int, until_gone: Callable[[], Awaitable[None]]) -> Answer:
        fault = self.board.pick(
            transaction=transaction_of(request), key=key_of(request), record=lambda: self._record_of(request)
        )
        kind = fault.kind if fault else ""
        if isinstance(fault, faults.Busy | faults.Maintenance):
            reply = await self._decline(request, _NO_REGION, overlapping)
            return _answer(request, reply, fault, self.random)
        async with self.regions.one():
            await asyncio.sleep(self.latency.seconds(self.random))
            if isinstance(fault, faults.Hang):
                await until_gone()
            if isinstance(fault, _LOST_BEFORE_APPLY):
                return Answer(_LOST_OUTCOMES[kind], ending=_LOST_ENDINGS[kind], fault=kind)
            if isinstance(fault, faults.Slow):
                await asyncio.sleep(fault.milliseconds / 1000)
            refusal = _refusal(fault)
            if refusal:
                reply = await self._decline(request, refusal, overlapping)
            else:
                reply = await self._reply(request, overlapping)
        return _answer(request, reply, fault, self.random)

    async def _decline(self, request: Request, refusal: Reply, overlapping: int) -> Reply:
        if not isinstance(request, UpdateRequest):
            return refusal
        row = await self.master.note(request, refusal.code, refusal.reason_code, overlapping=overlapping)
        return replace(refusal, held_version=row.held_version)

    async def _reply(self, request: Request, overlapping: int) -> Reply:
        match request:
            case UpdateRequest():
                return await self._update(request, overlapping)
            case Inquiry():
                held = await self.master.held(request.subject, request.key)
                version, at = (held.version, held.applied_at) if held else (0, "")
                return Reply(code=ReturnCode.APPLIED, held_version=version, body=holding_body(version, at))
            case Browse():
                entries = await self.master.browse(request.subject, request.after, request.limit)
                return Reply(code=ReturnCode.APPLIED, body=listing_body(entries))

    async def _update(self, update: UpdateRequest, overlapping: int) -> Reply:
        wrong = self._what_is_wrong(update)
        if wrong:
            return await self._decline(update, wrong, overlapping)
        row = await self.master.apply(update, overlapping=overlapping)
        if row.outcome != OUTCOMES[ReturnCode.APPLIED]:
            return Reply(code=ReturnCode.ALREADY_HELD, held_version=row.held_version)
        self.stats.last_applied_at = row.at
        return Reply(code=ReturnCode.APPLIED, held_version=row.held_version)

    def _what_is_wrong(self, update: UpdateRequest) -> Reply | None:
        layout = self.layouts.get(update.subject)
        if layout is None:
            return _rejection("SUBJECT", "no such subject")
        if not update.key:
            return _rejection("KEY", "the key is blank")
        if not update.version:
            return _rejection("VERSION", "the version is zero")
        try:
            layout.decode(update.body)
        except RecordError as error:
            return _rejection("RECORD", str(error)[:60])
        return None

    def _record_of(self, request: Request) -> Mapping[str, Any]:
        if not isinstance(request, UpdateRequest) or request.subject not in self.layouts:
            return {}
        try:
            return self.layouts[request.subject].decode(request.body)
        except RecordError:
            return {}  # rejected anyway, with its own reason


def _rejection(reason_code: str, reason_text: str) -> Reply:
    return Reply(code=ReturnCode.REJECTED, reason_code=reason_code, reason_text=reason_text)


_NO_REGION = Reply(code=ReturnCode.BUSY, reason_code="BUSY", reason_text="no region free")
_ABENDED = Reply(code=ReturnCode.ABENDED, reason_code="ASRA", reason_text="the transaction abended")

_LOST_BEFORE_APPLY = faults.Hang | faults.ResetBeforeApply | faults.TimeoutBeforeApply
_LOST_OUTCOMES = {
    "hang": "hang",
    "resetBeforeApply": "reset",
    "timeoutBeforeApply": "timeout",
    "resetAfterApply": "reset",
    "timeoutAfterApply": "timeout",
}
_LOST_ENDINGS = {
    "hang": Ending.SILENCE,
    "resetBeforeApply": Ending.RESET,
    "timeoutBeforeApply": Ending.SILENCE,
    "resetAfterApply": Ending.RESET,
    "timeoutAfterApply": Ending.SILENCE,
}


def _refusal(fault: Fault | None) -> Reply | None:
    if isinstance(fault, faults.Abend):
        return _ABENDED
    if isinstance(fault, faults.Reject):
        return _rejection(fault.reason_code, fault.reason_text)
    return None


def _answer(request: Request, reply: Reply, fault: Fault | None, random: Random) -> Answer:
    kind = fault.kind if fault else ""
    if kind in _LOST_ENDINGS:
        return Answer(_LOST_OUTCOMES[kind], ending=_LOST_ENDINGS[kind], reply=reply, fault=kind)
    data = framed(encode_reply(request, reply))
    if isinstance(fault, faults.Garbage):
        return Answer("garbage", *_garbage(fault.form, request, reply, random), reply=reply, fault=kind)
    delay_seconds = fault.milliseconds / 1000 if isinstance(fault, faults.Late) else 0.0
    return Answer(f"{reply.code:02d}", data, delay_seconds=delay_seconds, reply=reply, fault=kind)


def _garbage(form: str, request: Request, reply: Reply, random: Random) -> tuple[bytes, Ending]:
    if form == "noise":
        return random.randbytes(64), Ending.CLOSE
    if form == "short":
        return framed(encode_reply(request, reply))[:-20], Ending.CLOSE
    stranger = Inquiry(subject=request.subject, key="somebody-else")
    return framed(encode_reply(stranger, reply)), Ending.KEEP
