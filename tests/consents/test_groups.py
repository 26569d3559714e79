"""Subscription groups: defined by operations, with a purpose and a channel that stay."""

import asyncio
from typing import Any

import pytest

from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from tests.consents.conftest import Desk
from tests.customers.support import Once

PATH = "/api/private/v1/subscription-groups"
BODY: dict[str, Any] = {"name": "Offers", "purpose": "marketing", "channel": "email", "doubleOptIn": True}


class TestDefine:
    async def test_answers_what_is_then_read(self, desk: Desk) -> None:
        made = await desk.define()

        read = await desk.http.get(f"{PATH}/offers")

        assert (made.status_code, made.headers["etag"]) == (200, '"1-private"')
        assert read.json() == made.json()
        assert read.json() == {**BODY, "group": "offers", "version": 1, "updatedAt": "2026-01-01T00:00:00.000Z"}

    async def test_changes_name_and_opt_in_over_the_version_that_was_read(self, desk: Desk) -> None:
        tag = (await desk.define()).headers["etag"]
        changed = {**BODY, "name": "Best offers", "doubleOptIn": False}

        done = await desk.http.put(f"{PATH}/offers", json=changed, headers={"If-Match": tag})
        stale = await desk.http.put(f"{PATH}/offers", json=changed, headers={"If-Match": tag})
        without = await desk.http.put(f"{PATH}/offers", json=changed)

        assert [answer.status_code for answer in (done, stale, without)] == [200, 412, 428]
        assert (done.json()["name"], done.json()["version"]) == ("Best offers", 2)

    @pytest.mark.parametrize("other", [{"purpose": "profiling"}, {"channel": "sms"}])
    async def test_purpose_and_channel_are_fixed(self, desk: Desk, other: dict[str, str]) -> None:
        tag = (await desk.define()).headers["etag"]

        answer = await desk.http.put(f"{PATH}/offers", json={**BODY, **other}, headers={"If-Match": tag})

        assert (answer.status_code, answer.json()["type"]) == (409, "urn:iommi:problem:subscription-group-fixed")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"channel": "any"},
            {"purpose": "gossip"},
            {"name": ""},
            {"doubleOptIn": "yes"},
            {"colour": "red"},
            {"name": None},
        ],
    )
    async def test_refuses_what_is_no_group(self, desk: Desk, wrong: dict[str, Any]) -> None:
        answer = await desk.http.put(f"{PATH}/offers", json={**BODY, **wrong}, headers={"If-None-Match": "*"})

        assert answer.status_code == 422

    async def test_twice_with_one_key_changes_nothing(self, desk: Desk) -> None:
        headers = {"If-None-Match": "*", "Idempotency-Key": "k"}
        first = await desk.http.put(f"{PATH}/offers", json=BODY, headers=headers)
        again = await desk.http.put(f"{PATH}/offers", json=BODY, headers=headers)

        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])

    async def test_of_several_at_once_one_wins(self, desk: Desk) -> None:
        answers = await asyncio.gather(*(desk.define() for _ in range(5)))

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]

    async def test_whose_reply_was_lost_is_not_answered_with_its_own_conflict(self, desk: Desk) -> None:
        desk.world.tap = Once("subscriptiongroups.write", When.AFTER, OutcomeUnknownError())

        assert (await desk.define()).status_code == 200

    @pytest.mark.parametrize("error", [OutcomeUnknownError(), StorageUnavailableError()])
    async def test_that_was_not_kept_is_503(self, desk: Desk, error: Exception) -> None:
        desk.world.tap = Once("subscriptiongroups.write", When.BEFORE, error)

        assert (await desk.define()).status_code == 503

    async def test_there_is_an_end_to_groups(self, desk: Desk) -> None:
        for number in range(100):
            assert (await desk.define(f"g{number}")).status_code == 200

        assert (await desk.define("one-too-many")).status_code == 409
        assert (await desk.define("g1")).status_code == 412


class TestList:
    async def test_is_by_name_and_public_without_inner_details(self, desk: Desk) -> None:
        for group in ("b", "a"):
            await desk.define(group)

        inside = (await desk.http.get(PATH)).json()["items"]
        outside = (await desk.http.get("/api/v1/subscription-groups")).json()["items"]

        assert [item["group"] for item in inside] == ["a", "b"]
        assert outside == [{**BODY, "group": group} for group in ("a", "b")]

    async def test_of_a_name_nobody_defined_is_404(self, desk: Desk) -> None:
        assert (await desk.http.get(f"{PATH}/gossip")).status_code == 404
        assert (await desk.http.get(f"{PATH}/Gossip!")).status_code == 400
