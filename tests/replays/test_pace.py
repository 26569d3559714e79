"""The rate of a replay: kept within 5 % however slow the slices are, never exceeded after a crash or a pause."""

from datetime import timedelta

import pytest

from lib.clock import FixedClock
from lib.replays.models import Counts, Replay, ReplayRequest, ReplayState
from lib.replays.pace import MADE_UP_SECONDS, allowance, anchored, seconds_to_next

CLOCK = FixedClock()
NOW = CLOCK.now()


def replay(*, rate: float = 100, selected: int = 10_000, **fields: object) -> Replay:
    return Replay(
        id="rpl_1",
        request=ReplayRequest.model_validate(
            {"filter": {}, "reason": "r", "ticket": "t", "requestedBy": "b", "ratePerSecond": rate, "canary": 2}
        ),
        state=ReplayState.RUNNING,
        created_at=NOW,
        updated_at=NOW,
    ).with_(counts=Counts(selected=selected, waiting=selected), **fields)


class TestAllowance:
    @pytest.mark.parametrize("rate", [0.3, 1, 7.5, 100, 500])
    @pytest.mark.parametrize("slice_seconds", [1.0, 1.7, 3.1])
    def test_keeps_the_rate_with_slices_of_any_length(self, rate: float, slice_seconds: float) -> None:
        state, now = anchored(replay(rate=rate), NOW, afresh=True), NOW
        while (now - NOW).total_seconds() < 60:
            state = anchored(state, now, afresh=False)
            allowed = allowance(state, now)
            # What is sent is delivered at once here.
            after = state.counts.model_copy(
                update={"waiting": state.counts.waiting - allowed, "replayed": state.counts.replayed + allowed}
            )
            state = state.with_(sent=state.sent + allowed, counts=after)
            now += timedelta(seconds=max(slice_seconds, seconds_to_next(state, now)))

        asked = min(10_000, rate * (now - NOW).total_seconds())
        assert asked - rate * 5 - 1 <= state.sent <= asked + 1

    def test_makes_up_for_a_slow_slice_but_not_for_a_long_absence(self) -> None:
        state = anchored(replay(), NOW, afresh=True)
        late, later = NOW + timedelta(seconds=3), NOW + timedelta(minutes=10)

        assert allowance(anchored(state, late, afresh=False), late) == 301
        assert allowance(anchored(state, later, afresh=False), later) == 100 * MADE_UP_SECONDS + 1
        assert allowance(anchored(state, later, afresh=True), later) == 1

    def test_waits_for_outcomes_when_the_mainframe_is_slower_than_the_rate(self) -> None:
        state = anchored(replay(rate=10, sent=600), NOW, afresh=True)
        late = NOW + timedelta(seconds=5)

        assert allowance(state, late) == 0
        assert seconds_to_next(state.with_(idle_slices=9), late) == 15

    def test_of_a_canary_leaves_out_who_was_superseded_unsent(self) -> None:
        counts = Counts(selected=50, waiting=47, superseded=3)
        state = anchored(replay(state=ReplayState.CANARY, sent=3).with_(counts=counts), NOW, afresh=True)

        assert allowance(state, NOW + timedelta(seconds=5)) == 2


class TestSecondsToNext:
    def test_is_when_the_next_may_be_sent_at_a_slow_rate(self) -> None:
        state = anchored(replay(rate=0.3), NOW, afresh=True).with_(sent=1)

        assert seconds_to_next(state, NOW) == pytest.approx(1 / 0.3)
        assert seconds_to_next(state.with_(request=replay(rate=0.1).request), NOW) == 5
