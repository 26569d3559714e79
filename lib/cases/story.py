"""What the timeline tells of a case: that it came in, where it stands, and that somebody answered. Pure.

The customer reads the timeline too, so what staff say and do among themselves stands in the change log alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from lib.cases.models import Author, Case, Comment, Visibility
from lib.cases.states import CaseState
from lib.timeline.entries import TimelineEntry, TimelineType

_STATES: Final[Mapping[CaseState, str]] = {
    CaseState.NEW: "Case is new",
    CaseState.OPEN: "Case is looked after",
    CaseState.WAITING_CUSTOMER: "Case waits for the customer",
    CaseState.ON_HOLD: "Case is on hold",
    CaseState.RESOLVED: "Case resolved",
    CaseState.CLOSED: "Case closed",
}
_REOPENED: Final = ("reopened", "Case reopened")
_COMMENTS: Final[Mapping[Author, str]] = {
    Author.CUSTOMER: "The customer wrote in a case",
    Author.STAFF: "The customer was written to in a case",
}


def told(before: Case | None, after: Case, comment: Comment | None = None, *, actor: str) -> Sequence[TimelineEntry]:
    """Return the timeline entries of a version of a case: none for what the customer does not see."""
    if before is None:
        return _first(after, actor)
    said = _what(before, after, comment)
    return [_entry(after, said, after.updated_at, actor=actor)] if said else []


def _first(case: Case, actor: str) -> Sequence[TimelineEntry]:
    """Return that a case came in; and, of one that is told when all was over, that it was settled."""
    opened = _entry(case, ("opened", f"Case opened: {case.type}"), case.opened_at, actor=actor)
    opened = replace(opened, channel=case.channel.value if case.channel else None, detail=case.subject)
    if case.resolved_at is None:
        return [opened]
    settled = _entry(case, (case.state.value, _STATES[case.state]), case.resolved_at, actor=actor)
    return [opened, replace(settled, id=f"{settled.id}.settled", sequence=case.version + 1)]


def _entry(case: Case, said: tuple[str, str], at: datetime, *, actor: str) -> TimelineEntry:
    kind, summary = said
    return TimelineEntry(
        id=f"{case.id}.{case.version}",
        type=TimelineType.CASE,
        kind=kind,
        happened_at=at,
        recorded_at=case.updated_at,
        summary=summary,
        actor=actor,
        reference=case.id,
        sequence=case.version,
    )


def _what(before: Case, after: Case, comment: Comment | None) -> tuple[str, str] | None:
    moved = _REOPENED if after.reopened > before.reopened else (after.state.value, _STATES[after.state])
    if comment is not None and comment.visibility is Visibility.PUBLIC:
        words = _COMMENTS[comment.author]
        return "commented", words if before.state is after.state else f"{words}; {moved[1][0].lower()}{moved[1][1:]}"
    return None if before.state is after.state else moved
