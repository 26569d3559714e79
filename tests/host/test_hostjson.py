import json
from pathlib import Path
from typing import Any

import pytest

from local.host.errors import HostError
from local.host.hostjson import HostJson, QueueOptions, read_host_json


def read(tmp_path: Path, content: Any, *, development: bool = False, processors: int = 1) -> HostJson:
    path = tmp_path / "host.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_host_json(path, development=development, processors=processors)


def queues(**options: Any) -> dict[str, Any]:
    return {"version": "2.0", "extensions": {"queues": options}}


class TestReadHostJson:
    def test_has_the_defaults_of_the_real_host(self, tmp_path: Path) -> None:
        found = read(tmp_path, {"version": "2.0"})

        assert found.route_prefix == "api"
        assert found.function_timeout_seconds == 1800
        assert found.queues == QueueOptions(
            batch_size=16,
            new_batch_threshold=8,
            max_dequeue_count=5,
            visibility_timeout_seconds=0,
            max_polling_interval_seconds=60,
            message_encoding="base64",
        )

    def test_polls_every_two_seconds_at_most_in_development_unless_told_otherwise(self, tmp_path: Path) -> None:
        assert read(tmp_path, queues(), development=True).queues.max_polling_interval_seconds == 2
        told = read(tmp_path, queues(maxPollingInterval="00:00:30"), development=True)
        assert told.queues.max_polling_interval_seconds == 30

    def test_takes_half_a_batch_per_processor_as_the_threshold(self, tmp_path: Path) -> None:
        assert read(tmp_path, queues(batchSize=7), processors=2).queues.new_batch_threshold == 6

    @pytest.mark.parametrize(("text", "seconds"), [("-1", None), ("00:10:00", 600.0), ("1.00:00:00", 86400.0)])
    def test_reads_the_function_timeout(self, tmp_path: Path, text: str, seconds: float | None) -> None:
        assert read(tmp_path, {"version": "2.0", "functionTimeout": text}).function_timeout_seconds == seconds

    @pytest.mark.parametrize(
        "content",
        [
            {},
            [],
            {"version": "2.0", "functionTimeout": "00:00:00.5"},
            {"version": "2.0", "functionTimeout": "soon"},
            queues(batchSize=0),
            queues(batchSize=33),
            queues(newBatchThreshold=-1),
            queues(maxDequeueCount=0),
            queues(maxPollingInterval="00:00:00.05"),
            queues(messageEncoding="rot13"),
            queues(visibilityTimeout="25:00:00"),
        ],
    )
    def test_refuses_what_keeps_the_real_host_from_starting(self, tmp_path: Path, content: Any) -> None:
        with pytest.raises(HostError, match=r"host\.json"):
            read(tmp_path, content)
