"""From something going wrong to everything being right again, over plain HTTP and the storage queues alone."""

import base64
import binascii
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from lib.messaging.catalogue import QueueName
from lib.storage.azure import AzureStorage, ConnectionString
from local.stack import LocalStack

_SECONDS = 60.0
PRIVATE = "/api/private/v1"


@dataclass
class Journey:
    """Clients of the running copy, and a reason code that only this test's customers are rejected with."""

    http: httpx2.Client
    control: httpx2.Client
    storage: AzureStorage
    code: str
    tag: str

    def reject(self) -> None:
        fault = {"kind": "reject", "field": "EMAIL", "prefix": self.tag, "reasonCode": self.code}
        assert self.control.put("/faults", json=fault).status_code == 200

    def mend(self) -> None:
        assert self.control.delete("/faults").status_code == 200

    def create(self) -> str:
        person = {"lastName": "Lovelace", "email": f"{self.tag}.{secrets.token_hex(4)}@example.com"}
        made = self.http.post("/api/v1/customers", json=person)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def failures(self, count: int, **query: str) -> list[dict[str, Any]]:
        """Return failures as soon as there are so many."""
        deadline = time.monotonic() + _SECONDS
        while len(items := self._items(query)) != count:
            assert time.monotonic() < deadline, items
            time.sleep(0.2)
        return items

    def delivery(self, customer_id: str, state: str) -> dict[str, Any]:
        """Return where a delivery stands as soon as it is in this state."""
        deadline = time.monotonic() + _SECONDS
        address = f"{PRIVATE}/customers/{customer_id}/deliveries/mainframe"
        while (found := self.http.get(address).json())["state"] != state:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found

    def ended_replay(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the replay that a request started, once it has ended; the same request again starts no other."""
        deadline = time.monotonic() + _SECONDS
        while (replay := self.http.post(f"{PRIVATE}/replays", json=request).json())["state"] != "completed":
            assert time.monotonic() < deadline, replay
            time.sleep(0.2)
        return replay

    def poisoned(self, mark: str, count: int) -> list[bytes]:
        """Return the messages that hold this mark as soon as so many are listed."""
        deadline = time.monotonic() + _SECONDS
        while True:
            listed = self._items({"kind": "undeliverableMessage"})
            messages = [self.http.get(f"{PRIVATE}/failures/{one['id']}").json()["message"] for one in listed]
            found = [raw for raw in map(base64.b64decode, messages) if mark.encode() in _opened(raw)]
            if len(found) == count:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def _items(self, query: dict[str, str]) -> list[dict[str, Any]]:
        answer = self.http.get(f"{PRIVATE}/failures", params={**query, "limit": 200})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest.fixture
async def journey(stack: LocalStack) -> AsyncIterator[Journey]:
    storage = AzureStorage(ConnectionString.parse(stack.connection_string))
    key = {"x-functions-key": stack.function_key}
    number = secrets.token_hex(3)
    with (
        httpx2.Client(base_url=stack.base_url, headers=key, timeout=30) as http,
        httpx2.Client(base_url=stack.control_url, timeout=30) as control,
    ):
        told = Journey(http, control, storage, f"J{number}", f"journey{number}")
        yield told
        told.mend()
    await storage.close()


@dataclass(frozen=True)
class Garbage:
    mark: str
    bodies: list[str]


@pytest.fixture(scope="module", autouse=True)
async def garbage(stack: LocalStack) -> Garbage:
    """Messages of nobody's, dropped before anything else here: the host tries each five times, five seconds apart."""
    mark = secrets.token_hex(4)
    bodies = [
        f"no message of ours, é ☃ {mark}",
        f'{{"schemaVersion": 99, "subject": "customer", "mark": "{mark}"}}',
        base64.b64encode(b"\x00\xff" + mark.encode()).decode(),
    ]
    storage = AzureStorage(ConnectionString.parse(stack.connection_string))
    for body in bodies:
        await storage.queue(QueueName.MAINFRAME_UPDATES).send(body)
    await storage.close()
    return Garbage(mark, bodies)


class TestGarbage:
    def test_on_the_queue_is_listed_byte_for_byte(self, journey: Journey, garbage: Garbage) -> None:
        kept = journey.poisoned(garbage.mark, len(garbage.bodies))

        assert sorted(kept) == sorted(body.encode() for body in garbage.bodies)


class TestRejected:
    def test_is_superseded_once_the_customer_is_corrected(self, journey: Journey) -> None:
        journey.reject()
        customer_id = journey.create()
        [failure] = journey.failures(1, code=journey.code)
        status = journey.delivery(customer_id, "rejected")
        assert (failure["entityId"], failure["version"], failure["state"]) == (customer_id, 1, "open")
        assert status["lastError"]["code"] == journey.code

        address = f"/api/v1/customers/{customer_id}"
        correction = {"email": f"corrected.{journey.tag}@example.com"}
        patched = journey.http.patch(
            address, json=correction, headers={"If-Match": journey.http.get(address).headers["ETag"]}
        )

        assert patched.status_code == 200
        journey.delivery(customer_id, "inSync")
        [superseded] = journey.failures(1, code=journey.code, state="superseded")
        assert superseded["id"] == failure["id"]
        assert journey.failures(0, code=journey.code) == []


class TestReplay:
    async def test_request_dropped_on_the_queue_twice_is_one_replay(self, journey: Journey) -> None:
        journey.reject()
        customer_id = journey.create()
        [failure] = journey.failures(1, code=journey.code)
        journey.mend()
        request = {
            "filter": {"code": journey.code},
            "reason": "corrected at the mainframe",
            "ticket": "OPS-1742",
            "requestedBy": "m.okafor",
            "canary": 0,
        }
        body = json.dumps(request)

        for dropped in (body, base64.b64encode(body.encode()).decode()):
            await journey.storage.queue(QueueName.REPLAY_REQUESTS).send(dropped)

        journey.delivery(customer_id, "inSync")
        [resolved] = journey.failures(1, code=journey.code, state="resolved")
        assert (resolved["id"], resolved["replays"]) == (failure["id"], 1)
        ended = journey.ended_replay(request)
        assert ended["counts"] == {"selected": 1, "replayed": 1, "superseded": 0, "rejectedAgain": 0, "waiting": 0}
        journal = journey.control.get("/journal", params={"key": customer_id}).json()["items"]
        assert [row["outcome"] for row in journal] == ["rejected", "applied"]


def _opened(raw: bytes) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw
