"""Pausing deliveries for a maintenance window and resuming them, each step with who, why and on whose ticket."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from lib.clock import Clock, parse_rfc3339, rfc3339
from lib.errors import FieldProblem, InvalidError, UnavailableError
from lib.ids import Ids
from lib.mainframe.breaker import BREAKER_PARTITION, Breaker, BreakerView
from lib.mainframe.pause import Pause
from lib.paging import Cursors, Page
from lib.storage.ports import Insert, Row, Table
from lib.telemetry import current_trace, event_log

_TRIES: Final = 6
_LONGEST: Final = timedelta(days=31)
_CEILING: Final = 10**14
_AUDIT: Final = "audit~"
_LISTING: Final = "mainframe-audit"

_log = event_log("mainframe")


class PauseEndInvalidError(InvalidError):
    """The pause would end before it begins, or so late that it must be a mistake."""

    kind = "pause-invalid"
    title = "Not a valid maintenance window"

    def __init__(self, detail: str) -> None:
        super().__init__("The pause cannot end then.", [FieldProblem("/until", detail)])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One step that somebody took: paused, changed or resumed."""

    at: datetime
    action: str
    actor: str
    reason: str
    ticket: str
    until: datetime | None
    trace_id: str


@dataclass(frozen=True, slots=True)
class Pauses:
    """Steers whether deliveries go out. A step and its audit entry are one transaction."""

    table: Table
    breaker: Breaker
    clock: Clock
    ids: Ids
    cursors: Cursors

    async def pause(self, *, actor: str, reason: str, ticket: str, until: datetime | None) -> BreakerView:
        """Hold all deliveries back until they are resumed, or until a time. Asked for again, nothing changes.

        A pause that holds already is changed to the new reason, ticket and end.

        Raises:
            PauseEndInvalidError: the end is past, or over 31 days away.
            UnavailableError: it cannot be done now.
        """
        now = self.clock.now()
        if until is not None:
            until = parse_rfc3339(rfc3339(until))  # as it is kept, so that asking again compares equal
            if not now < until <= now + _LONGEST:
                raise PauseEndInvalidError("must be in the future, and at most 31 days away")
        for _ in range(_TRIES):
            kept = await self.breaker.kept()
            wanted = Pause(at=now, by=actor, reason=reason, ticket=ticket, until=until)
            holding = kept.view.paused(now)
            if holding is not None and holding.asks_the_same(wanted):
                return kept.view
            action = "paused"
            if holding is not None:
                action, wanted = "changed", replace(wanted, at=holding.at)
            after = replace(kept.view, pause=wanted)
            if await self.breaker.keep(kept, after, self._entry(action, wanted, actor=actor)):
                _log.warning("mainframe.paused", action=action, ticket=ticket, until=until)
                return after
        raise UnavailableError("The pause could not be kept now.")

    async def resume(self, *, actor: str, reason: str | None, ticket: str | None) -> BreakerView:
        """Let deliveries go out again, as far as the breaker does. Without a pause nothing changes.

        Raises:
            UnavailableError: it cannot be done now.
        """
        for _ in range(_TRIES):
            kept = await self.breaker.kept()
            holding = kept.view.paused(self.clock.now())
            if holding is None:
                return kept.view
            ended = replace(holding, reason=reason or holding.reason, ticket=ticket or holding.ticket, until=None)
            after = replace(kept.view, pause=None)
            if await self.breaker.keep(kept, after, self._entry("resumed", ended, actor=actor)):
                _log.warning("mainframe.resumed", ticket=ended.ticket)
                return after
        raise UnavailableError("The end of the pause could not be kept now.")

    async def audit_page(self, *, limit: int, cursor: str | None) -> Page[AuditEntry]:
        """Return steps, newest first.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        resume = self.cursors.take(cursor, listing=_LISTING) if cursor else None
        rows = await self.table.page(
            BREAKER_PARTITION, from_key=_AUDIT, below_key=f"{_AUDIT}~", limit=limit, resume=resume
        )
        following = self.cursors.give(rows.resume, listing=_LISTING) if rows.resume else None
        return Page([_read(row) for row in rows.rows], following)

    def _entry(self, action: str, pause: Pause, *, actor: str) -> Insert:
        now = self.clock.now()
        values: dict[str, Any] = {
            "at": rfc3339(now),
            "action": action,
            "actor": actor,
            "reason": pause.reason,
            "ticket": pause.ticket,
            "traceId": current_trace().trace_id,
        }
        if pause.until is not None:
            values["until"] = rfc3339(pause.until)
        newest_first = _CEILING - int(now.timestamp() * 1000)
        return Insert(f"{_AUDIT}{newest_first:015d}~{self.ids.new('aud')}", values)


def _read(row: Row) -> AuditEntry:
    values = row.values
    return AuditEntry(
        at=parse_rfc3339(str(values["at"])),
        action=str(values["action"]),
        actor=str(values["actor"]),
        reason=str(values["reason"]),
        ticket=str(values["ticket"]),
        until=parse_rfc3339(str(values["until"])) if "until" in values else None,
        trace_id=str(values["traceId"]),
    )
