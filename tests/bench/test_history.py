"""What is measured as a history grows, on a copy of its own: the same calls, whatever its length."""

from dataclasses import replace

from local.bench.history import Growth, lines, measure_history


class TestMeasureHistory:
    def test_finds_the_same_calls_at_every_length(self) -> None:
        found = measure_history(rounds=1, sizes=(2, 40))

        assert {one.entries for one in found} == {2, 40}
        assert all(one.same_calls for one in found), lines(found)
        assert {one.look: one.calls for one in found if one.look != "overview"} == {
            "profile": 1,
            "timeline page": 1,
            "timeline, a kind": 1,
            "interactions": 1,
        }


class TestLines:
    def test_says_what_grows(self) -> None:
        flat = Growth(look="profile", entries=10, calls=1, p50_ms=2.0, ratio=1.4, same_calls=True)
        slower, dearer = replace(flat, ratio=1.6), replace(flat, same_calls=False)

        marked = ["GROWS" in line for line in lines([flat, slower, dearer]).splitlines()[1:]]

        assert marked == [False, True, True]
