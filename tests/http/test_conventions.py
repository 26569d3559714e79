"""The conventions of the HTTP API: entity tags, keys, problems, traces, pages, the gateway."""

import asyncio
import json
import re
from typing import Any

import httpx2
import pytest

from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from local.simulation.world import World
from tests.http.conftest import Client


class TestCreate:
    async def test_answers_201_with_where_it_is_and_which_version(self, client: Client) -> None:
        answer = await client.create()

        assert answer.status_code == 201
        assert answer.headers["location"] == f"/api/v1/customers/{answer.json()['id']}"
        assert answer.headers["etag"] == '"1-public"'
        assert re.fullmatch("cus_[0-9A-HJKMNP-TV-Z]{26}", answer.json()["id"])

    async def test_keeps_unicode_as_given(self, client: Client) -> None:
        names = ["Jose\u0301", "José", "محمد", "Ὀδυσσεύς", "李小龍", "O\u2019Connor", "\U00020bb7野", "नरेंद्र"]

        kept = [(await client.create(firstName=name)).json()["firstName"] for name in names]

        assert kept == names

    async def test_largest_legal_profile_is_kept_whole(self, client: Client) -> None:
        wide = "\U0001f600" * 100
        body: dict[str, Any] = {
            "title": "\U0001f600" * 20,
            "firstName": wide,
            "middleName": wide,
            "lastName": wide,
            "email": "a@" + ".".join(["b" * 60] * 4)[:240] + ".example",
            "phone": "+442071838750",
            "dateOfBirth": "1875-01-01",
            "gender": "unspecified",
            "nationality": "GB",
            "language": "zh-Hant-TW",
            "passport": {"number": "A" * 20, "issuingCountry": "GB", "expiresOn": "9999-12-31"},
            "loyalty": {"number": "L" * 20, "tier": "\U0001f600" * 40},
            "addresses": [
                {
                    "kind": "shipping",
                    "lines": [wide] * 6,
                    "city": wide,
                    "region": wide,
                    "postalCode": "\U0001f600" * 20,
                    "country": "GB",
                }
            ]
            * 10,
            "externalIds": [{"system": "s" * 40, "id": f"{number:02d}" + "\U0001f600" * 98} for number in range(20)],
            "devices": [
                {
                    "kind": "desktop",
                    "operatingSystem": wide,
                    "browser": wide,
                    "location": {"city": wide, "country": "GB"},
                    "lastSeenAt": "9999-12-30T00:00:00Z",
                }
            ]
            * 10,
        }
        raw = json.dumps(body, ensure_ascii=False).encode()

        answer = await client.http.post(
            "/api/v1/customers", content=raw, headers={"Content-Type": "application/json", "Idempotency-Key": "k"}
        )
        again = await client.http.post(
            "/api/v1/customers", content=raw, headers={"Content-Type": "application/json", "Idempotency-Key": "k"}
        )
        read = await client.http.get(answer.headers["location"])

        assert answer.status_code == 201
        assert read.json()["addresses"] == body["addresses"]
        assert read.json()["externalIds"] == body["externalIds"]
        assert again.content == answer.content


class TestEntityTags:
    async def test_of_what_the_caller_has_answers_304_without_a_body(self, client: Client) -> None:
        made = await client.create()

        answer = await client.http.get(made.headers["location"], headers={"If-None-Match": made.headers["etag"]})

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == made.headers["etag"]

    @pytest.mark.parametrize(
        ("header", "status"),
        [('"2-public", W/"1-public"', 304), ("*", 304), ('"1-private"', 200), ('"2-public"', 200), ("garbage", 200)],
    )
    async def test_are_compared_weakly_within_their_view(self, client: Client, header: str, status: int) -> None:
        made = await client.create()

        answer = await client.http.get(made.headers["location"], headers={"If-None-Match": header})

        assert answer.status_code == status

    async def test_of_the_private_view_also_name_the_version_to_change(self, client: Client) -> None:
        made = await client.create()
        path = made.headers["location"]
        private = await client.http.get(path.replace("/api/", "/api/private/"))

        answer = await client.http.patch(path, json={"title": "Dr"}, headers={"If-Match": private.headers["etag"]})

        assert private.headers["etag"] == '"1-private"'
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2-public"'

    async def test_plain_json_is_taken_as_a_merge_patch_too(self, client: Client) -> None:
        made = await client.create(title="Dr")

        answer = await client.http.patch(
            made.headers["location"], json={"title": None}, headers={"If-Match": '"1-public"'}
        )

        assert "title" not in answer.json()


