"""`./ops failures`: what will not reach its goal by itself, why, and what to do about it."""

import base64
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import typer
from rich.text import Text

from local.ops.api import segment
from local.ops.command import Session, app_for, command
from local.ops.exits import Exit, OpsError
from local.ops.screen import Screen, moment, styled

app = app_for("failures", "What will not reach its goal by itself.")
_SHOWN_BYTES = 400


class Kind(StrEnum):
    """Why it failed."""

    REJECTED = "rejected"
    EXHAUSTED = "exhausted"
    UNDELIVERABLE_MESSAGE = "undeliverableMessage"
    PROGRAMMING_ERROR = "programmingError"


class State(StrEnum):
    """What became of it."""

    OPEN = "open"
    REPLAYING = "replaying"
    RESOLVED = "resolved"
    SUPERSEDED = "superseded"
    DISMISSED = "dismissed"


KindOption: TypeAlias = Annotated[Kind | None, typer.Option("--kind", help="Why it failed.", show_default=False)]
CodeOption: TypeAlias = Annotated[str | None, typer.Option("--code", help="The reason's code.", show_default=False)]
CustomerOption: TypeAlias = Annotated[
    str | None, typer.Option("--customer", help="Of one customer, cus_…", show_default=False)
]
AfterOption: TypeAlias = Annotated[
    str | None, typer.Option("--after", help="Failed then or later, like 2026-03-01T04:00:00Z.", show_default=False)
]
BeforeOption: TypeAlias = Annotated[str | None, typer.Option("--before", help="Failed earlier.", show_default=False)]
_StateOption: TypeAlias = Annotated[State, typer.Option("--state", help="What became of it.")]
_FailureId: TypeAlias = Annotated[str, typer.Argument(help="The failure's id, fai_…", show_default=False)]
_FailureIds: TypeAlias = Annotated[list[str], typer.Argument(help="Ids of failures, fai_…", show_default=False)]
_Reason: TypeAlias = Annotated[str, typer.Option("--reason", help="Why; it goes to the audit.", show_default=False)]


@command(app, "list")
def list_failures(
    session: Session,
    *,
    kind: KindOption = None,
    code: CodeOption = None,
    customer: CustomerOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    state: _StateOption = State.OPEN,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
) -> Exit:
    """List failures, newest first; the open ones unless another state is asked for."""
    query = {**wanted(kind, code, customer, after, before), "state": state.value}
    items, complete = session.api.items("/failures", query, at_most=limit)
    session.screen.show({"items": items, "complete": complete}, lambda: _draw_list(session.screen, items, complete))
    return Exit.FINE


@command(app, "groups")
def groups(
    session: Session,
    *,
    kind: KindOption = None,
    code: CodeOption = None,
    customer: CustomerOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    state: _StateOption = State.OPEN,
) -> Exit:
    """Count failures by their cause, the largest group first."""
    query = {**wanted(kind, code, customer, after, before), "state": state.value}
    found = session.api.read("/failures/groups", query)
    session.screen.show(found, lambda: draw_groups(session.screen, found))
    return Exit.FINE


@command(app, "show")
def show(
    session: Session,
    failure_id: _FailureId,
    message: Annotated[
        bool, typer.Option("--message", help="Write the poisoned message alone, byte for byte, for a file.")
    ] = False,
) -> Exit:
    """Tell all about one failure: why, since when, what was done about it, and the poisoned message if it is one."""
    found = session.api.read(f"/failures/{segment(failure_id)}")
    if not message:
        session.screen.show(found, lambda: _draw_one(session.screen, found))
        return Exit.FINE
    if found.get("message") is None:
        raise OpsError("This failure is no message: nothing was poisoned.", Exit.NOT_FOUND)
    sys.stdout.buffer.write(base64.b64decode(found["message"]))
    return Exit.FINE


@command(app, "dismiss")
def dismiss(session: Session, failure_ids: _FailureIds, reason: _Reason) -> Exit:
    """Take failures off the list of what is open, with a reason. Doing it again changes nothing."""
    return _each(session, failure_ids, lambda one: session.api.write(f"/failures/{one}/dismiss", {"reason": reason}))


