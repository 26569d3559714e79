import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.host.hosting import KEY, MASTER, RunningHost, copied, running, wait_until


@dataclass
class TimerBench:
    host: RunningHost
    seen_path: Path

    def seen(self, name: str) -> list[dict[str, Any]]:
        if not self.seen_path.exists():
            return []
        lines = self.seen_path.read_text(encoding="utf-8").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["name"] == name]

    def wait_seen(self, name: str, times: int = 1) -> list[dict[str, Any]]:
        return wait_until(lambda: found if len(found := self.seen(name)) >= times else None, f"{name} to run {times}x")

    def status_path(self, name: str) -> Path:
        return self.host.app_dir / ".local" / "host" / "timers" / f"{name}.json"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimerBench]:
    folder = tmp_path_factory.mktemp("timers")
    with running(copied("timers", folder), SEEN=str(folder / "seen"), EVERY="00:00:01") as host:
        yield TimerBench(host, folder / "seen")


class TestSchedule:
    def test_never_overlaps_itself_and_makes_up_for_nothing(self, bench: TimerBench) -> None:
        entries = bench.wait_seen("each_second", times=3)

        assert all(earlier["at"] <= later["started"] for earlier, later in pairwise(entries))
        assert all(later["started"] - earlier["started"] >= 1.2 for earlier, later in pairwise(entries))

    def test_goes_on_after_a_failure_and_takes_a_timespan_from_a_setting(self, bench: TimerBench) -> None:
        bench.wait_seen("each_span", times=2)

        assert "a failure that stops nothing" in bench.host.log()

    def test_keeps_no_status_of_what_runs_more_than_once_a_minute(self, bench: TimerBench) -> None:
        entry = bench.wait_seen("each_second")[0]

        assert entry["status"] == {}
        assert not bench.status_path("each_second").exists()

    def test_runs_at_startup_when_told_to(self, bench: TimerBench) -> None:
        entry = bench.wait_seen("at_startup")[0]

        assert entry["past_due"] is False
        assert entry["schedule"] == {"AdjustForDST": True}
        assert set(entry["status"]) == {"Last", "Next", "LastUpdated"}

    def test_only_writes_a_status_at_the_first_start(self, bench: TimerBench) -> None:
        status = wait_until(lambda: _read(bench.status_path("each_year")), "the status")

        assert status["Last"].startswith("0001-01-01")
        assert status["Next"].endswith("-01-01T00:00:00+00:00")
        assert not bench.status_path("unmonitored").exists()

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("never", "never occurs"), ("wrong", "not a valid second"), ("unset", "'NO_SUCH_SCHEDULE'")],
    )
    def test_leaves_out_what_can_never_be_due(self, bench: TimerBench, name: str, reason: str) -> None:
        assert reason in bench.host.get("/admin/host/status", MASTER).json()["functionErrors"][name]


class TestPastDue:
    def test_runs_once_what_was_missed_while_the_host_was_away(self, tmp_path: Path) -> None:
        app_dir = copied("timers", tmp_path)
        status_path = app_dir / ".local" / "host" / "timers" / "each_year.json"
        status_path.parent.mkdir(parents=True)
        status_path.write_text(
            json.dumps(
                {
                    "Last": "2019-01-01T00:00:00+00:00",
                    "Next": "2020-01-01T00:00:00+00:00",
                    "LastUpdated": "2019-01-01T00:00:00+00:00",
                }
            ),
            encoding="utf-8",
        )

        with running(app_dir, SEEN=str(tmp_path / "seen"), EVERY="01:00:00") as host:
            bench = TimerBench(host, tmp_path / "seen")
            entries = bench.wait_seen("each_year")
            host.wait_for_log("timer each_year is past due")
            wait_until(lambda: not _read(status_path)["Last"].startswith("2019"), "the new status")

            assert host.stop() == 0

        assert [entry["past_due"] for entry in entries] == [True]
        assert len(bench.seen("each_year")) == 1
        assert _read(status_path)["Next"] > _read(status_path)["Last"]


class TestByHand:
    def test_runs_a_timer_and_does_not_wait_for_it(self, bench: TimerBench) -> None:
        answer = bench.host.call("POST", "/admin/functions/unmonitored", headers=MASTER, body='{"input": ""}')

        assert (answer.status, answer.body) == (202, b"")
        assert bench.wait_seen("unmonitored")[0]["past_due"] is False

    @pytest.mark.parametrize(
        ("name", "headers", "body", "status"),
        [
            ("each_year", {}, "{}", 401),
            ("each_year", KEY, "{}", 401),
            ("each_year", MASTER, None, 400),
            ("each_year", MASTER, "no json", 400),
            ("nobody", MASTER, "{}", 404),
            ("never", MASTER, "{}", 404),
        ],
    )
    def test_refuses_what_it_cannot_run(
        self, bench: TimerBench, name: str, headers: dict[str, str], body: str | None, status: int
    ) -> None:
        answer = bench.host.call("POST", f"/admin/functions/{name}", headers=headers, body=body)

        assert (answer.status, answer.body) == (status, b"")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