class TestIdempotencyKey:
    async def test_repeat_is_the_first_answer_again(self, client: Client) -> None:
        body = {"lastName": "Lovelace", "email": "ada@example.com"}
        first = await client.http.post("/api/v1/customers", json=body, headers={"Idempotency-Key": "k-1"})
        second = await client.http.post(
            "/api/v1/customers",
            content=b'{ "email":"ada@example.com",\n "lastName":"Lovelace" }',
            headers={"Idempotency-Key": '"k-1"', "Content-Type": "application/json"},
        )

        assert second.content == first.content
        assert second.status_code == 201
        assert second.headers["etag"] == first.headers["etag"]
        assert second.headers["location"] == first.headers["location"]
        assert second.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers

    async def test_with_another_body_is_422(self, client: Client) -> None:
        headers = {"Idempotency-Key": "k-1"}
        await client.http.post("/api/v1/customers", json={"lastName": "A", "email": "a@example.com"}, headers=headers)

        answer = await client.http.post(
            "/api/v1/customers", json={"lastName": "B", "email": "a@example.com"}, headers=headers
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:iommi:problem:idempotency-key-reused"

    async def test_concurrent_twins_make_one_customer_and_get_one_answer(self, client: Client) -> None:
        body = {"lastName": "Lovelace", "email": "ada@example.com", "loyalty": {"number": "IO-1"}}

        answers = await asyncio.gather(
            *(client.http.post("/api/v1/customers", json=body, headers={"Idempotency-Key": "k"}) for _ in range(10))
        )

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1

    async def test_belongs_to_its_operation_and_target(self, client: Client) -> None:
        one, two = await client.create(), await client.create()
        headers = {"If-Match": '"1-public"', "Idempotency-Key": "k"}

        answers = [
            await client.http.patch(made.headers["location"], json={"title": "Dr"}, headers=headers)
            for made in (one, two)
        ]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json()["id"] != answers[1].json()["id"]

    async def test_only_successes_are_told_again(self, client: Client) -> None:
        path = (await client.create()).headers["location"]
        headers = {"Idempotency-Key": "k"}
        refused = await client.http.patch(path, json={"title": "Dr"}, headers={**headers, "If-Match": '"9-public"'})
        taken = await client.http.patch(path, json={"title": "Dr"}, headers={**headers, "If-Match": '"1-public"'})

        assert (refused.status_code, taken.status_code) == (412, 200)


class TestConflicts:
    async def test_second_claim_of_an_identifier_is_409_and_does_not_name_the_holder(self, client: Client) -> None:
        first = await client.create(loyalty={"number": "IO-1"})

        answer = await client.create(loyalty={"number": "io-1"})

        assert answer.status_code == 409
        assert first.json()["id"] not in answer.text


class TestTrace:
    async def test_of_the_caller_is_joined_and_told(self, client: Client) -> None:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"

        answer = await client.http.get(
            "/api/v1/customers/unknown", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        )

        assert answer.json()["traceId"] == trace
        assert answer.headers["trace-id"] == trace

    @pytest.mark.parametrize("header", ["", "garbage", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff-" + "1" * 32])
    async def test_that_cannot_be_read_is_replaced(self, client: Client, header: str) -> None:
        answer = await client.http.get("/api/health", headers={"traceparent": header})

        assert re.fullmatch("(?!0{32})[0-9a-f]{32}", answer.headers["trace-id"])

    async def test_reaches_the_mainframes_record_and_the_change_log(self, client: Client) -> None:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        made = await client.http.post(
            "/api/v1/customers",
            json={"lastName": "Lovelace", "email": "ada@example.com"},
            headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
        )
        path = made.headers["location"].replace("/api/", "/api/private/")

        changes = await client.http.get(f"{path}/changes")
        queued = await client.world.storage.queue("changes").depth()
        client.world.clock.advance(3)
        message = (await client.world.storage.queue("changes").peek(1))[0]

        assert changes.json()["items"][0]["traceId"] == trace
        assert queued.messages == 1
        assert trace in message


class TestPages:
    async def test_follow_one_another_by_their_own_addresses(self, client: Client) -> None:
        made = {(await client.create()).json()["id"] for _ in range(12)}
        await client.world.settle(seconds=10)

        address: str | None = "/api/private/v1/customers?limit=5"
        seen: list[str] = []
        while address:
            answer = await client.http.get(address)
            seen += [item["id"] for item in answer.json()["items"]]
            address = answer.json()["next"]
            assert ("link" in answer.headers) == (address is not None)

        assert sorted(seen) == sorted(made)

    async def test_refuse_a_cursor_of_another_list(self, client: Client) -> None:
        made = await client.create()
        for version in range(1, 4):
            await client.http.patch(
                made.headers["location"], json={"title": f"T{version}"}, headers={"If-Match": f'"{version}-public"'}
            )
        path = made.headers["location"].replace("/api/", "/api/private/") + "/changes?limit=1"
        address = path
        while True:
            answer = await client.http.get(address)
            if answer.json()["next"]:
                break
        cursor = answer.json()["next"].partition("cursor=")[2]

        other = await client.http.get(f"/api/private/v1/customers?cursor={cursor}")

        assert other.status_code == 400


class TestUnavailable:
    async def test_storage_that_does_not_answer_is_503_with_when_to_come_again(self, client: Client) -> None:
        async def down(_point: str, _when: When) -> None:
            raise StorageUnavailableError

        client.world.tap = down

        answers = [
            await client.http.get("/api/v1/customers/cus_00000000000000000000000001"),
            await client.create(),
            await client.http.get("/api/private/v1/customers"),
        ]

        assert {answer.status_code for answer in answers} == {503}
        assert all(answer.headers["retry-after"] for answer in answers)
        assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)

    async def test_health_answers_without_storage_and_the_private_report_says_what_is_down(
        self, client: Client
    ) -> None:
        async def down(_point: str, _when: When) -> None:
            raise StorageUnavailableError

        client.world.tap = down

        public = await client.http.get("/api/health")
        private = await client.http.get("/api/private/v1/health")

        assert public.json() == {"status": "ok"}
        assert private.json()["status"] == "degraded"
        assert private.json()["storage"]["condition"] == "down"


class TestDefects:
    async def test_become_a_problem_that_says_nothing_of_the_inside(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def defect(_point: str, _when: When) -> None:
            raise RuntimeError("the secret inside")

        client.world.tap = defect

        answer = await client.http.get("/api/v1/customers/cus_00000000000000000000000001")

        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert "request.defect" in caplog.text


class TestGateway:
    async def test_key_is_demanded_of_public_operations_but_health(self) -> None:
        world = await World.build(gateway_key="g4te")
        transport = httpx2.ASGITransport(app=world.api)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
            refused = await http.get("/api/v1/customers/x")
            wrong = await http.get("/api/v1/customers/x", headers={"X-Gateway-Key": "other"})
            passed = await http.get("/api/v1/customers/x", headers={"X-Gateway-Key": "g4te"})
            health = await http.get("/api/health")
            private = await http.get("/api/private/v1/customers")

        assert (refused.status_code, wrong.status_code) == (401, 401)
        assert refused.headers["content-type"] == "application/problem+json"
        assert (passed.status_code, health.status_code, private.status_code) == (404, 200, 200)


class TestLogs:
    async def test_never_hold_personal_data(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG", logger="platform")
        await client.create(
            firstName="Geheimvorname",
            email="geheim@example.com",
            phone="+442071838750",
            passport={"number": "GEHEIM123", "issuingCountry": "GB"},
            externalIds=[{"system": "crm", "id": "geheim-7"}],
        )
        await client.create(email="geheim@@example.com")

        await client.world.settle(seconds=10)

        assert "eheim" not in caplog.text
        assert "2071838750" not in caplog.text
