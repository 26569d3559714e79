"""The circuit breaker: one row shared by all instances, so that an outage seen by one is known to all.

Closed: calls go out. Open: deliveries are parked. Half-open: one probe at a time, claimed by compare-and-swap with an
expiry, so that a probe that died does not close the road for ever. Paused: somebody said so; everything is parked and
nothing probes, and what the breaker knew before goes on when the pause ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.ids import Ids
from lib.mainframe.pause import Pause
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table
from lib.telemetry import event_log

MAINFRAME_TABLE: Final = "mainframe"
BREAKER_PARTITION: Final = "breaker"
_KEY: Final = "mainframe"
_REMEMBERED_SECONDS: Final = 1.0
# The last success is written this often while all goes well: one write, not one per delivery.
SUCCESS_NOTED_SECONDS: Final = 15.0
_TRIES: Final = 6

_log = event_log("mainframe")


class BreakerState(StrEnum):
    """Whether calls go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "halfOpen"
    PAUSED = "paused"


class Permit(StrEnum):
    """What a delivery may do now."""

    CALL = "call"
    PROBE = "probe"
    PARK = "park"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """The breaker as it is kept: what the calls told, and beside it the pause, if somebody asked for one.

    `failures` counts failed calls in a row; `last_failure` outlives the next success.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    closed_at: datetime | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_owner: str | None = None
    probe_expires_at: datetime | None = None
    last_success_at: datetime | None = None
    last_failure: str | None = None
    last_failure_at: datetime | None = None
    pause: Pause | None = None

    @classmethod
    def read(cls, row: Row | None) -> Self:
        """Return what a row keeps; without one, a closed breaker."""
        if row is None:
            return cls()
        values = row.values
        return cls(
            state=BreakerState(str(values["state"])),
            failures=int(str(values["failures"])),
            closed_at=_moment(values, "closedAt"),
            opened_at=_moment(values, "openedAt"),
            probe_at=_moment(values, "probeAt"),
            probe_owner=str(values["probeOwner"]) if "probeOwner" in values else None,
            probe_expires_at=_moment(values, "probeExpiresAt"),
            last_success_at=_moment(values, "lastSuccessAt"),
            last_failure=str(values["lastFailure"]) if "lastFailure" in values else None,
            last_failure_at=_moment(values, "lastFailureAt"),
            pause=Pause.read(values),
        )

    def values(self) -> dict[str, Any]:
        """Return what is kept."""
        kept: dict[str, Any] = {"state": self.state.value, "failures": self.failures}
        moments = {
            "closedAt": self.closed_at,
            "openedAt": self.opened_at,
            "probeAt": self.probe_at,
            "probeExpiresAt": self.probe_expires_at,
            "lastSuccessAt": self.last_success_at,
            "lastFailureAt": self.last_failure_at,
        }
        kept |= {name: rfc3339(moment) for name, moment in moments.items() if moment is not None}
        if self.probe_owner is not None:
            kept["probeOwner"] = self.probe_owner
        if self.last_failure is not None:
            kept["lastFailure"] = self.last_failure
        return kept | (self.pause.values() if self.pause else {})

    def paused(self, now: datetime) -> Pause | None:
        """Return the pause that holds now, if one does."""
        return self.pause if self.pause is not None and self.pause.holds(now) else None

    def state_at(self, now: datetime) -> BreakerState:
        """Return the state with the pause taken into account."""
        return BreakerState.PAUSED if self.paused(now) else self.state

    def since(self, now: datetime) -> datetime | None:
        """Return since when calls go out, or do not, in that state; None when nothing ever happened."""
        pause = self.paused(now)
        if pause is not None:
            return pause.at
        return self.closed_at if self.state is BreakerState.CLOSED else self.opened_at

    def permit(self, now: datetime) -> Permit:
        """Return what a delivery may do: PROBE means that it may try to claim the probe."""
        if self.paused(now):
            return Permit.PARK
        if self.state is BreakerState.CLOSED:
            return Permit.CALL
        if self.probe_at is not None and now < self.probe_at:
            return Permit.PARK
        if self.probe_expires_at is not None and now < self.probe_expires_at:
            return Permit.PARK
        return Permit.PROBE

    def claimed(self, owner: str, *, until: datetime) -> Self:
        """Return the breaker with its probe claimed."""
        return replace(self, state=BreakerState.HALF_OPEN, probe_owner=owner, probe_expires_at=until)

    def succeeded(self, now: datetime) -> Self:
        """Return the breaker after an answered call: closed. A pause stays: the call had left before it began."""
        return type(self)(
            closed_at=self.closed_at if self.state is BreakerState.CLOSED else now,
            last_success_at=now,
            last_failure=self.last_failure,
            last_failure_at=self.last_failure_at,
            pause=self.pause,
        )

    def says_so_already(self, now: datetime) -> bool:
        """Tell whether an answered call would teach it nothing: closed, no failures, and a success noted lately."""
        if self.state is not BreakerState.CLOSED or self.failures or self.last_success_at is None:
            return False
        return abs((now - self.last_success_at).total_seconds()) < SUCCESS_NOTED_SECONDS

    def failed(self, now: datetime, *, reason: str, threshold: int, open_seconds: float) -> Self:
        """Return the breaker after a call without a usable answer."""
        failures = self.failures + 1
        counted = replace(self, failures=failures, last_failure=reason, last_failure_at=now)
        if self.state is BreakerState.CLOSED and failures < threshold:
            return counted
        return replace(
            counted,
            state=BreakerState.OPEN,
            closed_at=None,
            opened_at=self.opened_at or now,
            probe_at=now + timedelta(seconds=open_seconds),
            probe_owner=None,
            probe_expires_at=None,
        )


@dataclass(frozen=True, slots=True)
class KeptBreaker:
    """The breaker with the row it was read from, so that it can be written over."""

    view: BreakerView
    row: Row | None


@dataclass(slots=True)
class Breaker:
    """Asks and tells the shared breaker. A closed breaker is remembered for a second, to save a read per delivery."""

    table: Table
    clock: Clock
    ids: Ids
    threshold: int
    open_seconds: float
    probe_seconds: float
    _remembered: BreakerView = field(default_factory=BreakerView)
    _remembered_at: datetime | None = None

    async def view(self) -> BreakerView:
        """Return the breaker as it is kept now."""
        return (await self.kept()).view

    async def kept(self) -> KeptBreaker:
        """Return the breaker with its row."""
        row = await self.table.get(BREAKER_PARTITION, _KEY)
        return KeptBreaker(BreakerView.read(row), row)

    async def keep(self, kept: KeptBreaker, view: BreakerView, *more: Insert) -> bool:
        """Write a view over the one that was read, with other rows of its partition; False when that is not certain.

        This instance knows at once, the others within a second.
        """
        row = kept.row
        write = Insert(_KEY, view.values()) if row is None else Replace(_KEY, view.values(), row.etag)
        try:
            await self.table.write(BREAKER_PARTITION, write, *more)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            self._remembered_at = None
            return False
        self._remember(view, self.clock.now())
        return True

    async def permit(self) -> Permit:
        """Return what a delivery may do now; PROBE means that this delivery, and no other, has the probe."""
        now = self.clock.now()
        if self._remembers(now):
            return Permit.CALL
        for _ in range(_TRIES):
            kept = await self.kept()
            view = kept.view
            self._remember(view, now)
            permit = view.permit(now)
            if permit is not Permit.PROBE:
                return permit
            claim = view.claimed(self.ids.new("prb"), until=now + timedelta(seconds=self.probe_seconds))
            if await self.keep(kept, claim):
                return Permit.PROBE
        return Permit.PARK

    async def succeed(self) -> None:
        """Record an answered call. While all goes well this reads once a second at most, and hardly ever writes."""
        now = self.clock.now()
        if self._remembers(now) and self._remembered.says_so_already(now):
            return
        await self._record(lambda view: view if view.says_so_already(now) else view.succeeded(now))

    async def fail(self, reason: str) -> None:
        """Record a call without a usable answer."""
        now = self.clock.now()
        self._remembered_at = None
        await self._record(
            lambda view: view.failed(now, reason=reason, threshold=self.threshold, open_seconds=self.open_seconds)
        )

    async def _record(self, change: Callable[[BreakerView], BreakerView]) -> None:
        for _ in range(_TRIES):
            kept = await self.kept()
            before = kept.view
            after = change(before)
            if after is before:
                self._remember(before, self.clock.now())
                return
            if await self.keep(kept, after):
                if after.state is not before.state:
                    _log.warning("breaker.moved", before=before.state, after=after.state, failures=after.failures)
                return
        # Others are recording at the same moment; what they record says the same.
        _log.info("breaker.contended")

    def _remembers(self, now: datetime) -> bool:
        if self._remembered_at is None or self._remembered.permit(now) is not Permit.CALL:
            return False
        return abs((now - self._remembered_at).total_seconds()) < _REMEMBERED_SECONDS

    def _remember(self, view: BreakerView, now: datetime) -> None:
        self._remembered, self._remembered_at = view, now


def _moment(values: Mapping[str, Any], name: str) -> datetime | None:
    return parse_rfc3339(str(values[name])) if name in values else None
