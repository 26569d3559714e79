"""Where a case may go, and what each move takes: the table held to its own words. Feature 41."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from lib.cases.models import (
    Author,
    Case,
    CaseDraft,
    CaseMove,
    CaseType,
    CommentDraft,
    RecordedCommentDraft,
    Resolution,
    ResolutionCode,
)
from lib.cases.rules import (
    MAXIMUM_COMMENTS,
    MAXIMUM_COMMENTS_BEFORE_CUSTOMERS,
    CaseInvalidError,
    CaseMoveError,
    CommentsFullError,
    Opening,
    changed_fields,
    commented,
    moved,
    opened,
    withdrawn,
)
from lib.cases.states import CASE_MOVES, SETTLED, CaseState

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NEW_YEAR + timedelta(hours=3)
SOLVED = Resolution(code=ResolutionCode.SOLVED, text="We sent it on.")


def case(state: CaseState = CaseState.NEW) -> Case:
    draft = CaseDraft(type=CaseType.CLAIM, subject="My bag")
    opening = Opening(customer_id="cus_" + "0" * 26, draft=draft, by=Author.CUSTOMER)
    made = opened(opening, case_id="cas_" + "0" * 26, items=(), actor="public", at=NEW_YEAR)
    kept = {"resolution": SOLVED, "resolved_at": NEW_YEAR} if state in SETTLED else {}
    return made.model_copy(update={"state": state, **kept})


class TestMoves:
    def test_name_every_state(self) -> None:
        assert set(CASE_MOVES) == set(CaseState)
        assert CaseState.NEW not in set().union(*CASE_MOVES.values())

    def test_leave_every_state_but_closed_a_way_to_close(self) -> None:
        assert {state for state, targets in CASE_MOVES.items() if CaseState.CLOSED in targets} == set(CaseState) - {
            CaseState.CLOSED
        }
        assert CASE_MOVES[CaseState.CLOSED] == frozenset()

    @pytest.mark.parametrize(("before", "after"), list(product(CaseState, CaseState)))
    def test_are_those_of_the_table_and_no_others(self, before: CaseState, after: CaseState) -> None:
        """Feature 41: status machine with allowed moves."""
        move = CaseMove(state=after, resolution=SOLVED if after in SETTLED else None)

        if after in CASE_MOVES[before]:
            assert moved(case(before), move, version=2, at=LATER).state is after
        else:
            with pytest.raises(CaseMoveError) as refused:
                moved(case(before), move, version=2, at=LATER)
            assert all(state in str(refused.value) for state in CASE_MOVES[before])

    @pytest.mark.parametrize("state", sorted(SETTLED))
    def test_to_the_end_need_a_resolution(self, state: CaseState) -> None:
        """Feature 41: close needs a resolution."""
        with pytest.raises(CaseInvalidError) as refused:
            moved(case(), CaseMove(state=state), version=2, at=LATER)

        assert refused.value.problems[0].pointer == "/resolution"

    @pytest.mark.parametrize("state", sorted(set(CaseState) - SETTLED - {CaseState.NEW}))
    def test_elsewhere_take_none(self, state: CaseState) -> None:
        with pytest.raises(CaseInvalidError) as refused:
            moved(case(), CaseMove(state=state, resolution=SOLVED), version=2, at=LATER)

        assert refused.value.problems[0].pointer == "/resolution"

    def test_close_a_resolved_case_by_the_resolution_it_has(self) -> None:
        closed = moved(case(CaseState.RESOLVED), CaseMove(state=CaseState.CLOSED), version=2, at=LATER)

        assert (closed.resolution, closed.resolved_at, closed.closed_at) == (SOLVED, NEW_YEAR, LATER)

    def test_close_an_open_case_at_once(self) -> None:
        closed = moved(case(), CaseMove(state=CaseState.CLOSED, resolution=SOLVED), version=2, at=LATER)

        assert (closed.resolution, closed.resolved_at, closed.closed_at) == (SOLVED, LATER, LATER)

    def test_back_to_open_take_the_resolution_away(self) -> None:
        again = moved(case(CaseState.RESOLVED), CaseMove(state=CaseState.OPEN), version=2, at=LATER)

        assert (again.resolution, again.resolved_at, again.reopened) == (None, None, 1)

    def test_between_states_of_work_do_not_count_as_reopening(self) -> None:
        waiting = moved(case(), CaseMove(state=CaseState.WAITING_CUSTOMER), version=2, at=LATER)

        assert moved(waiting, CaseMove(state=CaseState.OPEN), version=3, at=LATER).reopened == 0


class TestWithdrawn:
    def test_says_so_unless_it_was_resolved(self) -> None:
        open_case, resolved = case(), case(CaseState.RESOLVED)

        assert withdrawn(open_case, version=2, at=LATER).resolution == Resolution(code=ResolutionCode.WITHDRAWN)
        assert withdrawn(resolved, version=2, at=LATER).resolution == SOLVED


class TestCommented:
    def test_leaves_room_for_staff(self) -> None:
        """Nobody can shut staff out of a case by writing into it without end."""
        full = case().model_copy(update={"comments": MAXIMUM_COMMENTS_BEFORE_CUSTOMERS})
        own, staff = CommentDraft(text="Hello?"), RecordedCommentDraft(text="Hello.")

        with pytest.raises(CommentsFullError):
            commented(full, own, actor="public", version=2, at=LATER)
        after, comment = commented(full, staff, actor="m.okafor", version=2, at=LATER)

        assert after.comments == comment.number == MAXIMUM_COMMENTS_BEFORE_CUSTOMERS + 1

    def test_ends_somewhere(self) -> None:
        full = case().model_copy(update={"comments": MAXIMUM_COMMENTS})

        with pytest.raises(CommentsFullError):
            commented(full, RecordedCommentDraft(text="Hello."), actor="m.okafor", version=2, at=LATER)


class TestChangedFields:
    def test_tell_every_field_but_version_and_time(self) -> None:
        before = case()
        after = before.model_copy(update={"assignee": "m.okafor", "version": 2, "updated_at": LATER})

        assert changed_fields(before, after) == [{"field": "/assignee", "old": None, "new": "m.okafor"}]
        assert changed_fields(before, before.model_copy(update={"version": 2, "updated_at": LATER})) == []
