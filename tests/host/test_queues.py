import base64
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.host.hosting import MASTER, RunningHost, copied, running, wait_until
from tests.host.queueing import QueueBench


@pytest.fixture(scope="module")
def bench_maker(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], QueueBench]:
    def make() -> QueueBench:
        prefix = f"t{uuid.uuid4().hex[:12]}"  # noqa: TID251 - queues of its own
        return QueueBench(azurite.connection_string, prefix, tmp_path_factory.mktemp("seen") / "seen.jsonl")

    return make


@pytest.fixture(scope="module")
def bench(bench_maker: Callable[[], QueueBench], tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueBench]:
    """A running host; some messages were there before it, because nobody can count dequeues against it."""
    bench = bench_maker()
    bench.create("work", "plain", "value", "work-poison")
    for name in ("died-often", "died-often-in-poison"):
        queue = "plain" if name == "died-often" else "work-poison"
        bench.send(queue, name, fail_in_poison=True)
        bench.dequeue(queue, times=3)
    app_dir = copied("queues", tmp_path_factory.mktemp("queues"))
    with running(app_dir, **bench.environment()) as host:
        bench.host = host
        yield bench


def log_of(bench: QueueBench) -> RunningHost:
    assert bench.host is not None
    return bench.host


class TestDelivery:
    def test_gives_the_function_what_azure_gives_it(self, bench: QueueBench) -> None:
        message_id = bench.send("work", "ünïcode")

        entry = bench.wait_seen("ünïcode")[0]

        assert entry["id"] == message_id
        assert entry["dequeue_count"] == 1
        assert entry["function"] == "work"
        assert isinstance(entry["pop_receipt"], str)
        inserted_at, expires_at = (datetime.fromisoformat(entry[key]) for key in ("inserted_at", "expires_at"))
        assert expires_at - inserted_at == timedelta(days=7)
        assert inserted_at.utcoffset() == timedelta(0)
        # Visible again when the lease ends: two seconds in these tests, ten minutes in Azure.
        visible_at = datetime.fromisoformat(entry["visible_at"])
        assert visible_at > inserted_at

    def test_deletes_the_message_after_success_and_says_so(self, bench: QueueBench) -> None:
        message_id = bench.send("plain", "deleted")

        bench.wait_seen("deleted")
        bench.wait_count("plain", 0)

        log = log_of(bench).wait_for_log(f"queue={bench.prefix}-plain plain {message_id} dequeue=1 done")
        assert "deleted" not in log

    def test_runs_at_most_a_batch_and_the_threshold_at_once(self, bench: QueueBench) -> None:
        for number in range(14):
            bench.send("work", "crowd", seconds=0.3 + number % 4 * 0.2)

        entries = bench.wait_seen("crowd", times=14)

        assert max(entry["running"] for entry in entries) in (5, 6)
        assert all(entry["dequeue_count"] == 1 for entry in entries)

    def test_keeps_the_lease_of_a_slow_function(self, bench: QueueBench) -> None:
        bench.send("work", "slow", seconds=3.5)

        bench.wait_seen("slow")
        bench.wait_count("work", 0)

        assert len(bench.seen("slow")) == 1

    def test_does_not_create_a_missing_queue_but_finds_it_later(self, bench: QueueBench) -> None:
        log_of(bench).wait_for_log(f"queue={bench.prefix}-later it does not exist yet")
        assert bench.count("later") is None

        bench.create("later")
        bench.send("later", "found")

        assert bench.wait_seen("found")[0]["function"] == "later"


class TestFailure:
    def test_retries_after_the_visibility_timeout_and_then_poisons(self, bench: QueueBench) -> None:
        message_id = bench.send("plain", "hopeless", fail=True)

        entries = bench.wait_seen("hopeless", times=3)
        poison = wait_until(lambda: _peek_named(bench, "plain-poison", "hopeless"), "the poison message")

        assert [entry["dequeue_count"] for entry in entries] == [1, 2, 3]
        assert all(later["at"] - earlier["at"] >= 0.9 for earlier, later in pairwise(entries))
        assert poison.id != message_id
        assert poison.dequeue_count == 0
        assert poison.expires_on - poison.inserted_on == timedelta(days=7)
        assert json.loads(base64.b64decode(poison.content)) == {"name": "hopeless", "fail": True}
        log = log_of(bench).wait_for_log(f"{message_id} dequeue=3 failed; moved to")
        assert f"Message has reached MaxDequeueCount of 3. Moving message to queue '{bench.prefix}-plain-poison'" in log
        assert "as the message says" in log

    def test_wakes_the_trigger_of_the_poison_queue(self, bench: QueueBench) -> None:
        bench.send("work", "imported", fail=True)

        entries = bench.wait_seen("imported", times=4)

        assert [entry["function"] for entry in entries] == ["work", "work", "work", "imported"]
        assert entries[-1]["dequeue_count"] == 1

    def test_poisons_without_running_what_was_dequeued_too_often(self, bench: QueueBench) -> None:
        wait_until(lambda: _peek_named(bench, "plain-poison", "died-often"), "the poison message")

        assert bench.seen("died-often") == []
        assert "dequeue=4 not run; moved to" in log_of(bench).wait_for_log("not run; moved to")

    def test_poisons_what_is_not_base64_at_once_and_as_it_is(self, bench: QueueBench) -> None:
        bench.send_raw("plain", "plain text, no base64!")

        wait_until(lambda: _peek_content(bench, "plain-poison", "plain text, no base64!"), "the poison message")
        bench.wait_count("plain", 0)

        log_of(bench).wait_for_log("dequeue=1 undecodable; moved to")

    def test_fails_a_function_that_returns_what_nobody_takes(self, bench: QueueBench) -> None:
        bench.send("value", "with value")

        bench.wait_seen("with value", times=3)
        wait_until(lambda: _peek_named(bench, "value-poison", "with value"), "the poison message")

        assert "no $return binding" in log_of(bench).log()


