"""What we decide about cases: what is a valid one, and what a change, a move and a comment make of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from pydantic import ValidationError

from lib.cases.models import (
    Author,
    Case,
    CaseAbout,
    CaseDraft,
    CaseItem,
    CaseMove,
    CasePatch,
    CasePriority,
    CaseReference,
    Comment,
    CommentDraft,
    RecordedCaseDraft,
    RecordedCommentDraft,
    Resolution,
    ResolutionCode,
    Visibility,
)
from lib.cases.states import ANSWERED, CASE_MOVES, SETTLED, CaseState
from lib.clock import rfc3339
from lib.errors import ConflictError, FieldProblem, InvalidError
from lib.interactions.rules import still_to_come
from lib.merging import merged
from lib.validation import problems_of

MAXIMUM_COMMENTS: Final = 10_000
MAXIMUM_COMMENTS_BEFORE_CUSTOMERS: Final = 9_000
"""From there on only staff write, so that nobody can shut them out."""
_BESIDE: Final = frozenset({"version", "updatedAt"})


class CaseInvalidError(InvalidError):
    """What was sent would not make a valid case."""

    kind = "case-invalid"
    title = "Not a valid case"


class CaseMoveError(ConflictError):
    """The case cannot go from where it stands to where it was asked to."""

    kind = "case-move-not-allowed"
    title = "The case cannot go there"

    def __init__(self, before: CaseState, after: CaseState) -> None:
        allowed = ", ".join(sorted(CASE_MOVES[before])) or "nowhere"
        super().__init__(f"A case that is {before} cannot become {after}; from here it may go: {allowed}.")


class CaseNotResolvedError(ConflictError):
    """Only what is resolved can be reopened."""

    kind = "case-not-resolved"
    title = "The case is not resolved"

    def __init__(self, state: CaseState) -> None:
        super().__init__(f"Only a resolved case is reopened; this one is {state}.")


class CaseClosedError(ConflictError):
    """The case is closed; it does not change any more."""

    kind = "case-closed"
    title = "The case is closed"

    def __init__(self) -> None:
        super().__init__("The case is closed and does not change any more; open another one that follows it.")


class CommentsFullError(ConflictError):
    """The case has as many comments as it may have."""

    kind = "case-comments-full"
    title = "No more comments"

    def __init__(self) -> None:
        super().__init__("The case takes no more comments; open another one that follows it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A case that another system looked after: its reference there, and how far it had come."""

    reference: CaseReference
    state: CaseState = CaseState.NEW
    resolution: Resolution | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Somebody opens a case for a customer: `by` says whose wish it is."""

    customer_id: str
    draft: CaseDraft
    by: Author
    elsewhere: Elsewhere | None = None


def opened(opening: Opening, *, case_id: str, items: Sequence[CaseItem], actor: str, at: datetime) -> Case:
    """Return the case that is opened, with what its items are like now.

    Raises:
        CaseInvalidError: it came in the future; or it was looked after elsewhere, and how it ended cannot be.
    """
    draft, elsewhere = opening.draft, opening.elsewhere
    about = said_of(draft.about)
    opened_at = at
    if isinstance(draft, RecordedCaseDraft) and draft.opened_at is not None:
        if still_to_come(draft.opened_at, now=at):
            raise CaseInvalidError(
                "The case is still to come.", [FieldProblem("/openedAt", "must not be in the future")]
            )
        opened_at = min(draft.opened_at, at)
    said: dict[str, Any] = {"priority": CasePriority.NORMAL, **draft.model_dump(exclude={"opened_at", "about"})}
    case = Case(
        **said,
        comments=0,
        reopened=0,
        about=about,
        id=case_id,
        customer_id=opening.customer_id,
        version=1,
        state=CaseState.NEW,
        items=tuple(items),
        opened_by=opening.by,
        recorded_by=actor,
        recorded_at=at,
        opened_at=opened_at,
        updated_at=at,
        reference=elsewhere.reference if elsewhere else None,
    )
    return case if elsewhere is None else _told_late(case, elsewhere)


def said_of(about: CaseAbout | None) -> CaseAbout | None:
    """Return what a case is about; None when it names nothing."""
    return None if about == CaseAbout() else about


def amended(case: Case, patch: CasePatch, *, version: int, at: datetime) -> Case:
    """Return the case that a merge patch makes of one; its items stay as they were seen.

    Raises:
        CaseClosedError: it is closed.
        CaseInvalidError: the result is no valid case; pointers are into the patched case.
    """
    check_open(case)
    values = merged(case.json_values(), patch.changes())
    try:
        after = Case.model_validate({**values, "version": version, "updatedAt": rfc3339(at)})
    except ValidationError as error:
        raise CaseInvalidError("This would not be a valid case.", problems_of(error)) from None
    return after.model_copy(update={"about": said_of(after.about)})


class Rule(Protocol):
    """What makes of a case the same case in another state."""

    def __call__(self, case: Case, /, *, version: int, at: datetime) -> Case:
        """Return the case in its new state. Raises what the rule refuses."""
        ...


def moved(case: Case, move: CaseMove, *, version: int, at: datetime) -> Case:
    """Return the case in another state. What is settled has a resolution; what is reopened has none any more.

    Raises:
        CaseMoveError: it cannot go there from here.
        CaseInvalidError: a resolution is missing, or does not belong there.
    """
    if move.state not in CASE_MOVES[case.state]:
        raise CaseMoveError(case.state, move.state)
    changes: dict[str, Any] = {"state": move.state, "version": version, "updated_at": at}
    if move.state not in SETTLED:
        if move.resolution is not None:
            raise _wrong_resolution(f"does not belong to a case that is {move.state}")
        return case.model_copy(update={**changes, **_reopened(case)})
    if case.resolution is not None and move.resolution not in (None, case.resolution):
        raise _wrong_resolution("is told already; reopen the case to give it another one")
    resolution = case.resolution or move.resolution
    if resolution is None:
        raise _wrong_resolution(f"is required of a case that is {move.state}")
    changes |= {"resolution": resolution, "resolved_at": case.resolved_at or at}
    if move.state is CaseState.CLOSED:
        changes["closed_at"] = at
    return case.model_copy(update=changes)


def reopened(case: Case, *, version: int, at: datetime) -> Case:
    """Return a resolved case open again, without its resolution.

    Raises:
        CaseNotResolvedError, CaseClosedError: it is not.
    """
    check_open(case)
    if case.state is not CaseState.RESOLVED:
        raise CaseNotResolvedError(case.state)
    return moved(case, CaseMove(state=CaseState.OPEN), version=version, at=at)


def withdrawn(case: Case, *, version: int, at: datetime) -> Case:
    """Return the case closed because the customer does not pursue it any more; a resolution that it has stays.

    Raises:
        CaseClosedError: it is closed already.
    """
    check_open(case)
    resolution = case.resolution or Resolution(code=ResolutionCode.WITHDRAWN)
    return moved(case, CaseMove(state=CaseState.CLOSED, resolution=resolution), version=version, at=at)


def commented(case: Case, draft: CommentDraft, *, actor: str, version: int, at: datetime) -> tuple[Case, Comment]:
    """Return the case with one more comment, and the comment.

    What a customer says takes a case that waited for it, or that was held for resolved, back to open.

    Raises:
        CaseClosedError: it is closed.
        CommentsFullError: it has as many comments as it may have.
        CaseInvalidError: words of the customer are marked as internal.
    """
    check_open(case)
    staff = isinstance(draft, RecordedCommentDraft)
    if case.comments >= (MAXIMUM_COMMENTS if staff else MAXIMUM_COMMENTS_BEFORE_CUSTOMERS):
        raise CommentsFullError
    author = draft.author if staff else Author.CUSTOMER
    visibility = draft.visibility if staff else Visibility.PUBLIC
    if author is Author.CUSTOMER and visibility is Visibility.INTERNAL:
        problem = FieldProblem("/visibility", "must be public for the customer's words")
        raise CaseInvalidError("The comment contradicts itself.", [problem])
    comment = Comment(
        number=case.comments + 1,
        case_id=case.id,
        author=author,
        text=draft.text,
        at=at,
        visibility=visibility,
        recorded_by=actor,
    )
    changes: dict[str, Any] = {"comments": comment.number, "version": version, "updated_at": at}
    if author is Author.CUSTOMER and case.state in ANSWERED:
        changes |= {"state": CaseState.OPEN, **_reopened(case)}
    return case.model_copy(update=changes), comment


def check_open(case: Case) -> None:
    """Refuse to change a case that is closed.

    Raises:
        CaseClosedError: it is.
    """
    if case.state is CaseState.CLOSED:
        raise CaseClosedError


def changed_fields(before: Case | None, after: Case) -> list[dict[str, Any]]:
    """Return the changes as the log keeps them: a JSON pointer, what was there, and what is there now."""
    old: Mapping[str, Any] = before.json_values() if before else {}
    new = after.json_values()
    return [
        {"field": f"/{name}", "old": old.get(name), "new": new.get(name)}
        for name in sorted({*old, *new} - _BESIDE)
        if old.get(name) != new.get(name)
    ]


def _told_late(case: Case, elsewhere: Elsewhere) -> Case:
    """Return a case that was opened elsewhere in the state in which it is by now."""
    if elsewhere.state not in SETTLED:
        if elsewhere.settled_at is not None:
            problem = FieldProblem("/settledAt", f"does not belong to a case that is {elsewhere.state}")
            raise CaseInvalidError("The case is not settled.", [problem])
        if elsewhere.resolution is not None:
            raise _wrong_resolution(f"does not belong to a case that is {elsewhere.state}")
        return case.model_copy(update={"state": elsewhere.state})
    at = elsewhere.settled_at or case.recorded_at
    if at < case.opened_at or still_to_come(at, now=case.recorded_at):
        problem = FieldProblem("/settledAt", "must not be before openedAt or in the future")
        raise CaseInvalidError("The case cannot have been settled then.", [problem])
    move = CaseMove(state=elsewhere.state, resolution=elsewhere.resolution)
    told = moved(case, move, version=case.version, at=min(at, case.recorded_at))
    return told.model_copy(update={"updated_at": case.updated_at})


def _reopened(case: Case) -> dict[str, Any]:
    if case.state is not CaseState.RESOLVED:
        return {}
    return {"resolution": None, "resolved_at": None, "reopened": case.reopened + 1}


def _wrong_resolution(detail: str) -> CaseInvalidError:
    return CaseInvalidError("The resolution does not fit the state.", [FieldProblem("/resolution", detail)])
