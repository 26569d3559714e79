"""`./ops mainframe`: how the road to the mainframe does, and the pause for a maintenance window."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from local.ops.command import Session, app_for, command
from local.ops.exits import Exit, OpsError
from local.ops.screen import Screen, moment, seconds

app = app_for("mainframe", "The road to the mainframe.")
_Reason = Annotated[str, typer.Option("--reason", help="Why; it goes to the audit.", show_default=False)]
_Ticket = Annotated[str, typer.Option("--ticket", help="On whose ticket.", show_default=False)]


@command(app, "status")
def status(session: Session) -> Exit:
    """Tell whether deliveries go out, what waits and since when. Exit code 0 only when they do."""
    found = session.api.read("/mainframe")
    session.screen.show(found, lambda: draw(session.screen, found))
    return Exit.FINE if found.get("state") == "closed" else Exit.ATTENTION


@command(app, "pause")
def pause(
    session: Session,
    reason: _Reason,
    ticket: _Ticket,
    until: Annotated[
        str | None,
        typer.Option("--until", help="When it ends by itself, like 2026-03-01T04:00:00Z.", show_default=False),
    ] = None,
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, help="Instead of --until: after how long.", show_default=False)
    ] = None,
) -> Exit:
    """Hold all deliveries back for a maintenance window. Writes are taken as ever."""
    if until and minutes:
        raise OpsError("Give --until or --minutes, not both.", Exit.USAGE)
    if minutes:
        ends_at = datetime.now(UTC) + timedelta(minutes=minutes)
        until = ends_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    body = {"reason": reason, "ticket": ticket} | ({"until": until} if until else {})
    return _switched(session, session.api.write("/mainframe/pause", body))


@command(app, "resume")
def resume(
    session: Session,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it goes to the audit.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="The pause's own unless given.")] = None,
) -> Exit:
    """Let deliveries go out again, oldest first at a bounded rate."""
    given = {"reason": reason, "ticket": ticket}
    return _switched(
        session, session.api.write("/mainframe/resume", {name: value for name, value in given.items() if value})
    )


@command(app, "audit")
def audit(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
) -> Exit:
    """List who paused and resumed deliveries, newest first."""
    items, complete = session.api.items("/mainframe/audit", {}, at_most=limit)
    rows = [
        (moment(item["at"]), item["action"], item["actor"], item["ticket"], item["reason"], moment(item.get("until")))
        for item in items
    ]
    names = ("At", "Action", "By", "Ticket", "Reason", "Until")
    session.screen.show({"items": items, "complete": complete}, lambda: session.screen.table(names, rows))
    return Exit.FINE


def draw(screen: Screen, found: dict[str, Any]) -> None:
    """Show how the road does."""
    failure, paused = found.get("lastFailure") or {}, found.get("pause") or {}
    more = "" if found.get("countsComplete", True) else " or more"
    screen.facts(
        [
            ("state", found.get("state")),
            ("since", moment(found.get("since"))),
            *_pause_facts(paused),
            ("last success", moment(found.get("lastSuccessAt"))),
            ("last failure", f"{failure['code']} at {moment(failure.get('at'))}" if failure else None),
            ("next probe", moment(found.get("nextProbeAt"))),
            ("parked", f"{found.get('parked')}{more}"),
            ("retrying", f"{found.get('retrying')}{more}"),
            ("on the queue", found.get("queuedMessages")),
            ("oldest undelivered", seconds(found.get("oldestUndeliveredSeconds")) or "none"),
            ("acknowledged", f"{(found.get('throughput') or {}).get('acknowledgedPerMinute', 0):g} a minute"),
        ]
    )


def _switched(session: Session, found: dict[str, Any]) -> Exit:
    facts = [
        ("state", found.get("state")),
        ("since", moment(found.get("since"))),
        *_pause_facts(found.get("pause") or {}),
    ]
    session.screen.show(found, lambda: session.screen.facts(facts))
    return Exit.FINE


def _pause_facts(paused: dict[str, Any]) -> list[tuple[str, Any]]:
    if not paused:
        return []
    return [
        ("paused by", f"{paused.get('by')}, {paused.get('ticket')}: {paused.get('reason')}"),
        ("until", moment(paused.get("until")) or "somebody resumes"),
    ]
