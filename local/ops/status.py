"""`./ops status`: everything at a glance, and what of it needs attention."""

from typing import Annotated, Any

import typer

from local.ops.api import UnreachableError
from local.ops.command import Session, command
from local.ops.exits import Exit
from local.ops.failures import draw_groups
from local.ops.screen import Screen, seconds

_ALERT_SECONDS = 900.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "status")(status)


def status(
    session: Session,
    oldest: Annotated[
        float, typer.Option("--oldest", min=0, help="Seconds that a change may wait before it needs attention.")
    ] = _ALERT_SECONDS,
) -> Exit:
    """Tell how everything does, and what needs attention. Exit code 0 when nothing does, else 1."""
    health = session.api.read("/health")
    untold: list[str] = []
    mainframe = _part(session, "/mainframe", untold)
    groups = _part(session, "/failures/groups", untold)
    wanting = [*_wanting(health, mainframe, groups, oldest), *untold]
    document = {"attention": wanting, "health": health, "mainframe": mainframe, "failures": groups}
    session.screen.show(document, lambda: _draw(session.screen, document))
    return Exit.ATTENTION if wanting else Exit.FINE


def _part(session: Session, path: str, untold: list[str]) -> dict[str, Any]:
    """Return a part of the whole; when it cannot be told, the others still are."""
    try:
        return session.api.read(path)
    except UnreachableError as error:
        untold.append(str(error))
        return {}


def _wanting(health: dict[str, Any], mainframe: dict[str, Any], groups: dict[str, Any], oldest: float) -> list[str]:
    found: list[str] = []
    age = health.get("oldestUndeliveredSeconds")
    if isinstance(age, int | float) and age > oldest:
        found.append(f"A change has waited {seconds(age)} for the mainframe.")
    storage = health.get("storage") or {}
    if storage.get("condition") != "ok":
        found.append(f"Storage: {storage.get('detail') or storage.get('condition')}.")
    if mainframe.get("state", "closed") != "closed":
        found.append(f"Deliveries to the mainframe do not flow: {mainframe.get('state')}.")
    for name, queue in (health.get("queues") or {}).items():
        if queue.get("condition") != "ok":
            found.append(f"Queue {name}: {queue.get('detail') or queue.get('condition')}.")
        elif name.endswith("-poison") and queue.get("messages"):
            found.append(f"Queue {name} holds {queue['messages']} that nobody has taken in.")
    failures = sum(group["count"] for group in groups.get("groups") or [])
    if failures:
        found.append(f"Open failures: {failures}.")
    return found


def _draw(screen: Screen, document: dict[str, Any]) -> None:
    health, mainframe = document["health"], document["mainframe"]
    storage = (health.get("storage") or {}).get("condition")
    queues: dict[str, Any] = health.get("queues") or {}
    filled = ", ".join(f"{name} {queue['messages']}" for name, queue in queues.items() if queue.get("messages"))
    screen.facts(
        [
            ("health", health.get("status")),
            ("storage", storage),
            ("queues", filled or "empty"),
            ("mainframe", mainframe.get("state")),
            ("undelivered", f"{mainframe['parked']} parked, {mainframe['retrying']} retrying" if mainframe else None),
            (
                "oldest undelivered",
                seconds(health.get("oldestUndeliveredSeconds")) or ("none" if storage == "ok" else ""),
            ),
        ]
    )
    if document["failures"].get("groups"):
        screen.say("")
        draw_groups(screen, document["failures"])
    screen.say("")
    for sentence in document["attention"]:
        screen.say(f"! {sentence}", "yellow")
    if not document["attention"]:
        screen.say("Nothing needs attention.", "green")
