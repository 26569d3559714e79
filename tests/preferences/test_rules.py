"""Which statement holds, whatever the order in which they arrive."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ids import Seal
from lib.preferences.models import PreferenceKind, Preferences, Source, SourceKind
from lib.preferences.patch import PreferencesPatch, Stated
from lib.preferences.rules import PreferencesInvalidError, changed_fields, outranks, stated

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EMPTY = Preferences(customer_id="cus_1", version=0)
SEAL = Seal(b"key")


def by(days_ago: float, *, confirmed: bool = False) -> Stated:
    return Stated(source=Source(kind=SourceKind.AGENT), at=NOW - timedelta(days=days_ago), confirmed=confirmed)


def after(before: Preferences, statement: Stated, **values: Any) -> Preferences:
    return stated(before, PreferencesPatch.model_validate(values), statement, now=NOW).preferences


class TestStated:
    def test_confirmed_beats_an_unconfirmed_one_of_any_time(self) -> None:
        kept = after(EMPTY, by(300, confirmed=True), drink="tea")

        kept = after(kept, by(1), drink="coffee")

        assert kept.drink == "tea"

    def test_unconfirmed_gives_way_to_an_older_confirmed_one(self) -> None:
        kept = after(EMPTY, by(1), drink="coffee")

        kept = after(kept, by(300, confirmed=True), drink="tea")

        assert kept.drink == "tea"

    @pytest.mark.parametrize("confirmed", [True, False])
    def test_among_equals_the_latest_holds(self, *, confirmed: bool) -> None:
        kept = after(EMPTY, by(2, confirmed=confirmed), drink="tea")

        kept = after(kept, by(3, confirmed=confirmed), drink="coffee")
        kept = after(kept, by(1, confirmed=confirmed), drink="water")

        assert kept.drink == "water"

    def test_of_one_moment_the_one_recorded_later_holds(self) -> None:
        kept = after(after(EMPTY, by(1), drink="tea"), by(1), drink="coffee")

        assert kept.drink == "coffee"

    def test_withdrawal_is_a_statement_too_and_older_ones_do_not_undo_it(self) -> None:
        kept = after(after(EMPTY, by(3), drink="tea"), by(1), drink=None)

        kept = after(kept, by(2), drink="coffee")

        assert kept.drink is None
        assert kept.statements.drink is not None
        assert kept.statements.drink.withdrawn

    def test_late_withdrawal_leaves_the_newer_value(self) -> None:
        kept = after(after(EMPTY, by(1), drink="tea"), by(2), drink=None)

        assert kept.drink == "tea"

    def test_each_kind_is_judged_by_itself(self) -> None:
        kept = after(EMPTY, by(1), drink="tea")

        kept = after(kept, by(2), drink="coffee", language="en")

        assert (kept.drink, kept.language) == ("tea", "en")

    def test_merges_into_what_is_current(self) -> None:
        kept = after(EMPTY, by(2), seat={"position": "window", "zone": "front"})

        kept = after(kept, by(1), seat={"zone": None, "features": ["quiet"]})

        assert kept.as_json()["seat"] == {"position": "window", "features": ["quiet"]}

    @pytest.mark.parametrize("values", [{"seat": {}}, {"seat": {"zone": None}}, {"meal": {"code": "SPML"}}])
    def test_refuses_what_would_not_be_valid(self, values: dict[str, Any]) -> None:
        with pytest.raises(PreferencesInvalidError):
            after(EMPTY, by(1), **values)

    def test_refuses_what_was_stated_in_the_future(self) -> None:
        with pytest.raises(PreferencesInvalidError):
            after(EMPTY, by(-1), drink="tea")

    def test_takes_clocks_that_differ_a_little_as_now(self) -> None:
        kept = after(EMPTY, by(-1 / 1440), drink="tea")

        assert kept.statements.drink is not None
        assert kept.statements.drink.stated_at == NOW

    @given(
        st.lists(
            st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from(["tea", "coffee", None])),
            min_size=1,
            max_size=8,
            unique_by=lambda told: told[:2],
        ),
        st.randoms(use_true_random=False),
    )
    def test_the_order_of_arrival_decides_nothing(self, told: list[tuple[int, bool, str | None]], random: Any) -> None:
        """Feature 28: late statements take their place in the history and change no newer value."""
        shuffled = list(told)
        random.shuffle(shuffled)

        ends = []
        for order in (told, shuffled):
            kept = EMPTY
            for days, confirmed, drink in order:
                kept = after(kept, by(days, confirmed=confirmed), drink=drink)
            ends.append((kept.drink, kept.statements.drink and kept.statements.drink.stated_at))

        best = max(told, key=lambda one: (one[1], -one[0]))
        assert ends[0] == ends[1] == (best[2], NOW - timedelta(days=best[0]))


class TestOutranks:
    def test_anything_outranks_nothing(self) -> None:
        one = after(EMPTY, by(1), drink="tea").statements.drink

        assert one is not None
        assert outranks(one, None)


class TestChangedFields:
    def test_veil_what_tells_of_faith_or_health(self) -> None:
        patch = PreferencesPatch.model_validate({"meal": {"code": "KSML"}, "accessibility": ["WCHR"], "drink": "tea"})
        outcome = stated(EMPTY, patch, by(1), now=NOW)

        fields = {field["field"]: field["new"] for field in changed_fields(EMPTY, outcome, seal=SEAL)}

        assert fields["/drink"] == "tea"
        assert fields["/meal"].startswith("hmac-sha256:")
        assert fields["/accessibility"].startswith("hmac-sha256:")

    def test_tell_a_statement_that_does_not_hold_apart(self) -> None:
        kept = after(EMPTY, by(1), drink="tea")
        outcome = stated(kept, PreferencesPatch(drink="coffee"), by(2), now=NOW)

        fields = changed_fields(kept, outcome, seal=SEAL)

        assert fields == [{"field": "/statements/drink", "old": None, "new": "coffee"}]


class TestPreferences:
    def test_every_kind_has_a_value_and_a_statement(self) -> None:
        numbers = count()
        values: dict[str, Any] = {
            "seat": {"position": "window"},
            "meal": {"code": "VGML"},
            "drink": "tea",
            "language": "en",
            "channel": "email",
            "accessibility": ["WCHR"],
            "interests": [f"golf {next(numbers)}"],
        }

        kept = after(EMPTY, by(1), **values)

        assert kept.as_json() == values
        assert set(values) == set(PreferenceKind)
        assert all(kept.statements.of(kind) for kind in PreferenceKind)
