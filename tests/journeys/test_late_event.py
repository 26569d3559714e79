"""Features 23 and 24: a baggage event that arrives after the call it explains stands before it, once, over HTTP."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from local.stack import LocalStack

PRIVATE = "/api/private/v1/customers"


@dataclass
class Journey:
    """A client of the running copy, and a customer whose bag was late."""

    http: httpx2.Client
    customer: str

    def tell(self, **fields: Any) -> httpx2.Response:
        return self.http.post(f"{PRIVATE}/{self.customer}/interactions", json=fields, headers={"X-Actor": "journey"})

    def delayed(self, event_id: str, at: str) -> httpx2.Response:
        return self.tell(
            kind="baggage",
            channel="airport",
            attributes={"tag": "0125728359", "status": "delayed", "airport": "LIS"},
            references={"flight": {"designator": "IM 0204", "date": "2026-01-18"}},
            happenedAt=at,
            source={"system": "baggage", "eventId": event_id},
        )

    def called(self, at: str) -> httpx2.Response:
        return self.tell(kind="call", channel="phone", subject="Where is my bag?", direction="inbound", happenedAt=at)

    def timeline(self, **query: Any) -> list[dict[str, Any]]:
        following: str | None = f"{PRIVATE}/{self.customer}/timeline"
        params: dict[str, Any] | None = {"limit": 2, **query}
        found: list[dict[str, Any]] = []
        while following:
            answer = self.http.get(following, params=params)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            following, params = answer.json()["next"], None
        return found


@pytest.fixture
def journey(stack: LocalStack) -> Iterator[Journey]:
    key = {"x-functions-key": stack.function_key}
    with httpx2.Client(base_url=stack.base_url, headers=key, timeout=30) as http:
        person = {"lastName": "Lovelace", "email": f"late.{secrets.token_hex(4)}@example.com"}
        made = http.post("/api/v1/customers", json=person)
        assert made.status_code == 201, made.text
        yield Journey(http, made.json()["id"])


class TestLateEvent:
    def test_takes_its_place_before_the_call_it_explains(self, journey: Journey) -> None:
        call = journey.called("2026-01-18T16:42:05Z")
        later = journey.called("2026-01-18T18:00:00Z")
        before = [entry["reference"] for entry in journey.timeline()]

        late = journey.delayed("0125728359-1", "2026-01-18T17:10:00+02:00")

        after = [entry["reference"] for entry in journey.timeline()]
        assert (call.status_code, later.status_code, late.status_code) == (201, 201, 201)
        assert before == [journey.customer, later.json()["id"], call.json()["id"]]
        assert after == [*before, late.json()["id"]]
        [bag] = journey.timeline(kind="baggage")
        assert (bag["happenedAt"], bag["summary"]) == (
            "2026-01-18T15:10:00.000Z",
            "Baggage, 0125728359, delayed, LIS",
        )

    def test_told_again_is_the_first_record(self, journey: Journey) -> None:
        first = journey.delayed("0125728359-2", "2026-01-18T15:10:00Z")
        journey.called("2026-01-18T16:42:05Z")

        again = journey.delayed("0125728359-2", "2026-01-18T15:10:00Z")
        other = journey.delayed("0125728359-2", "2026-01-18T15:11:00Z")

        assert (again.status_code, again.text, again.headers["etag"]) == (200, first.text, first.headers["etag"])
        assert (other.status_code, other.json()["type"]) == (409, "urn:iommi:problem:event-conflict")
        assert len(journey.timeline(type="interaction")) == 2

    def test_arrives_below_the_cursor_of_who_pages_and_is_met(self, journey: Journey) -> None:
        for minute in range(4):
            journey.called(f"2026-01-18T16:0{minute}:00Z")
        address = f"{PRIVATE}/{journey.customer}/timeline"
        first = journey.http.get(address, params={"limit": 2, "type": "interaction"}).json()

        late = journey.delayed("0125728359-3", "2026-01-18T16:01:30Z")
        rest: list[str] = []
        following = first["next"]
        while following:
            page = journey.http.get(following).json()
            rest += [entry["happenedAt"][11:19] for entry in page["items"]]
            following = page["next"]

        assert late.status_code == 201
        assert [entry["happenedAt"][11:19] for entry in first["items"]] == ["16:03:00", "16:02:00"]
        assert rest == ["16:01:30", "16:01:00", "16:00:00"]

    def test_stands_in_the_overview_too(self, journey: Journey) -> None:
        journey.called("2026-01-18T16:42:05Z")
        journey.delayed("0125728359-4", "2026-01-18T15:10:00Z")

        answer = journey.http.get(f"{PRIVATE}/{journey.customer}/overview", params={"include": "profile,timeline"})

        sections = answer.json()["sections"]
        assert answer.status_code == 200
        assert [entry["kind"] for entry in sections["timeline"]["data"]["items"]] == ["created", "call", "baggage"]
