"""What is made of looks at a replay: whether the counts added up, and its rate between interruptions."""

from collections.abc import Iterator

import pytest

from local.chaos.progress import Look, Progress


def look(at: float, sent: int, *, state: str = "running", selected: int = 1000, **counts: int) -> Look:
    settled = {"replayed": max(0, sent - 20), "superseded": 0, "rejectedAgain": 0}
    waiting = selected - sum(settled.values())
    return Look(at=at, state=state, sent=sent, counts={"selected": selected, "waiting": waiting, **settled, **counts})


def running(start: float, end: float, *, sent: int, per_second: int = 20) -> Iterator[Look]:
    """Return looks four times a second at a replay whose slices begin every second."""
    for quarter in range(round((end - start) * 4)):
        at = start + quarter / 4
        yield look(at, sent + per_second * int(at - start))


class TestProgress:
    def test_counts_the_rate_between_interruptions_and_not_what_was_made_up_for(self) -> None:
        progress = Progress()
        for one in running(0, 10, sent=0):
            progress.add(one)
        progress.interrupted("killed", 10)
        progress.may_go_on(10.5)
        for one in (look(10.5, 190), look(12, 190), *running(14, 24, sent=270)):
            progress.add(one)

        assert progress.per_second == pytest.approx(20)
        assert progress.interruptions[0].ended == 14
        assert progress.most_in_window == 240
        assert progress.against == []

    def test_finds_counts_that_do_not_add_up(self) -> None:
        progress = Progress()

        progress.add(look(0, 10, waiting=7))

        assert len(progress.against) == 1

    def test_finds_a_replay_that_goes_backwards(self) -> None:
        progress = Progress()
        progress.add(look(0, 100))

        progress.add(look(1, 40))

        assert len(progress.against) == 1

    def test_tells_whether_anything_moved(self) -> None:
        progress = Progress()

        assert [progress.add(look(at, sent)) for at, sent in ((0, 5), (1, 5), (2, 6))] == [True, False, True]
