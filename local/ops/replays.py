"""`./ops replay`: failures sent again in bulk. A dry run tells what would be sent; then one says yes, and watches."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer

from local.ops.api import segment
from local.ops.command import Session, app_for, command
from local.ops.exits import Exit, OpsError
from local.ops.failures import AfterOption, BeforeOption, CodeOption, CustomerOption, KindOption, wanted
from local.ops.screen import Screen, moment
from local.ops.watching import Look, Watch

app = app_for("replay", "Failures sent again in bulk.")
_ENDED = frozenset({"completed", "stopped", "cancelled"})
_DRY_RUN_WORDS = {"reason": "dry run", "ticket": "none"}  # a dry run leaves no trace that would want better ones
_ReplayId: TypeAlias = Annotated[str, typer.Argument(help="The replay's id, rpl_…", show_default=False)]
_Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option("--timeout", min=0, help="Seconds after which it is watched no longer.", show_default=False),
]


@command(app, "start")
def start(
    session: Session,
    *,
    failure_ids: Annotated[
        list[str] | None, typer.Argument(help="These failures, instead of a filter.", show_default=False)
    ] = None,
    kind: KindOption = None,
    code: CodeOption = None,
    customer: CustomerOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    everything: Annotated[bool, typer.Option("--everything", help="All open failures, without a filter.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it will work now.", show_default=False)] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="On whose ticket.", show_default=False)] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who asks for it; the actor unless given.")] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", help="How many a second, at most. [5 unless given]", show_default=False)
    ] = None,
    canary: Annotated[
        int | None,
        typer.Option("--canary", help="How many are sent and waited for first. [1 unless given]", show_default=False),
    ] = None,
    stop_after: Annotated[
        int | None,
        typer.Option("--stop-after", help="Stop once so many failed again. [10 unless given]", show_default=False),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option("--request-id", help="Tells this request from an equal one made before.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it is sent.")] = False,
    follow: Annotated[bool, typer.Option("--watch", help="Watch it until it has ended.")] = False,
    timeout: _Timeout = None,
) -> Exit:
    """Send failures again, after showing what would be sent. The same request twice is one replay."""
    filtered = wanted(kind, code, customer, after, before)
    carefully = {"ratePerSecond": rate, "canary": canary, "stopAfterFailures": stop_after, "requestId": request_id}
    body = {
        **_selection(failure_ids or [], filtered, everything=everything),
        "requestedBy": by or session.api.connection.actor,
        **{name: value for name, value in carefully.items() if value is not None},
    }
    words = {name: value for name, value in {"reason": reason, "ticket": ticket}.items() if value}
    if dry_run:
        return _dry_run(session, {**_DRY_RUN_WORDS, **body, **words})
    if len(words) < len(_DRY_RUN_WORDS):
        raise OpsError("A replay needs --reason and --ticket; --dry-run does not.", Exit.USAGE)
    if not yes and not _agreed(session, body | words):
        session.screen.note("Nothing was sent.")
        return Exit.ATTENTION
    started = session.api.write("/replays", body | words)
    return _Started(session, started).told(follow=follow, timeout=timeout)


@command(app, "watch")
def watch(session: Session, replay_id: _ReplayId, timeout: _Timeout = None) -> Exit:
    """Watch a replay until it has ended. Exit code 0 when all of it was delivered or superseded."""
    return _watched(session, replay_id, timeout)


@command(app, "list")
def list_replays(
    session: Session, limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20
) -> Exit:
    """List replays, newest first."""
    items, complete = session.api.items("/replays", {}, at_most=limit)
    rows = [
        (item["id"], item["state"], *_counted(item), item["request"]["ticket"], moment(item["createdAt"]))
        for item in items
    ]
    names = ("Replay", "State", "All", "Done", "Failed", "Wait", "Ticket", "Created")
    session.screen.show(
        {"items": items, "complete": complete},
        lambda: session.screen.table(names, rows, numbers=("All", "Done", "Failed", "Wait")),
    )
    return Exit.FINE


@command(app, "show")
def show(session: Session, replay_id: _ReplayId) -> Exit:
    """Tell where a replay stands. Exit code 1 when it stopped, was cancelled, or some failed again."""
    return _shown(session, session.api.read(f"/replays/{segment(replay_id)}"))


@command(app, "audit")
def audit(session: Session, replay_id: _ReplayId) -> Exit:
    """Tell every step of a replay: who, when, on whose ticket."""
    found = session.api.read(f"/replays/{segment(replay_id)}/audit")
    rows = [
        (moment(entry["at"]), entry["action"], entry["actor"], entry["ticket"], entry["detail"])
        for entry in found.get("items") or []
    ]
    session.screen.show(found, lambda: session.screen.table(("At", "Action", "By", "Ticket", "Detail"), rows))
    return Exit.FINE


@command(app, "pause")
def pause(session: Session, replay_id: _ReplayId) -> Exit:
    """Stop sending until it is resumed; what was sent is delivered."""
    return _steered(session, replay_id, "pause")


@command(app, "resume")
def resume(session: Session, replay_id: _ReplayId) -> Exit:
    """Go on where it was paused."""
    return _steered(session, replay_id, "resume")


@command(app, "cancel")
def cancel(session: Session, replay_id: _ReplayId) -> Exit:
    """End it; what it had not sent is open again."""
    return _steered(session, replay_id, "cancel")


@dataclass(frozen=True, slots=True)
class _Started:
    """What a request for a replay was answered with."""

    session: Session
    replay: dict[str, Any]

    def told(self, *, follow: bool, timeout: float | None) -> Exit:
        replay, screen = self.replay, self.session.screen
        if replay.get("state") in _ENDED:
            screen.note(
                "This very request was made before; nothing was sent now. --request-id makes it another one.", "yellow"
            )
            return _shown(self.session, replay)
        if follow:
            screen.note(f"Replay {replay['id']}")
            return _watched(self.session, replay["id"], timeout)
        screen.show(replay, lambda: _draw(screen, replay))
        screen.note(f"./ops replay watch {replay['id']}")
        return Exit.FINE


def _selection(failure_ids: list[str], filtered: dict[str, str], *, everything: bool) -> dict[str, Any]:
    if sum((bool(failure_ids), bool(filtered), everything)) != 1:
        raise OpsError(
            "Say which failures: their ids, or a filter (--kind, --code, --customer, --after, --before), "
            "or --everything.",
            Exit.USAGE,
        )
    return {"failureIds": failure_ids} if failure_ids else {"filter": filtered}


def _dry_run(session: Session, body: dict[str, Any]) -> Exit:
    found = session.api.write("/replays", {**body, "dryRun": True})
    session.screen.show(found, lambda: _draw_dry_run(session.screen, found))
    return Exit.FINE


def _agreed(session: Session, body: dict[str, Any]) -> bool:
    if session.screen.as_json or not sys.stdin.isatty():
        raise OpsError("Nobody is there to be asked: add --yes to send, or --dry-run.", Exit.USAGE)
    found = session.api.write("/replays", {**body, "dryRun": True})
    _draw_dry_run(session.screen, found)
    if not found["wouldSend"]:
        return False
    return typer.confirm(f"Send {found['wouldSend']} again?", err=True)


def _watched(session: Session, replay_id: str, timeout: float | None) -> Exit:
    path = f"/replays/{segment(replay_id)}"
    ended = Watch(session.screen, lambda: session.api.read(path), _look, timeout_seconds=timeout).run()
    return _shown(session, ended)


def _steered(session: Session, replay_id: str, step: str) -> Exit:
    found = session.api.write(f"/replays/{segment(replay_id)}/{step}")
    session.screen.show(found, lambda: _draw(session.screen, found))
    return Exit.FINE


def _shown(session: Session, replay: dict[str, Any]) -> Exit:
    session.screen.show(replay, lambda: _draw(session.screen, replay))
    unwell = replay["state"] in {"stopped", "cancelled"} or replay["counts"]["rejectedAgain"]
    return Exit.ATTENTION if unwell else Exit.FINE


def _look(replay: dict[str, Any]) -> Look:
    total, done, failed, waiting = _counted(replay)
    if total != done + failed + waiting:
        raise OpsError(f"The counts do not add up: {replay['counts']}.", Exit.ATTENTION)
    selecting = replay["state"] == "selecting"
    return Look(
        state=replay["state"],
        done=done + failed,
        total=None if selecting else total,
        words=f"{done + failed} of {total}, {failed} failed again, {waiting} wait",
        ended=replay["state"] in _ENDED,
    )


def _counted(replay: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return selected, delivered or superseded, failed again, waiting."""
    counts = replay["counts"]
    return (
        counts["selected"],
        counts["replayed"] + counts["superseded"],
        counts["rejectedAgain"],
        counts["waiting"],
    )


