"""Which statement holds, how consent stands at a moment, and what is allowed: rule by rule, and for any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.consents.models import Capture, Consent, KeptCapture
from lib.consents.rules import MOVES, Because, ConsentInvalidError, captured_from, decided, place_of, standing, state_of
from lib.consents.vocabulary import CapturedState, Channel, How, State
from tests.consents.support import at_day, capture, statement

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = at_day(0)


class TestPlaceOf:
    def test_newer_comes_first(self) -> None:
        assert place_of(capture("denied", day=2)) < place_of(capture("withdrawn", day=1))

    def test_of_one_moment_the_strictest_comes_first(self) -> None:
        """Feature 76: a tie is settled against consent."""
        same = [
            capture("withdrawn", day=1),
            capture("denied", day=1),
            capture("granted", day=1, until=5),
            capture("granted", day=1, until=9),
            capture("granted", day=1),
        ]
        backwards = same[::-1]

        assert sorted(backwards, key=place_of) == same

    def test_does_not_depend_on_when_it_was_recorded(self) -> None:
        early, late = capture("granted", day=1), capture("granted", day=1, recorded=9)

        assert place_of(early) == place_of(late)

    @given(st.integers(0, 250 * 10**12), st.integers(0, 250 * 10**12))
    def test_sorts_like_time_to_the_millisecond(self, one: int, other: int) -> None:
        first, second = (
            capture("granted").model_copy(
                update={"captured": KeptCapture(at=EPOCH + timedelta(milliseconds=ms), how=How.WEB)}
            )
            for ms in (one, other)
        )

        assert (place_of(first)[:15] < place_of(second)[:15]) == (one > other)


class TestStateOf:
    @pytest.mark.parametrize(
        ("day", "expected"),
        [(1, State.UNKNOWN), (2, State.UNKNOWN), (3, State.GRANTED), (4.999, State.GRANTED), (5, State.EXPIRED)],
    )
    def test_of_consent_is_granted_from_its_beginning_to_its_end(self, day: float, expected: State) -> None:
        given_ = capture("granted", day=2, begins=3, until=5)

        assert state_of(given_ if day >= 2 else None, at=at_day(day)) is expected

    @pytest.mark.parametrize("state", ["denied", "withdrawn"])
    def test_of_a_refusal_has_no_end(self, state: str) -> None:
        assert state_of(capture(state), at=at_day(100_000)) is State(state)


class TestCapturedFrom:
    def test_without_a_time_is_now_and_after_what_was_said_before(self) -> None:
        before = consent(capture("withdrawn", day=0))

        made = captured_from(statement("granted"), before=before, now=NOW, version=2, actor="a")

        assert made.captured.at == NOW + timedelta(milliseconds=1)
        assert place_of(made) < place_of(capture("withdrawn", day=0))

    @pytest.mark.parametrize(
        "wrong",
        [{"at": 1}, {"at": -1, "begins": -2}, {"at": -1, "until": -1}, {"at": -3, "begins": -1, "until": -2}],
    )
    def test_refuses_what_cannot_be(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ConsentInvalidError):
            captured_from(statement("granted", **wrong), before=None, now=NOW, version=1, actor="a")

    def test_takes_clocks_that_differ_a_little_as_now(self) -> None:
        made = captured_from(statement("denied", at=1 / 1440), before=None, now=NOW, version=1, actor="a")

        assert made.captured.at == NOW


class TestMoves:
    def test_name_every_move_there_is(self) -> None:
        assert set(MOVES) == {(before, said) for before in State for said in CapturedState}


class TestDecided:
    @pytest.mark.parametrize(
        ("own", "every", "allowed", "because"),
        [
            (None, None, False, "neverAsked"),
            (capture("granted"), None, True, "granted"),
            (capture("denied"), None, False, "denied"),
            (capture("withdrawn"), None, False, "withdrawn"),
            (capture("granted", day=-9, until=-1), None, False, "expired"),
            (capture("granted", day=-9, begins=1), None, False, "notYetValid"),
            (None, capture("granted"), True, "grantedForAnyChannel"),
            (None, capture("withdrawn"), False, "refusedForAnyChannel"),
            (None, capture("granted", day=-9, until=-1), False, "expired"),
            (capture("denied", day=-5), capture("granted", day=-1), False, "denied"),
            (capture("withdrawn", day=-5), capture("granted", day=-1), False, "withdrawn"),
            (capture("granted", day=-9, until=-1), capture("granted", day=-9), True, "grantedForAnyChannel"),
            (capture("granted", day=-5), capture("withdrawn", day=-1), False, "refusedForAnyChannel"),
            (capture("granted", day=-1), capture("withdrawn", day=-5), True, "granted"),
            (capture("granted", day=-1), capture("denied", day=-1), False, "refusedForAnyChannel"),
        ],
    )
    def test_missing_means_no_and_refusals_win(
        self, own: Capture | None, every: Capture | None, because: str, *, allowed: bool
    ) -> None:
        """Feature 76: whether consent allows something, and why."""
        held = {Channel.EMAIL: own, Channel.ANY: every}

        found = decided({name: one for name, one in held.items() if one}, Channel.EMAIL, at=NOW)

        assert (found.allowed, found.because) == (allowed, Because(because))

    def test_for_any_channel_only_what_was_said_of_any_counts(self) -> None:
        found = decided({Channel.EMAIL: capture("granted")}, Channel.ANY, at=NOW)

        assert (found.allowed, found.because) == (False, Because.NEVER_ASKED)


CAPTURES = st.lists(
    st.builds(
        capture,
        st.sampled_from(["granted", "denied", "withdrawn"]),
        day=st.integers(0, 4),
        until=st.sampled_from([None, 3, 6]),
        text=st.sampled_from(["t-1", "t-2"]),
    ),
    min_size=1,
    max_size=7,
)


class TestHistory:
    @given(CAPTURES, st.randoms(use_true_random=False), st.sampled_from([-1, 0, 0.5, 1, 2, 3, 4, 5, 7]))
    def test_state_at_any_time_is_the_same_whatever_the_order_of_arrival(
        self, captures: list[Capture], random: Any, day: float
    ) -> None:
        """Feature 77: the state at a moment follows from what was captured, not from when it came in."""
        shuffled = list(captures)
        random.shuffle(shuffled)

        states = [
            standing(consent(None), _holding(order, at_day(day)), at_day(day)).state for order in (captures, shuffled)
        ]

        assert states[0] is states[1] is _replayed(captures, at_day(day))


def consent(holding: Capture | None) -> Consent:
    return Consent(
        id="con_1",
        customer_id="cus_1",
        purpose="marketing",
        channel=Channel.EMAIL,
        version=1,
        state=State.UNKNOWN,
        statement=holding,
    )


def _holding(captures: list[Capture], at: datetime) -> Capture | None:
    """As storage finds it: the first in key order of those captured by then, whatever their versions."""
    numbered = [one.model_copy(update={"version": number}) for number, one in enumerate(captures, 1)]
    return min((one for one in numbered if one.captured.at <= at), key=place_of, default=None)


def _replayed(captures: list[Capture], at: datetime) -> State:
    """As a person would read the file, day by day: the last word counts, and on one day the strictest."""
    said = [one for one in captures if one.captured.at <= at]
    if not said:
        return State.UNKNOWN
    last = [one for one in said if one.captured.at == max(other.captured.at for other in said)]
    for refusal in (CapturedState.WITHDRAWN, CapturedState.DENIED):
        if any(one.state is refusal for one in last):
            return State(refusal.value)
    ends = [one.valid_until for one in last if one.valid_until]
    return State.EXPIRED if ends and at >= min(ends) else State.GRANTED
