"""`./ops reconcile`: everything that we hold compared with everything that the mainframe holds."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, TypeAlias

import typer

from local.ops.api import segment
from local.ops.command import Session, app_for, command
from local.ops.exits import Exit, OpsError
from local.ops.screen import Screen, moment
from local.ops.watching import Look, Watch

app = app_for("reconcile", "What we hold, compared with what the mainframe holds.")
_ENDED = frozenset({"completed", "cancelled"})
_DRIFTED = ("behind", "missing", "ahead", "unknownToUs", "rejected")
_Id: TypeAlias = Annotated[str, typer.Argument(help="The reconciliation's id, rec_…", show_default=False)]
_Timeout: TypeAlias = Annotated[
    float | None, typer.Option("--timeout", min=0, help="Watch it no longer than so many seconds.", show_default=False)
]


@command(app, "start")
def start(
    session: Session,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Wake up what is behind or missing.")] = False,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="Questions a second to the mainframe. [10 unless given]", show_default=False),
    ] = None,
    subjects: Annotated[
        list[str] | None,
        typer.Option("--subject", help="customer or order; both unless given.", show_default=False),
    ] = None,
    follow: Annotated[bool, typer.Option("--watch", help="Watch it until it has ended.")] = False,
    timeout: _Timeout = None,
) -> Exit:
    """Start to compare. One runs at a time, and one starts every night by itself."""
    body: dict[str, Any] = {"repair": repair} | ({"ratePerSecond": rate} if rate is not None else {})
    if subjects:
        body["subjects"] = subjects
    started = session.api.write("/reconciliations", body)
    screen = session.screen
    if follow:
        screen.note(f"Reconciliation {started['id']}")
        return _watched(session, started["id"], timeout)
    screen.show(started, lambda: _draw(screen, started))
    screen.note(f"./ops reconcile watch {started['id']}")
    return Exit.FINE


@command(app, "watch")
def watch(session: Session, reconciliation_id: _Id, timeout: _Timeout = None) -> Exit:
    """Watch it until it has ended. Exit code 0 when both sides agree, or what drifted was woken up."""
    return _watched(session, reconciliation_id, timeout)


@command(app, "list")
def list_reconciliations(
    session: Session, limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20
) -> Exit:
    """List reconciliations, newest first."""
    items, complete = session.api.items("/reconciliations", {}, at_most=limit)
    rows = [
        (
            one["id"],
            one["state"],
            one["counts"]["compared"],
            _drifted(one),
            one["requestedBy"],
            moment(one["startedAt"]),
        )
        for one in items
    ]
    names = ("Reconciliation", "State", "Compared", "Drifted", "By", "Started")
    session.screen.show(
        {"items": items, "complete": complete},
        lambda: session.screen.table(names, rows, numbers=("Compared", "Drifted")),
    )
    return Exit.FINE


@command(app, "show")
def show(session: Session, reconciliation_id: _Id) -> Exit:
    """Tell how far it is and what it counted. Exit code 1 when it found drift and did not mend it."""
    return _shown(session, session.api.read(f"/reconciliations/{segment(reconciliation_id)}"))


@command(app, "result")
def result(
    session: Session,
    reconciliation_id: _Id,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many are shown; --json writes all.")] = 100,
) -> Exit:
    """Tell which keys drifted, and how. With --json all of them, one document a line."""
    found = session.api.lines(f"/reconciliations/{segment(reconciliation_id)}/result")
    if session.screen.as_json:
        for one in found:
            sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
        return Exit.FINE
    _draw_result(session.screen, found, limit)
    return Exit.FINE


@command(app, "cancel")
def cancel(session: Session, reconciliation_id: _Id) -> Exit:
    """End it where it is; what it found stays."""
    found = session.api.write(f"/reconciliations/{segment(reconciliation_id)}/cancel")
    session.screen.show(found, lambda: _draw(session.screen, found))
    return Exit.FINE


def _watched(session: Session, reconciliation_id: str, timeout: float | None) -> Exit:
    path = f"/reconciliations/{segment(reconciliation_id)}"
    ended = Watch(session.screen, lambda: session.api.read(path), _look, timeout_seconds=timeout).run()
    return _shown(session, ended)


def _shown(session: Session, found: dict[str, Any]) -> Exit:
    session.screen.show(found, lambda: _draw(session.screen, found))
    left = _drifted(found) - found["counts"]["repaired"]
    return Exit.ATTENTION if left or found["state"] == "cancelled" else Exit.FINE


def _look(found: dict[str, Any]) -> Look:
    counts = found["counts"]
    compared = counts["compared"]
    if compared != counts["inStep"] + counts["inFlight"] + _drifted(found):
        raise OpsError(f"The counts do not add up: {counts}.", Exit.ATTENTION)
    waits = f", waits: {found['note']}" if found["state"] == "waiting" else ""
    ended = found["state"] in _ENDED
    return Look(
        state=found["state"],
        done=compared,
        total=compared if ended else None,  # how many there are is known at the end
        words=f"{compared} compared, {_drifted(found)} drifted{waits}",
        ended=ended,
    )


def _drifted(found: dict[str, Any]) -> int:
    return sum(found["counts"][kind] for kind in _DRIFTED)


def _draw(screen: Screen, found: dict[str, Any]) -> None:
    counts = found["counts"]
    screen.facts(
        [
            ("reconciliation", found["id"]),
            ("state", found["state"]),
            ("note", found.get("note")),
            ("compared", counts["compared"]),
            ("in step", counts["inStep"]),
            ("in flight", counts["inFlight"]),
            *((kind, counts[kind]) for kind in _DRIFTED),
            ("repaired", counts["repaired"] if found["repair"] else None),
            ("rate", f"{found['ratePerSecond']:g} a second"),
            ("asked by", found["requestedBy"]),
            ("started", moment(found["startedAt"])),
            ("ended", moment(found.get("endedAt"))),
        ]
    )


def _draw_result(screen: Screen, found: Iterator[dict[str, Any]], limit: int) -> None:
    rows = [
        (one["id"], one["drift"], one["ourVersion"], one["mainframeVersion"], one["acknowledgedVersion"], one["repair"])
        for one in islice(found, limit)
    ]
    if not rows:
        screen.say("Nothing drifted.")
        return
    numbers = ("Ours", "Theirs", "Confirmed")
    screen.table(("Key", "Drift", *numbers, "Repair"), rows, numbers=numbers)
    if next(found, None) is not None:
        screen.note("There are more: --limit shows them, --json writes all.", "yellow")
