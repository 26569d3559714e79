"""The circuit breaker: one row shared by all instances, so that an outage seen by one is known to all.

Closed: calls go out. Open: deliveries are parked. Half-open: one probe at a time, claimed by compare-and-swap with an
expiry, so that a probe that died does not close the road for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.ids import Ids
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table
from lib.telemetry import event_log

MAINFRAME_TABLE: Final = "mainframe"
_PARTITION: Final = "breaker"
_KEY: Final = "mainframe"
_REMEMBERED_SECONDS: Final = 1.0
_TRIES: Final = 6

_log = event_log("mainframe")


class BreakerState(StrEnum):
    """Whether calls go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "halfOpen"


class Permit(StrEnum):
    """What a delivery may do now."""

    CALL = "call"
    PROBE = "probe"
    PARK = "park"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """The breaker as it is kept. `failures` counts failed calls in a row."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_owner: str | None = None
    probe_expires_at: datetime | None = None
    last_success_at: datetime | None = None
    last_failure: str | None = None

    @classmethod
    def read(cls, row: Row | None) -> Self:
        """Return what a row keeps; without one, a closed breaker."""
        if row is None:
            return cls()
        values = row.values
        return cls(
            state=BreakerState(str(values["state"])),
            failures=int(str(values["failures"])),
            opened_at=_moment(values, "openedAt"),
            probe_at=_moment(values, "probeAt"),
            probe_owner=str(values["probeOwner"]) if "probeOwner" in values else None,
            probe_expires_at=_moment(values, "probeExpiresAt"),
            last_success_at=_moment(values, "lastSuccessAt"),
            last_failure=str(values["lastFailure"]) if "lastFailure" in values else None,
        )

    def values(self) -> dict[str, Any]:
        """Return what is kept."""
        kept: dict[str, Any] = {"state": self.state.value, "failures": self.failures}
        moments = {
            "openedAt": self.opened_at,
            "probeAt": self.probe_at,
            "probeExpiresAt": self.probe_expires_at,
            "lastSuccessAt": self.last_success_at,
        }
        kept |= {name: rfc3339(moment) for name, moment in moments.items() if moment is not None}
        if self.probe_owner is not None:
            kept["probeOwner"] = self.probe_owner
        if self.last_failure is not None:
            kept["lastFailure"] = self.last_failure
        return kept

    def permit(self, now: datetime) -> Permit:
        """Return what a delivery may do: PROBE means that it may try to claim the probe."""
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
        """Return the breaker after an answered call: closed."""
        return type(self)(last_success_at=now)

    def failed(self, now: datetime, *, reason: str, threshold: int, open_seconds: float) -> Self:
        """Return the breaker after a call without a usable answer."""
        failures = self.failures + 1
        counted = replace(self, failures=failures, last_failure=reason)
        if self.state is BreakerState.CLOSED and failures < threshold:
            return counted
        return replace(
            counted,
            state=BreakerState.OPEN,
            opened_at=self.opened_at or now,
            probe_at=now + timedelta(seconds=open_seconds),
            probe_owner=None,
            probe_expires_at=None,
        )


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
        return BreakerView.read(await self.table.get(_PARTITION, _KEY))

    async def permit(self) -> Permit:
        """Return what a delivery may do now; PROBE means that this delivery, and no other, has the probe."""
        now = self.clock.now()
        if self._remembers(now):
            return Permit.CALL
        for _ in range(_TRIES):
            row = await self.table.get(_PARTITION, _KEY)
            view = BreakerView.read(row)
            self._remember(view, now)
            permit = view.permit(now)
            if permit is not Permit.PROBE:
                return permit
            claim = view.claimed(self.ids.new("prb"), until=now + timedelta(seconds=self.probe_seconds))
            if await self._swap(row, claim):
                return Permit.PROBE
        return Permit.PARK

    async def succeed(self) -> None:
        """Record an answered call."""
        now = self.clock.now()
        if self._remembers(now) and self._remembered.failures == 0:
            return
        await self._record(lambda view: view.succeeded(now))

    async def fail(self, reason: str) -> None:
        """Record a call without a usable answer."""
        now = self.clock.now()
        self._remembered_at = None
        await self._record(
            lambda view: view.failed(now, reason=reason, threshold=self.threshold, open_seconds=self.open_seconds)
        )

    async def _record(self, change: Callable[[BreakerView], BreakerView]) -> None:
        for _ in range(_TRIES):
            row = await self.table.get(_PARTITION, _KEY)
            before = BreakerView.read(row)
            after = change(before)
            if await self._swap(row, after):
                if after.state is not before.state:
                    _log.warning("breaker.moved", before=before.state, after=after.state, failures=after.failures)
                return
        # Others are recording at the same moment; what they record says the same.
        _log.info("breaker.contended")

    async def _swap(self, row: Row | None, view: BreakerView) -> bool:
        write = Insert(_KEY, view.values()) if row is None else Replace(_KEY, view.values(), row.etag)
        try:
            await self.table.write(_PARTITION, write)
        except (RowExistsError, RowChangedError, OutcomeUnknownError):
            return False
        self._remember(view, self.clock.now())
        return True

    def _remembers(self, now: datetime) -> bool:
        if self._remembered_at is None or self._remembered.state is not BreakerState.CLOSED:
            return False
        return abs((now - self._remembered_at).total_seconds()) < _REMEMBERED_SECONDS

    def _remember(self, view: BreakerView, now: datetime) -> None:
        self._remembered, self._remembered_at = view, now


def _moment(values: Mapping[str, Any], name: str) -> datetime | None:
    return parse_rfc3339(str(values[name])) if name in values else None