class TestPoisonQueue:
    def test_knows_no_maximum_and_leaves_failures_hidden_until_the_lease_ends(self, bench: QueueBench) -> None:
        entries = bench.wait_seen("died-often-in-poison", times=2)

        assert [entry["dequeue_count"] for entry in entries[:2]] == [4, 5]
        assert entries[1]["at"] - entries[0]["at"] >= 1
        assert bench.count("work-poison-poison") is None
        log_of(bench).wait_for_log("left invisible, as there is no poison queue for it")


class TestLoading:
    def test_leaves_out_a_trigger_whose_settings_are_missing(self, bench: QueueBench) -> None:
        errors = log_of(bench).get("/admin/host/status", MASTER).json()["functionErrors"]

        assert "'NoSuchSetting' is missing" in errors["unconnected"]
        assert "'NO_SUCH_NAME'" in errors["unnamed"]


class TestDrain:
    def test_finishes_and_deletes_what_runs_and_takes_nothing_new(
        self, bench_maker: Callable[[], QueueBench], tmp_path: Path
    ) -> None:
        bench = bench_maker()
        bench.create("work")
        with running(copied("queues", tmp_path), **bench.environment()) as host:
            for _ in range(9):
                bench.send("work", "draining", seconds=1.5)
            bench.wait_seen("draining", times=4)

            code = host.stop()

        assert code == 0
        started = len(bench.seen("draining"))
        assert 4 <= started < 9
        assert bench.count("work") == 9 - started

    def test_is_bounded_and_the_message_comes_back(self, bench_maker: Callable[[], QueueBench], tmp_path: Path) -> None:
        bench = bench_maker()
        bench.create("work")
        with running(copied("queues", tmp_path), **bench.environment(LOCAL_DRAIN_SECONDS="1")) as host:
            bench.send("work", "endless", seconds=60)
            bench.wait_seen("endless")

            code = host.stop()

        assert code == 0
        assert "cancelled; it runs again when the lease ends" in host.log()
        assert bench.count("work") == 1

    def test_ends_at_once_at_the_second_signal(self, bench_maker: Callable[[], QueueBench], tmp_path: Path) -> None:
        bench = bench_maker()
        bench.create("work")
        with running(copied("queues", tmp_path), **bench.environment()) as host:
            bench.send("work", "interrupted", seconds=60)
            bench.wait_seen("interrupted")

            host.process.terminate()
            host.wait_for_log("draining")
            code = host.stop()

        assert code == 128 + 15
        assert bench.count("work") == 1


class TestCrash:
    def test_brings_the_message_back_when_the_lease_ends(
        self, bench_maker: Callable[[], QueueBench], tmp_path: Path
    ) -> None:
        bench = bench_maker()
        bench.create("work")
        app_dir = copied("queues", tmp_path)
        with running(app_dir, **bench.environment()) as host:
            bench.send("work", "killed", seconds=2)
            bench.wait_seen("killed")
            host.process.kill()
        with running(app_dir, **bench.environment()):
            entries = bench.wait_seen("killed", times=2)
            bench.wait_count("work", 0)

        assert [entry["dequeue_count"] for entry in entries] == [1, 2]


class TestOutage:
    def test_is_waited_out(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with Azurite(location=data) as storage:
            bench = QueueBench(storage.connection_string, "outage", tmp_path / "seen.jsonl")
            bench.create("work")
            with running(copied("queues", tmp_path), **bench.environment()) as host:
                bench.send("work", "before")
                bench.wait_seen("before")
                bench.wait_count("work", 0)

                storage.stop()
                host.wait_for_log("queue=outage-work the storage failed")
                assert host.get("/admin/host/ping").status == 200
                storage.start()
                bench.send("work", "after")

                bench.wait_seen("after")
                host.wait_for_log("queue=outage-work can be read again")
                assert host.stop() == 0


def _peek_named(bench: QueueBench, queue_name: str, name: str) -> object:
    encoded_part = json.dumps(name)
    for message in _peek_all(bench, queue_name):
        try:
            if encoded_part in base64.b64decode(message.content, validate=True).decode():
                return message
        except ValueError:
            continue
    return None


def _peek_content(bench: QueueBench, queue_name: str, content: str) -> bool:
    return any(message.content == content for message in _peek_all(bench, queue_name))


def _peek_all(bench: QueueBench, queue_name: str) -> list[object]:
    if bench.count(queue_name) is None:
        return []
    with bench.queue(queue_name) as queue:
        return list(queue.peek_messages(max_messages=32))
