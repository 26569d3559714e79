"""Stating a customer under the id of another system. Feature 3."""

import asyncio
from typing import Any

import pytest

from lib.storage.errors import OutcomeUnknownError
from local.faults.taps import When
from tests.customers.support import Once
from tests.identifiers.support import PRIVATE, Desk

BODY = {"lastName": "Lovelace", "email": "ada@example.com"}
PASSPORT = {"number": "533380006", "issuingCountry": "GB"}


def ids(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["system"], one["id"]) for one in body["externalIds"]]


class TestPut:
    async def test_creates_whoever_is_not_there_yet(self, desk: Desk) -> None:
        """Feature 3: create by source system and external id."""
        answer = await desk.put("booking/B-1")

        made = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{PRIVATE}/{made['id']}"
        assert answer.headers["etag"] == '"1-private"'
        assert ids(made) == [("booking", "B-1")]
        assert (await desk.http.get(answer.headers["location"])).json() == made

    async def test_replaces_whoever_is_there(self, desk: Desk) -> None:
        """Feature 3: update by source system and external id; what the body leaves out is removed."""
        made = (await desk.put("booking/B-1", {**BODY, "title": "Dr", "firstName": "Ada"})).json()

        answer = await desk.put("booking/B-1", {**BODY, "title": "Countess"})

        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2-private"'
        assert "location" not in answer.headers
        assert (answer.json()["id"], answer.json()["title"]) == (made["id"], "Countess")
        assert "firstName" not in answer.json()

    async def test_with_the_same_again_changes_nothing(self, desk: Desk) -> None:
        first = await desk.put("booking/B-1")
        second = await desk.put("booking/B-1")

        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json() == first.json()

    async def test_finds_whom_another_operation_gave_the_id(self, desk: Desk) -> None:
        ada = await desk.create(externalIds=[{"system": "booking", "id": "é1"}])

        answer = await desk.put("booking/e\u03011", {**BODY, "title": "Dr"})

        assert (answer.status_code, answer.json()["id"]) == (200, ada)

    async def test_keeps_external_ids_of_systems_that_the_body_does_not_name(self, desk: Desk) -> None:
        await desk.create(
            externalIds=[
                {"system": "booking", "id": "B-1"},
                {"system": "booking", "id": "B-2"},
                {"system": "crm", "id": "C-1"},
                {"system": "crm", "id": "C-2"},
                {"system": "lounge", "id": "L-1"},
            ]
        )

        unnamed = (await desk.put("booking/B-1")).json()
        named = (await desk.put("booking/B-1", {**BODY, "externalIds": [{"system": "crm", "id": "C-3"}]})).json()
        own = (await desk.put("booking/B-1", {**BODY, "externalIds": [{"system": "booking", "id": "B-9"}]})).json()

        assert len(ids(unnamed)) == 5
        assert sorted(ids(named)) == [("booking", "B-1"), ("booking", "B-2"), ("crm", "C-3"), ("lounge", "L-1")]
        assert sorted(ids(own)) == [("booking", "B-1"), ("booking", "B-9"), ("crm", "C-3"), ("lounge", "L-1")]

    async def test_with_the_mask_leaves_the_passport_number(self, desk: Desk) -> None:
        made = (await desk.put("booking/B-1", {**BODY, "passport": PASSPORT})).json()

        answer = await desk.put("booking/B-1", {**BODY, "title": "Dr", "passport": made["passport"]})
        wrong = await desk.put("booking/B-1", {**BODY, "passport": {**PASSPORT, "number": "******999"}})

        assert (answer.status_code, wrong.status_code) == (200, 422)
        await desk.settle()
        found = await desk.http.post(f"{PRIVATE}/lookup", json={"identifier": "passport:533380006"})
        assert [item["id"] for item in found.json()["items"]] == [made["id"]]

    @pytest.mark.parametrize("body", [{"lastName": "L"}, {**BODY, "dateOfBirth": "2999-01-01"}, {**BODY, "x": 1}])
    async def test_that_would_leave_no_valid_customer_is_refused(self, desk: Desk, body: dict[str, Any]) -> None:
        fresh = await desk.put("booking/B-1", body)
        await desk.put("booking/B-2")
        over = await desk.put("booking/B-2", body)

        assert (fresh.status_code, over.status_code) == (422, 422)

    async def test_of_a_placeholder_would_make_strangers_one_and_is_refused(self, desk: Desk) -> None:
        """Feature 4: blocked values."""
        answer = await desk.put("booking/undefined")

        assert (answer.status_code, answer.json()["type"]) == (422, "urn:iommi:problem:identifier-blocked")

    @pytest.mark.parametrize("address", ["Booking/1", "booking/%20", "booking/a%E2%80%AEb", f"booking/{'x' * 101}"])
    async def test_of_an_id_that_none_can_have_is_refused(self, desk: Desk, address: str) -> None:
        assert (await desk.put(address)).status_code == 400

    async def test_reaches_ids_with_slashes_and_names_of_other_paths(self, desk: Desk) -> None:
        for address, held in (("crm/a%2Fb", ("crm", "a/b")), ("deliveries/mainframe", ("deliveries", "mainframe"))):
            answer = await desk.put(address)
            read = await desk.http.get(f"{PRIVATE}/by-external-id/{address}")

            assert ids(answer.json()) == [held]
            assert read.json() == answer.json()


