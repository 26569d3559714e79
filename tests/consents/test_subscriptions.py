"""Subscriptions: never asked, pending, confirmed, given up; and effective only together with consent."""

import asyncio
from typing import Any

import pytest

from lib.consents.subscriptions import CHOICES, Choice, SubscriptionState
from tests.consents.conftest import GRANTED, WITHDRAWN, Desk

_WEEK = 7 * 86400


class TestChoices:
    def test_are_decided_for_every_state(self) -> None:
        assert set(CHOICES) == {(state, choice) for state in SubscriptionState for choice in Choice}

    @pytest.mark.parametrize("state", list(SubscriptionState))
    def test_to_leave_never_waits_for_anything(self, state: SubscriptionState) -> None:
        single, double = CHOICES[state, Choice.UNSUBSCRIBED]

        assert single is double
        assert double in {None, SubscriptionState.UNSUBSCRIBED}


class TestRead:
    async def test_of_a_group_nobody_was_asked_about_is_unknown(self, desk: Desk) -> None:
        """Feature 78: unknown is a state of its own, neither yes nor no."""
        await desk.define()

        answer = await desk.http.get(desk.path("subscriptions/offers"))

        assert (answer.json()["state"], answer.json()["effective"]) == ("unknown", False)
        assert (answer.json()["purpose"], answer.json()["channel"]) == ("marketing", "email")
        assert answer.headers["etag"] == '"0-public"'

    async def test_of_no_group_and_of_nobody_is_404(self, desk: Desk) -> None:
        await desk.define()

        missing = await desk.http.get(desk.path("subscriptions/gossip"))
        desk.customer = "cus_00000000000000000000000001"
        nobody = await desk.http.get(desk.path("subscriptions/offers"))
        listed = await desk.http.get(desk.path("subscriptions"))

        assert [(answer.status_code, answer.json()["type"].rpartition(":")[2]) for answer in (missing, nobody)] == [
            (404, "subscription-group-not-found"),
            (404, "customer-not-found"),
        ]
        assert listed.status_code == 404