@command(app, "restore")
def restore(session: Session, failure_ids: _FailureIds, reason: _Reason) -> Exit:
    """Put dismissed failures back on the list of what is open. Doing it again changes nothing."""
    return _each(session, failure_ids, lambda one: session.api.write(f"/failures/{one}/restore", {"reason": reason}))


def wanted(
    kind: Kind | None, code: str | None, customer: str | None, after: str | None, before: str | None
) -> dict[str, str]:
    """Return which failures are meant, in the words of the API."""
    given = {
        "kind": kind.value if kind else None,
        "code": code,
        "customerId": customer,
        "failedAfter": after,
        "failedBefore": before,
    }
    return {name: value for name, value in given.items() if value is not None}


def draw_groups(screen: Screen, found: dict[str, Any]) -> None:
    """Show groups, their counts and times."""
    rows = [
        (
            group["count"],
            group["kind"],
            group["code"],
            group["queue"],
            _short(group["firstSeen"]),
            _short(group["lastSeen"]),
        )
        for group in found.get("groups") or []
    ]
    if not rows:
        screen.say("No failures.")
        return
    screen.table(("Count", "Kind", "Code", "Queue", "First seen", "Last seen"), rows, numbers=("Count",))
    if not found.get("complete", True):
        screen.say("There are more than were counted.", "yellow")


def _draw_list(screen: Screen, items: list[dict[str, Any]], complete: bool) -> None:
    if not items:
        screen.say("No failures.")
        return
    rows = [
        (
            item["id"],
            item["code"],
            item.get("entityId"),
            item.get("version"),
            _short(item["lastFailedAt"]),
            _tries(item),
        )
        for item in items
    ]
    names = ("Failure", "Code", "Customer", "Ver", "Last failed", "Tries")
    screen.table(names, rows, numbers=("Ver", "Tries"))
    if not complete:
        screen.note("There are more: --limit shows them.", "yellow")


def _draw_one(screen: Screen, found: dict[str, Any]) -> None:
    screen.facts(
        [
            ("failure", found["id"]),
            ("state", found["state"]),
            ("kind", Text(found["kind"])),
            ("reason", f"{found['code']}: {found['text']}"),
            (str(found.get("subject") or "subject"), found.get("entityId")),
            ("version", found.get("version")),
            ("queue", found["queue"]),
            ("first failed", moment(found["firstFailedAt"])),
            ("last failed", moment(found["lastFailedAt"])),
            ("attempts", found["attempts"]),
            ("replays", found["replays"]),
            ("in the replay", found.get("replayId")),
            ("trace", found.get("traceId")),
            ("dismissed", _dismissed(found)),
            ("message", _message(found.get("message"))),
        ]
    )
    for action in found.get("actions") or []:
        screen.say(f"{moment(action['at'])}  {action['action']} by {action['actor']}: {action['reason']}")


def _each(session: Session, failure_ids: list[str], change: Callable[[str], dict[str, Any]]) -> Exit:
    changed = [change(segment(failure_id)) for failure_id in failure_ids]
    rows = [(item["id"], styled(item["state"])) for item in changed]
    session.screen.show({"items": changed}, lambda: session.screen.table(("Failure", "State"), rows))
    return Exit.FINE


def _dismissed(found: dict[str, Any]) -> str | None:
    return f"by {found.get('dismissedBy')}: {found['dismissedReason']}" if found.get("dismissedReason") else None


def _message(encoded: str | None) -> str | None:
    if encoded is None:
        return None
    raw = base64.b64decode(encoded)
    shown = raw[:_SHOWN_BYTES].decode(errors="backslashreplace")
    more = f" and {len(raw) - _SHOWN_BYTES} more" if len(raw) > _SHOWN_BYTES else ""
    return f"{len(raw)} bytes: {shown}{more}"


def _short(text: str) -> str:
    return moment(text)[5:]


def _tries(item: dict[str, Any]) -> str:
    return f"{item['attempts']}" + (f"+{item['replays']}" if item["replays"] else "")
