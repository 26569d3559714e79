"""What queue tests share: queues of their own and what the functions saw."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from tests.host.hosting import RunningHost, wait_until


@dataclass
class QueueBench:
    connection: str
    prefix: str
    seen_path: Path
    host: RunningHost | None = None

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "StorageUnderTest": self.connection,
            "PREFIX": self.prefix,
            "SEEN": str(self.seen_path),
            "LOCAL_QUEUE_LEASE_SECONDS": "2",
            **more,
        }

    def queue(self, name: str, *, raw: bool = False) -> QueueClient:
        policy = None if raw else TextBase64EncodePolicy()
        return QueueClient.from_connection_string(
            self.connection, f"{self.prefix}-{name}", message_encode_policy=policy, retry_total=2, initial_backoff=1
        )

    def create(self, *names: str) -> None:
        for name in names:
            with self.queue(name) as queue:
                queue.create_queue()

    def send(self, queue_name: str, name: str, **body: Any) -> str:
        with self.queue(queue_name) as queue:
            return str(queue.send_message(json.dumps({"name": name, **body})).id)

    def send_raw(self, queue_name: str, text: str) -> None:
        with self.queue(queue_name, raw=True) as queue:
            queue.send_message(text)

    def dequeue(self, queue_name: str, times: int) -> None:
        """Take the first message so often, and give it back each time."""
        with self.queue(queue_name) as queue:
            for _ in range(times):
                message = queue.receive_message(visibility_timeout=60)
                assert message is not None
                queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)

    def count(self, queue_name: str) -> int | None:
        """How many messages are in it, hidden ones too; None when there is no such queue."""
        with self.queue(queue_name) as queue:
            try:
                return queue.get_queue_properties().approximate_message_count
            except ResourceNotFoundError:
                return None

    def peek(self, queue_name: str) -> Any:
        with self.queue(queue_name) as queue:
            return next(iter(queue.peek_messages(max_messages=1)), None)

    def seen(self, name: str) -> list[dict[str, Any]]:
        if not self.seen_path.exists():
            return []
        lines = self.seen_path.read_text(encoding="utf-8").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["name"] == name]

    def wait_seen(self, name: str, times: int = 1, seconds: float = 20.0) -> list[dict[str, Any]]:
        return wait_until(
            lambda: found if len(found := self.seen(name)) >= times else None, f"{name} to run {times}x", seconds
        )

    def wait_count(self, queue_name: str, count: int) -> None:
        wait_until(lambda: self.count(queue_name) == count, f"{queue_name} to hold {count}")
