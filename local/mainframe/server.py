"""The mock mainframe as a whole: its port, its control port, its master file, its faults."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from lib.mainframe.layout import Layout
from lib.mainframe.layouts import SUBJECT_LAYOUTS
from local.mainframe.connections import Connections
from local.mainframe.control import ControlServer
from local.mainframe.faults import FaultBoard, parse_faults
from local.mainframe.latency import FixedLatency, Latency
from local.mainframe.listener import Listener
from local.mainframe.master import Held, JournalRow, MasterFile
from local.mainframe.regions import Regions
from local.mainframe.stats import Stats
from local.mainframe.transactions import Transactions


class Settings(BaseModel):
    """What can be set while it runs; what is not given stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency: Latency | None = None
    regions: Annotated[int, Field(ge=1, le=10_000)] | None = None


def silent(_: str) -> None:
    """Log nothing, as in tests."""


@dataclass
class MockMainframe:
    """A mainframe on this machine. `async with MockMainframe(folder) as mainframe:` takes free ports.

    Everything that the control port offers is a method here, for tests in the same process.
    """

    folder: Path
    port: int = 0
    control_port: int | None = 0  # None for no control port, where methods do
    latency: Latency = field(default_factory=lambda: FixedLatency(milliseconds=0))
    regions: int = 8
    seed: int = 0
    grace_seconds: float = 5.0
    log: Callable[[str], None] = silent
    layouts: Mapping[str, Layout] = field(default_factory=lambda: SUBJECT_LAYOUTS)

    async def __aenter__(self) -> Self:
        """Start; raises PortTakenError."""
        random = Random(self.seed)  # noqa: S311 - a stand-in's luck, repeatable by its seed
        self.stats = Stats()
        self.board = FaultBoard(random)
        self._reopen: asyncio.Task[None] | None = None
        async with contextlib.AsyncExitStack() as stack:
            control = None
            if self.control_port is not None:
                control = ControlServer(self, self.control_port)
                stack.callback(control.release)
            self._master = MasterFile(self.folder)
            stack.push_async_callback(self._master.close)
            self.stats.last_applied_at = await self._master.last_applied_at()
            self._transactions = Transactions(
                master=self._master,
                board=self.board,
                regions=Regions(self.regions),
                latency=self.latency,
                random=random,
                stats=self.stats,
                layouts=self.layouts,
            )
            self._connections = Connections(self._transactions, self.log)
            self._listener = Listener(self.port, self._connections.serve)
            stack.callback(self._listener.close)
            await self._listener.open()
            if control:
                await control.start()
                stack.push_async_callback(control.stop)
                self.control_port = control.port
            stack.push_async_callback(self._end)
            self.port = self._listener.port
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let running calls finish, then stop."""
        await self._stack.aclose()

    async def _end(self) -> None:
        if self._reopen:
            self._reopen.cancel()
        self._listener.close()
        await self._connections.close(self.grace_seconds)

    @property
    def control_url(self) -> str:
        """Return where the control port answers."""
        return f"http://127.0.0.1:{self.control_port}"

    async def set_faults(self, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Replace the faults; none clears them. Raises pydantic's ValidationError for nonsense."""
        self.board.set(parse_faults(list(wanted)))
        await self._follow_outages()
        return self.board.listing()

    def set_settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Change latency or regions. Raises pydantic's ValidationError for nonsense."""
        settings = Settings.model_validate(wanted)
        if settings.latency is not None:
            self._transactions.latency = settings.latency
        if settings.regions is not None:
            self._transactions.regions.count = settings.regions
        return {
            "latency": self._transactions.latency.model_dump(by_alias=True),
            "regions": self._transactions.regions.count,
        }

    async def held(self, key: str, subject: str | None = None) -> dict[str, Any] | None:
        """Return what the master file holds under a key, its record decoded; of any subject when none is named."""
        held: Held | None = None
        for name in [subject] if subject is not None else self.layouts:
            try:
                held = held or await self._master.held(name, key)
            except UnicodeEncodeError:
                return None  # no key on a mainframe looks like this
        if held is None:
            return None
        layout = self.layouts.get(held.subject)
        return {
            "subject": held.subject,
            "key": key,
            "version": held.version,
            "trace": held.trace,
            "appliedAt": held.applied_at,
            "record": layout.decode(held.body) if layout else held.body.hex(),
        }

    async def journal(self, *, after: int = 0, limit: int = 1000, key: str | None = None) -> list[JournalRow]:
        """Return journal rows after a sequence number, oldest first."""
        return await self._master.journal(after=after, limit=limit, key=key)

    def statistics(self) -> dict[str, Any]:
        """Return what was seen since the start."""
        regions = self._transactions.regions
        return {
            "calls": self.stats.calls_by_transaction(),
            "garbledRequests": self.stats.garbled_requests,
            "faultsFired": dict(sorted(self.board.fired.items())),
            "listening": self._listener.listening,
            "connections": {"open": self.stats.connections_open, "opened": self.stats.connections_opened},
            "inFlight": self.stats.in_flight,
            "maxInFlight": self.stats.max_in_flight,
            "regions": {
                "count": regions.count,
                "busy": regions.busy,
                "waiting": regions.waiting,
                "maxBusy": regions.max_busy,
            },
            "overlaps": self.stats.overlaps,
            "overlapsWithAbandoned": self.stats.overlaps_with_abandoned,
            "lastAppliedAt": self.stats.last_applied_at,
        }

    async def _follow_outages(self) -> None:
        """Listen or refuse as the faults say, and look again when the next of them ends by itself."""
        if self._reopen:
            self._reopen.cancel()
            self._reopen = None
        if self.board.refusing():
            if self._listener.listening:
                self._listener.refuse()
                await self._connections.hang_up_idle()
            ends_in = self.board.next_end_seconds()
            if ends_in is not None:
                self._reopen = asyncio.create_task(self._look_again(ends_in))
        else:
            self._connections.accepting = True
            await self._listener.open()

    async def _look_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._reopen = None
        await self._follow_outages()