class TestDoubleOptIn:
    async def test_is_pending_until_the_token_comes_back(self, desk: Desk) -> None:
        """Feature 78: subscription groups with double opt-in."""
        await desk.define()

        chosen = await desk.choose("subscribed")
        token = await desk.token()
        desk.world.clock.advance(60)
        confirmed = await desk.confirm(token)

        assert (chosen.json()["state"], confirmed.json()["state"]) == ("pending", "subscribed")
        assert confirmed.json()["confirmedAt"] == "2026-01-01T00:01:00.000Z"
        assert await desk.timeline() == ["confirmed", "pending"]

    async def test_never_shows_the_token_publicly(self, desk: Desk) -> None:
        await desk.define()

        chosen = await desk.choose("subscribed")
        token = await desk.token()
        public = [
            chosen,
            await desk.http.get(desk.path("subscriptions/offers")),
            await desk.http.get(desk.path("subscriptions")),
            await desk.confirm(token),
        ]

        assert all(token not in answer.text and "confirmation" not in answer.json() for answer in public)

    async def test_token_is_kept_nowhere(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed", private=True)
        token = await desk.token()

        kept = [
            str(row.values) for name in ("customers", "operations") for row in desk.world.storage._table(name).rows()
        ]

        assert all(token not in values for values in kept)

    async def test_private_answer_carries_the_token_also_when_it_is_told_again(self, desk: Desk) -> None:
        await desk.define()
        path = desk.path("subscriptions/offers", private=True)
        body = {"state": "subscribed", "how": "call"}
        headers = {"If-None-Match": "*", "Idempotency-Key": "k"}

        first = await desk.http.put(path, json=body, headers=headers)
        desk.world.clock.advance(_WEEK * 2)
        again = await desk.http.put(path, json=body, headers=headers)

        assert first.json()["confirmation"]["expiresAt"] == "2026-01-08T00:00:00.000Z"
        assert again.content == first.content

    async def test_confirming_twice_changes_nothing(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        token = await desk.token()

        first = await desk.confirm(token)
        desk.world.clock.advance(_WEEK * 2)
        again = await desk.confirm(token)
        keyed = [await desk.confirm(token, **{"Idempotency-Key": "k"}) for _ in range(2)]

        assert again.json() == first.json()
        assert [answer.status_code for answer in keyed] == [200, 200]
        assert (await desk.subscription())["version"] == 2

    async def test_twins_confirm_once(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        token = await desk.token()

        answers = await asyncio.gather(*(desk.confirm(token) for _ in range(5)))

        assert {answer.status_code for answer in answers} == {200}
        assert (await desk.subscription())["version"] == 2

    async def test_expired_token_is_422_and_another_can_be_asked_for(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        late = await desk.token()
        desk.world.clock.advance(_WEEK)

        refused = await desk.confirm(late)
        hidden = await desk.subscription(private=True)
        await desk.choose("subscribed")
        taken = await desk.confirm(await desk.token())

        assert (refused.status_code, refused.json()["type"]) == (422, "urn:iommi:problem:confirmation-expired")
        assert (hidden["state"], "confirmation" in hidden) == ("pending", False)
        assert taken.json()["state"] == "subscribed"

    async def test_earlier_token_is_good_while_the_request_stands(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        earlier = await desk.token()
        desk.world.clock.advance(3600)
        await desk.choose("subscribed")

        later = await desk.token()

        assert later != earlier
        assert (await desk.confirm(earlier)).json()["state"] == "subscribed"
        assert (await desk.confirm(later)).status_code == 200

    @pytest.mark.parametrize("again", [False, True])
    async def test_token_of_a_request_that_was_given_up_is_void(self, desk: Desk, *, again: bool) -> None:
        await desk.define()
        await desk.choose("subscribed")
        token = await desk.token()
        await desk.choose("unsubscribed")
        if again:
            await desk.choose("subscribed")

        refused = await desk.confirm(token)

        assert (refused.status_code, refused.json()["type"]) == (422, "urn:iommi:problem:confirmation-void")
        assert (await desk.subscription())["state"] == ("pending" if again else "unsubscribed")

    async def test_forged_token_is_404(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        token = await desk.token()
        forged = [token[:-1] + ("A" if token[-1] != "A" else "B"), token[:10], "x", "A" * 300, token[::-1]]
        forged += [
            token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :] for index in range(0, 60, 7)
        ]

        answers = [await desk.confirm(text) for text in forged]

        assert {answer.status_code for answer in answers} == {404}
        assert (await desk.subscription())["state"] == "pending"

    @pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": "a b"}, {"token": "x" * 301}, {"token": 7}])
    async def test_what_is_no_token_is_422(self, desk: Desk, body: Any) -> None:
        answer = await desk.http.post("/api/v1/subscription-confirmations", json=body)

        assert answer.status_code == 422

    async def test_without_it_a_choice_holds_at_once(self, desk: Desk) -> None:
        await desk.define(doubleOptIn=False)

        assert (await desk.choose("subscribed")).json()["state"] == "subscribed"

    async def test_who_is_subscribed_is_not_asked_again(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        await desk.confirm(await desk.token())

        again = await desk.choose("subscribed")

        assert (again.json()["state"], again.json()["version"]) == ("subscribed", 2)


class TestChoose:
    async def test_leaving_is_the_same_single_call(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        await desk.confirm(await desk.token())

        answer = await desk.choose("unsubscribed")

        assert answer.json()["state"] == "unsubscribed"
        assert "confirmedAt" not in answer.json()

    async def test_a_no_to_what_was_never_asked_is_kept(self, desk: Desk) -> None:
        await desk.define()

        assert (await desk.choose("unsubscribed")).json()["version"] == 1

    async def test_needs_to_know_what_is_there(self, desk: Desk) -> None:
        await desk.define()
        path = desk.path("subscriptions/offers")
        body = {"state": "subscribed"}

        without = await desk.http.put(path, json=body)
        first = await desk.http.put(path, json=body, headers={"If-None-Match": "*"})
        stale = await desk.http.put(path, json=body, headers={"If-Match": '"0-public"'})

        assert [answer.status_code for answer in (without, first, stale)] == [428, 200, 412]

    async def test_of_nobody_or_no_group_is_404(self, desk: Desk) -> None:
        await desk.define()
        headers = {"If-None-Match": "*"}

        missing = await desk.http.put(desk.path("subscriptions/gossip"), json={"state": "subscribed"}, headers=headers)
        desk.customer = "cus_00000000000000000000000001"
        nobody = await desk.http.put(desk.path("subscriptions/offers"), json={"state": "subscribed"}, headers=headers)

        assert (missing.status_code, nobody.status_code) == (404, 404)

    @pytest.mark.parametrize(
        "body", [{"state": "pending"}, {"state": "unknown"}, {}, {"state": "subscribed", "how": "call"}]
    )
    async def test_refuses_what_a_customer_cannot_choose(self, desk: Desk, body: Any) -> None:
        await desk.define()

        answer = await desk.http.put(desk.path("subscriptions/offers"), json=body, headers={"If-None-Match": "*"})

        assert answer.status_code == 422


class TestEffective:
    async def test_is_consent_and_subscription_together(self, desk: Desk) -> None:
        """Feature 78: subscribing gives no consent, and nothing is sent without both."""
        await desk.define(doubleOptIn=False)
        await desk.choose("subscribed")
        told = [(await desk.subscription())["effective"]]
        for step in (desk.say(GRANTED), desk.say(WITHDRAWN), desk.say(GRANTED), desk.choose("unsubscribed")):
            await step
            told.append((await desk.subscription())["effective"])

        assert told == [False, True, False, True, False]

    async def test_follows_withdrawal_of_everything(self, desk: Desk) -> None:
        await desk.define(doubleOptIn=False)
        await desk.choose("subscribed")
        await desk.say(GRANTED, channel="any")
        before = (await desk.subscription())["effective"]

        await desk.http.post(desk.path("consents/withdraw-all"), json={})

        after = await desk.subscription()
        assert (before, after["effective"], after["state"]) == (True, False, "subscribed")

    async def test_has_an_etag_of_its_own(self, desk: Desk) -> None:
        await desk.define(doubleOptIn=False)
        await desk.choose("subscribed")
        path = desk.path("subscriptions/offers")
        tag = (await desk.http.get(path)).headers["etag"]
        await desk.say(GRANTED)

        answer = await desk.http.get(path, headers={"If-None-Match": tag})

        assert (answer.status_code, answer.headers["etag"]) == (200, '"1-publiceffective"')


class TestList:
    async def test_shows_every_group_with_what_was_chosen(self, desk: Desk) -> None:
        for group in ("a", "b", "c"):
            await desk.define(group, doubleOptIn=False)
        await desk.choose("subscribed", "b")
        await desk.say(GRANTED)

        address: str | None = desk.path("subscriptions?limit=2")
        seen: list[tuple[str, str, bool]] = []
        while address:
            page = (await desk.http.get(address)).json()
            seen += [(item["group"], item["state"], item["effective"]) for item in page["items"]]
            address = page["next"]

        assert seen == [("a", "unknown", False), ("b", "subscribed", True), ("c", "unknown", False)]

    async def test_is_three_range_reads(self, desk: Desk) -> None:
        await desk.define(doubleOptIn=False)
        await desk.choose("subscribed")
        desk.whole_pages()

        await desk.http.get(desk.path("subscriptions"))

        assert sorted(desk.calls) == ["customers.page", "customers.page", "subscriptiongroups.page"]

    async def test_shows_inside_what_waits_for_confirmation(self, desk: Desk) -> None:
        await desk.define()
        await desk.choose("subscribed")
        desk.whole_pages()

        page = (await desk.http.get(desk.path("subscriptions", private=True))).json()

        assert page["items"][0]["confirmation"]["token"] == await desk.token()