class TestConditions:
    async def test_if_match_replaces_that_version_only(self, desk: Desk) -> None:
        await desk.put("booking/B-1")

        stale = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, If_Match='"7-private"')
        fresh = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, If_Match='"1-private"')

        assert (stale.status_code, fresh.status_code) == (412, 200)

    async def test_if_match_never_creates(self, desk: Desk) -> None:
        answer = await desk.put("booking/B-1", If_Match='"1-private"')

        assert (answer.status_code, answer.json()["type"]) == (412, "urn:iommi:problem:external-id-unknown")

    async def test_if_none_match_creates_only_and_names_who_is_there(self, desk: Desk) -> None:
        made = await desk.put("booking/B-1", If_None_Match="*")

        again = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, If_None_Match="*")

        assert (made.status_code, again.status_code) == (201, 412)
        assert again.json()["holder"]["href"] == made.headers["location"]

    async def test_if_none_match_of_anything_else_cannot_be_read(self, desk: Desk) -> None:
        assert (await desk.put("booking/B-1", If_None_Match='"1-private"')).status_code == 400


class TestIdempotencyKey:
    async def test_of_a_create_tells_it_again_after_others_changed_it(self, desk: Desk) -> None:
        first = await desk.put("booking/B-1", Idempotency_Key="k")
        await desk.put("booking/B-1", {**BODY, "title": "Dr"})

        again = await desk.put("booking/B-1", Idempotency_Key="k")

        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"

    async def test_of_a_create_only_tells_it_again(self, desk: Desk) -> None:
        first = await desk.put("booking/B-1", Idempotency_Key="k", If_None_Match="*")
        again = await desk.put("booking/B-1", Idempotency_Key="k", If_None_Match="*")

        assert (first.status_code, again.status_code) == (201, 201)

    async def test_of_a_replacement_tells_it_again_after_others_changed_it(self, desk: Desk) -> None:
        await desk.put("booking/B-1")
        first = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, Idempotency_Key="k")
        await desk.put("booking/B-1", {**BODY, "title": "Countess"})

        again = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, Idempotency_Key="k")

        assert (again.status_code, again.content) == (200, first.content)
        read = await desk.http.get(f"{PRIVATE}/by-external-id/booking/B-1")
        assert read.json()["title"] == "Countess"

    async def test_with_another_body_is_refused(self, desk: Desk) -> None:
        await desk.put("booking/B-1", Idempotency_Key="k")

        answer = await desk.put("booking/B-1", {**BODY, "title": "Dr"}, Idempotency_Key="k")

        assert (answer.status_code, answer.json()["type"]) == (422, "urn:iommi:problem:idempotency-key-reused")

    async def test_settles_a_create_whose_answer_was_lost(self, desk: Desk) -> None:
        desk.world.tap = Once("customers.commit", When.AFTER, OutcomeUnknownError())

        answer = await desk.put("booking/B-1", Idempotency_Key="k")
        again = await desk.put("booking/B-1", Idempotency_Key="k")

        assert (answer.status_code, again.status_code) == (201, 201)
        assert again.content == answer.content