def _draw(screen: Screen, replay: dict[str, Any]) -> None:
    counts, request = replay["counts"], replay["request"]
    screen.facts(
        [
            ("replay", replay["id"]),
            ("state", replay["state"]),
            ("note", replay.get("note")),
            ("selected", counts["selected"]),
            ("replayed", counts["replayed"]),
            ("superseded", counts["superseded"]),
            ("rejected again", counts["rejectedAgain"]),
            ("waiting", counts["waiting"]),
            ("rate", f"{request['ratePerSecond']:g} a second, canary {request['canary']}"),
            ("asked by", f"{request['requestedBy']}, {request['ticket']}: {request['reason']}"),
            ("created", moment(replay["createdAt"])),
            ("ended", moment(replay.get("endedAt"))),
        ]
    )


def _draw_dry_run(screen: Screen, found: dict[str, Any]) -> None:
    more = "" if found["complete"] else " (there are more than were counted)"
    screen.facts(
        [
            ("selected", f"{found['selected']}{more}"),
            ("would be sent", found["wouldSend"]),
            ("superseded", found["superseded"]),
            ("no customer named", found["notReplayable"]),
        ]
    )
    rows = [
        (
            item["failureId"],
            item["code"],
            item["entityId"],
            item["failedVersion"],
            "superseded" if item["superseded"] else f"version {item['currentVersion']}",
        )
        for item in found.get("sample") or []
    ]
    if rows:
        screen.say("")
        screen.table(("Failure", "Code", "Customer", "Failed", "Would send"), rows, numbers=("Failed",))
