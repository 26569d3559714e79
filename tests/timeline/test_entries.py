"""The keys of timeline entries sort by when things happened, from the first moment that is taken to the last."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from lib.timeline.entries import TimelineType, timeline_from, timeline_key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 250 * 10**12).map(lambda ms: EPOCH + timedelta(milliseconds=ms))


class TestTimelineKey:
    @given(MOMENTS, MOMENTS)
    @example(EPOCH, EPOCH + timedelta(days=1))
    def test_puts_the_newest_first(self, one: datetime, other: datetime) -> None:
        first, second = (timeline_key(moment, TimelineType.CONSENT, "x") for moment in (one, other))

        assert (first < second) == (one > other)

    @given(MOMENTS, MOMENTS)
    @example(EPOCH, EPOCH)
    def test_lies_after_the_beginning_of_its_moment_and_of_later_ones(self, one: datetime, other: datetime) -> None:
        assert (timeline_key(one, TimelineType.CONSENT, "x") >= timeline_from(other)) == (one <= other)