class TestRaces:
    async def test_of_first_statements_one_creates_and_the_others_replace(self, desk: Desk) -> None:
        answers = await asyncio.gather(*(desk.put("booking/B-1", {**BODY, "title": f"T{one}"}) for one in range(6)))

        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 200, 201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        versions = sorted(answer.json()["version"] for answer in answers)
        assert versions == [1, 2, 3, 4, 5, 6]

    async def test_of_creates_only_let_one_in(self, desk: Desk) -> None:
        answers = await asyncio.gather(*(desk.put("booking/B-1", If_None_Match="*") for _ in range(6)))

        assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412, 412]

    async def test_of_replacements_of_one_version_let_one_in(self, desk: Desk) -> None:
        await desk.put("booking/B-1")

        answers = await asyncio.gather(
            *(desk.put("booking/B-1", {**BODY, "title": f"T{one}"}, If_Match='"1-private"') for one in range(6))
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]

    async def test_with_an_ordinary_create_leave_one_customer(self, desk: Desk) -> None:
        create = {**BODY, "externalIds": [{"system": "booking", "id": "B-1"}]}

        answers = await asyncio.gather(
            *(desk.put("booking/B-1") for _ in range(3)),
            *(desk.http.post("/api/v1/customers", json=create) for _ in range(3)),
        )

        assert [answer.status_code for answer in answers].count(201) == 1
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        await desk.settle()
        assert len(desk.world.storage.table("customerindex").rows()) == 1


class TestConflict:
    async def test_on_another_identifier_names_the_holder_to_callers_inside(self, desk: Desk) -> None:
        holder = await desk.create(loyalty={"number": "IO-1"})

        answer = await desk.put("booking/B-1", {**BODY, "loyalty": {"number": "IO-1"}})

        assert (answer.status_code, answer.json()["type"]) == (409, "urn:iommi:problem:identifier-taken")
        assert answer.json()["holder"] == {"id": holder, "href": f"{PRIVATE}/{holder}"}

    async def test_is_told_to_callers_outside_without_the_holder(self, desk: Desk) -> None:
        holder = await desk.create(externalIds=[{"system": "booking", "id": "B-1"}])

        answer = await desk.http.post(
            "/api/v1/customers", json={**BODY, "externalIds": [{"system": "booking", "id": "B-1"}]}
        )

        assert (answer.status_code, answer.json()["type"]) == (409, "urn:iommi:problem:identifier-taken")
        assert "holder" not in answer.json()
        assert holder not in answer.text

    async def test_with_who_may_still_fail_names_nobody(self, desk: Desk) -> None:
        await desk.world.platform.customers.claims.claim(["loyalty:IO-1"], customer_id="cus_00000000000000000000000001")

        answer = await desk.put("booking/B-1", {**BODY, "loyalty": {"number": "IO-1"}})

        assert answer.status_code == 409
        assert "holder" not in answer.json()


class TestRead:
    async def test_answers_whoever_has_the_id(self, desk: Desk) -> None:
        made = await desk.put("booking/B-1", {**BODY, "passport": PASSPORT})

        answer = await desk.http.get(f"{PRIVATE}/by-external-id/booking/B-1")
        same = await desk.http.get(
            f"{PRIVATE}/by-external-id/booking/B-1", headers={"If-None-Match": answer.headers["etag"]}
        )

        assert (answer.status_code, answer.json()) == (200, made.json())
        assert answer.json()["passport"]["number"] == "******006"
        assert same.status_code == 304

    async def test_of_an_id_that_nobody_has_is_404(self, desk: Desk) -> None:
        made = await desk.put("booking/B-1")
        await desk.change(made.json()["id"], externalIds=[])

        assert (await desk.http.get(f"{PRIVATE}/by-external-id/booking/B-1")).status_code == 404
        assert (await desk.http.get(f"{PRIVATE}/by-external-id/booking/B-2")).status_code == 404

    async def test_of_an_id_given_up_lets_the_next_statement_create(self, desk: Desk) -> None:
        made = await desk.put("booking/B-1")
        await desk.change(made.json()["id"], externalIds=[])
        desk.world.clock.advance(600)

        answer = await desk.put("booking/B-1")

        assert answer.status_code == 201
        assert answer.json()["id"] != made.json()["id"]
