"""Features 22 and 23: interactions are logged, and the same event twice is one record."""

import asyncio
from typing import Any

import pytest

from tests.interactions.conftest import PRIVATE, Desk, baggage, call

EVERY_KIND: list[dict[str, Any]] = [
    call(
        direction="inbound",
        agent="m.okafor",
        subject="Where is my bag?",
        body="Two bags.\nOne is missing.",
        references={
            "orderId": "ord_01KAJ8W8Q9V3D0W3W7S2F5R3YT",
            "caseId": "cas_01KAJ8W8Q9V3D0W3W7S2F5R3YT",
            "bookingReference": "K7QX2M",
            "flight": {"designator": "IM204", "date": "2026-01-09"},
        },
        attributes={"durationSeconds": 312, "waitingSeconds": 20, "queue": "baggage", "outcome": "followUp"},
        source={"system": "contactcenter", "eventId": "call-1"},
    ),
    call(kind="email", channel="email", attributes={"messageId": "<1@example.com>", "attachments": 2}),
    call(kind="chat", channel="chat", attributes={"durationSeconds": 60, "messages": 12, "automated": True}),
    call(kind="socialMention", channel="social", attributes={"network": "mastodon", "url": "https://example.com/1"}),
    call(
        kind="shop",
        channel="shop",
        attributes={
            "shop": "Lisbon T1",
            "items": [{"name": "Widget", "quantity": 2, "unitPrice": {"amount": "9.50", "currency": "EUR"}}],
            "total": {"amount": "19.00", "currency": "EUR"},
        },
    ),
    call(kind="lounge", channel="lounge", attributes={"airport": "LHR", "loungeName": "North", "guests": 1}),
    call(kind="chauffeur", channel="partner", attributes={"status": "completed", "pickUp": "Home", "dropOff": "LHR"}),
    call(kind="checkIn", channel="mobile", attributes={"method": "mobile", "seat": "12A", "bags": 1}),
    baggage(),
    call(
        kind="inFlightRetail",
        channel="onboard",
        attributes={
            "items": [{"name": "Adapter", "quantity": 1}],
            "total": {"amount": "18.00", "currency": "EUR"},
            "paidBy": "card",
        },
    ),
    call(kind="flight", channel="airport", attributes={"event": "delayed", "delayMinutes": 95, "origin": "LHR"}),
    call(kind="other", channel="other", attributes={"label": "Lost property handed in"}),
]


class TestRecord:
    @pytest.mark.parametrize("told", EVERY_KIND, ids=lambda told: told["kind"])
    async def test_keeps_every_kind_as_it_was_told(self, desk: Desk, told: dict[str, Any]) -> None:
        answer = await desk.tell(told)
        read = await desk.http.get(answer.headers["location"])

        assert answer.status_code == 201
        assert read.json() == answer.json()
        assert read.headers["etag"] == answer.headers["etag"]
        assert told.items() <= read.json().items()
        assert read.json()["recordedBy"] == "ada"
        assert read.json()["recordedAt"] == "2026-01-20T00:00:00.000Z"

    async def test_costs_two_storage_calls(self, desk: Desk) -> None:
        await desk.tell(baggage())

        assert desk.calls == ["customers.get", "customers.write"]

    async def test_refuses_what_is_still_to_come(self, desk: Desk) -> None:
        answer = await desk.tell(call(happenedAt="2026-01-20T00:06:00Z"))

        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"pointer": "/happenedAt", "detail": "must not be in the future"}]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (call(kind="telepathy"), "/kind"),
            ({"channel": "phone", "happenedAt": "2026-01-10T09:00:00Z"}, "/kind"),
            (call(attributes={"durationSeconds": "312"}), "/attributes/durationSeconds"),
            (call(attributes={"seat": "12A"}), "/attributes/seat"),
            (call(kind="baggage"), "/attributes"),
            (call(kind="baggage", attributes={"status": "delayed", "tag": "BA728359"}), "/attributes/tag"),
            (call(body="x" * 10_001), "/body"),
            (call(subject="two\nlines"), "/subject"),
            (call(happenedAt="2026-01-10"), "/happenedAt"),
            (call(source={"system": "crm"}), "/source/eventId"),
            (call(id="int_1"), "/id"),
        ],
    )
    async def test_says_what_is_wrong_and_where(self, desk: Desk, body: dict[str, Any], pointer: str) -> None:
        answer = await desk.tell(body)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    @pytest.mark.parametrize("customer", ["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT", "nobody", "a b"])
    async def test_of_no_customer_is_refused(self, desk: Desk, customer: str) -> None:
        answer = await desk.http.post(f"{PRIVATE}/{customer}/interactions", json=call())

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:customer-not-found")


