from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.timers.ncrontab import parse_ncrontab
from local.host.timers.schedule import is_too_frequent_to_monitor, parse_schedule

NOW = datetime(2026, 3, 4, 10, 20, 30, 500_000, tzinfo=UTC)  # a Wednesday


class TestNextAfter:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("* * * * * *", "2026-03-04T10:20:31"),
            ("*/15 * * * * *", "2026-03-04T10:20:45"),
            ("0 * * * * *", "2026-03-04T10:21:00"),
            ("* * * * *", "2026-03-04T10:21:00"),
            ("0 */5 * * * *", "2026-03-04T10:25:00"),
            ("0 5/20 * * * *", "2026-03-04T10:25:00"),
            ("0 0 9-17 * * *", "2026-03-04T11:00:00"),
            ("0 30 9 * * Mon-Fri", "2026-03-05T09:30:00"),
            ("0 30 9 * * mon", "2026-03-09T09:30:00"),
            ("0 30 9 * * 0", "2026-03-08T09:30:00"),
            ("0 0 0 1 Jan *", "2027-01-01T00:00:00"),
            ("0 0 0 13 * Friday", "2026-03-13T00:00:00"),
            ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
            ("0 0 0 31 * *", "2026-03-31T00:00:00"),
            ("0 0 0 5,7 * *", "2026-03-05T00:00:00"),
            ("0 0 17-9/4 * * *", "2026-03-04T13:00:00"),
            ("30 20 10 4 3 *", "2027-03-04T10:20:30"),
        ],
    )
    def test_is_the_first_moment_later_than_now(self, expression: str, expected: str) -> None:
        assert parse_ncrontab(expression).next_after(NOW) == datetime.fromisoformat(expected + "+00:00")

    def test_wants_day_and_weekday_both(self) -> None:
        found = parse_ncrontab("0 0 0 13 * Fri").next_after(datetime(2026, 3, 13, tzinfo=UTC))

        assert found == datetime(2026, 11, 13, tzinfo=UTC)

    def test_says_when_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="never occurs"):
            parse_ncrontab("0 0 0 31 2 *").next_after(NOW)

    @given(
        minute=st.integers(0, 59),
        hour=st.integers(0, 23),
        now=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - aware by the strategy
    )
    def test_agrees_with_counting_for_daily_runs(self, minute: int, hour: int, now: datetime) -> None:
        found = parse_ncrontab(f"{minute} {hour} * * *").next_after(now)

        assert timedelta(0) < found - now <= timedelta(days=1)
        assert (found.hour, found.minute, found.second, found.microsecond) == (hour, minute, 0, 0)


class TestParse:
    @pytest.mark.parametrize(
        "expression",
        [
            "",
            "* * * *",
            "* * * * * * *",
            "60 * * * * *",
            "* 60 * * * *",
            "* * 24 * * *",
            "* * * 0 * *",
            "* * * 32 * *",
            "* * * * 13 *",
            "* * * * * 7",
            "*/0 * * * * *",
            "*/x * * * * *",
            "x * * * * *",
            ", * * * * *",
            "1- * * * * *",
            "* * * ? * *",
            "* * * L * *",
        ],
    )
    def test_refuses(self, expression: str) -> None:
        with pytest.raises(ValueError, match=r"not a valid|fields"):
            parse_ncrontab(expression)


class TestParseSchedule:
    def test_counts_a_timespan_from_the_last_run(self) -> None:
        assert parse_schedule("00:30:00").next_after(NOW) == NOW + timedelta(minutes=30)

    @pytest.mark.parametrize("text", ["00:00:00", "soon", "25:00:00", "-00:01:00"])
    def test_refuses_what_is_no_interval(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"interval|duration"):
            parse_schedule(text)

    @pytest.mark.parametrize(
        ("text", "too_frequent"),
        [
            ("0 * * * * *", False),
            ("*/30 * * * * *", True),
            ("0,30 0 0 * * *", True),
            ("00:00:59", True),
            ("00:01:00", False),
        ],
    )
    def test_is_monitored_from_one_minute_up(self, text: str, too_frequent: bool) -> None:
        assert is_too_frequent_to_monitor(parse_schedule(text), NOW) is too_frequent