class TestRepeat:
    async def test_of_an_event_is_one_record(self, desk: Desk) -> None:
        first = await desk.tell(baggage())
        desk.world.clock.advance(60)

        again = await desk.tell(baggage(), actor="somebody else")

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.text == first.text
        assert again.headers["idempotency-replayed"] == "true"
        assert await desk.rows("interaction~") == 1
        assert len(await desk.timeline(type="interaction")) == 1

    async def test_of_an_event_at_once_is_one_record(self, desk: Desk) -> None:
        answers = await asyncio.gather(*(desk.tell(baggage()) for _ in range(5)))

        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
        assert len({answer.text for answer in answers}) == 1
        assert await desk.rows("timeline~") == 2

    @pytest.mark.parametrize(
        "other",
        [{"happenedAt": "2026-01-10T08:00:01Z"}, {"subject": "New"}, {"attributes": {"status": "lost"}}],
        ids=lambda other: next(iter(other)),
    )
    async def test_of_an_event_with_another_content_contradicts(self, desk: Desk, other: dict[str, Any]) -> None:
        first = await desk.tell(baggage())

        answer = await desk.tell(baggage(**other))

        assert (answer.status_code, answer.json()["type"]) == (409, "urn:iommi:problem:event-conflict")
        assert (await desk.http.get(first.headers["location"])).text == first.text
        assert len(await desk.timeline(type="interaction")) == 1

    async def test_of_another_systems_event_id_is_another_record(self, desk: Desk) -> None:
        one = await desk.tell(baggage())
        other = await desk.tell(baggage(source={"system": "worldtracer", "eventId": "b1"}))

        assert other.status_code == 201
        assert one.json()["id"] != other.json()["id"]

    async def test_under_the_same_key_is_the_first_answer(self, desk: Desk) -> None:
        first = await desk.tell(call(), key="k1")

        again = await desk.tell(call(), key="k1")
        other = await desk.tell(call(subject="New"), key="k1")

        assert (again.status_code, again.text) == (201, first.text)
        assert again.headers["idempotency-replayed"] == "true"
        assert (other.status_code, other.json()["type"]) == (422, "urn:iommi:problem:idempotency-key-reused")
        assert await desk.rows("interaction~") == 1

    async def test_of_an_event_binds_the_key_of_the_repeat_too(self, desk: Desk) -> None:
        first = await desk.tell(baggage(), key="k1")

        repeat = await desk.tell(baggage(), key="k2")
        again = await desk.tell(baggage(), key="k2")
        other = await desk.tell(baggage("b2"), key="k2")

        assert [repeat.status_code, again.status_code, other.status_code] == [200, 200, 422]
        assert first.text == repeat.text == again.text

    async def test_without_event_id_and_key_is_another_record(self, desk: Desk) -> None:
        one, other = await desk.tell(call()), await desk.tell(call())

        assert one.json()["id"] != other.json()["id"]


class TestRead:
    async def test_of_another_customers_interaction_finds_nothing(self, desk: Desk) -> None:
        kept = (await desk.tell(call())).json()
        other = await desk.http.post("/api/v1/customers", json={"lastName": "B", "email": "b@example.com"})

        answer = await desk.http.get(f"{PRIVATE}/{other.json()['id']}/interactions/{kept['id']}")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:iommi:problem:interaction-not-found")

    @pytest.mark.parametrize("interaction", ["int_01KAJ8W8Q9V3D0W3W7S2F5R3YT", "profile", "a b"])
    async def test_of_nothing_is_refused(self, desk: Desk, interaction: str) -> None:
        answer = await desk.http.get(f"{desk.address}/interactions/{interaction}")

        assert answer.status_code == 404

    async def test_is_one_storage_call_and_knows_what_the_caller_has(self, desk: Desk) -> None:
        kept = await desk.tell(call())
        desk.calls.clear()

        answer = await desk.http.get(kept.headers["location"], headers={"If-None-Match": kept.headers["etag"]})

        assert answer.status_code == 304
        assert desk.calls == ["customers.get"]


class TestList:
    async def test_is_newest_first_by_when_it_happened(self, desk: Desk) -> None:
        for hour in (9, 7, 11, 8):
            await desk.tell(call(happenedAt=f"2026-01-10T{hour:02d}:00:00Z", subject=f"at {hour}", body="long"))

        items = await desk.all("interactions", limit=2)

        assert [item["subject"] for item in items] == ["at 11", "at 9", "at 8", "at 7"]
        assert all("body" not in item and item["recordedAt"] for item in items)

    async def test_shows_only_the_kind_and_the_channel_asked_for(self, desk: Desk) -> None:
        for told in EVERY_KIND:
            await desk.tell(told)
        await desk.tell(call(channel="web"))

        of_a_kind = await desk.all("interactions", kind="call")
        of_both = await desk.all("interactions", kind="call", channel="web")

        assert [item["kind"] for item in of_a_kind] == ["call", "call"]
        assert [item["channel"] for item in of_both] == ["web"]

    async def test_holds_nothing_but_interactions(self, desk: Desk) -> None:
        assert await desk.all("interactions") == []

    async def test_of_no_customer_is_refused(self, desk: Desk) -> None:
        answer = await desk.http.get(f"{PRIVATE}/cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT/interactions")

        assert answer.status_code == 404


class TestFreeText:
    """Feature 74: no card number is kept, wherever in an interaction it stands."""

    async def test_is_kept_without_card_numbers(self, desk: Desk) -> None:
        card = "4111 1111 1111 1111"
        told = call(
            agent=card,
            subject=f"Pay with {card}",
            body=f"My card is\n{card}, thanks",
            attributes={"queue": card},
            source={"system": "contactcenter", "eventId": "c1"},
        )

        kept = await desk.tell(told, key="k1")
        again = await desk.tell(told)
        timeline = await desk.timeline()

        assert again.status_code == 200
        assert kept.json()["body"] == "My card is\n4111 11** **** 1111, thanks"
        assert timeline[-1]["detail"] == "Pay with 4111 11** **** 1111"
        rows = [str(row.values) for row in desk.world.storage.table("customers").rows()]
        assert not any(card in row or card.replace(" ", "") in row for row in rows)
