"""Consents over HTTP: given, refused, withdrawn, expired, told late, and read as they stood."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from lib.clock import rfc3339
from local.faults.taps import When
from tests.consents.conftest import GRANTED, WITHDRAWN, Desk


class TestRead:
    async def test_where_nobody_asked_is_unknown_with_an_etag_to_begin_with(self, desk: Desk) -> None:
        answer = await desk.http.get(desk.path("consents/marketing/email"))

        assert (answer.json()["state"], answer.json()["version"]) == ("unknown", 0)
        assert "statement" not in answer.json()
        assert answer.headers["etag"] == '"0-public"'

    async def test_is_one_storage_call_however_long_the_history(self, desk: Desk) -> None:
        for _ in range(4):
            await desk.say(GRANTED)
        desk.whole_pages()

        await desk.state()

        assert desk.calls == ["customers.get"]

    async def test_of_nobody_is_404(self, desk: Desk) -> None:
        desk.customer = "cus_00000000000000000000000001"
        paths = ["consents", "consents/marketing/email", "consents/marketing/email/history"]

        answers = [
            await desk.http.get(desk.path(path, private=private)) for path in paths for private in (True, False)
        ] + [await desk.http.get(desk.path("consents/decision?purpose=marketing&channel=sms", private=True))]

        assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {
            (404, "urn:iommi:problem:customer-not-found")
        }

    @pytest.mark.parametrize("path", ["gossip/email", "marketing/pigeon", "custom-/email", "custom-A/email"])
    async def test_of_what_no_consent_can_be_for_is_400(self, desk: Desk, path: str) -> None:
        assert (await desk.http.get(desk.path(f"consents/{path}"))).status_code == 400

    async def test_of_a_purpose_of_ones_own_works_like_any(self, desk: Desk) -> None:
        await desk.say(GRANTED, purpose="custom-golf-club")

        assert await desk.state(purpose="custom-golf-club") == "granted"


class TestPut:
    async def test_keeps_state_wording_proof_and_time(self, desk: Desk) -> None:
        """Feature 76: consent per purpose and channel with state, text version, proof, time, expiry."""
        captured = {"how": "call", "at": "2025-12-24T10:00:00+01:00", "place": "Oslo", "agent": "Olga"}
        proof = {"kind": "recording", "reference": "rec-1", "sha256": "ab" * 32}
        body = {
            "state": "granted",
            "textVersion": "script-7",
            "language": "nb",
            "captured": captured,
            "proof": proof,
            "validFrom": "2026-01-02T00:00:00Z",
            "validUntil": "2027-01-01T00:00:00Z",
        }

        answer = await desk.http.put(
            desk.path("consents/profiling/any", private=True),
            json=body,
            headers={"If-None-Match": "*", "X-Actor": "crm"},
        )

        kept = (await desk.http.get(desk.path("consents/profiling/any", private=True))).json()
        assert answer.status_code == 200
        assert kept["statement"] == {
            "state": "granted",
            "textVersion": "script-7",
            "language": "nb",
            "captured": {**captured, "at": "2025-12-24T09:00:00.000Z"},
            "proof": proof,
            "validFrom": "2026-01-02T00:00:00.000Z",
            "validUntil": "2027-01-01T00:00:00.000Z",
            "recordedAt": "2026-01-01T00:00:00.000Z",
            "recordedBy": "crm",
            "version": 1,
        }

    async def test_names_of_staff_stay_inside(self, desk: Desk) -> None:
        path = "consents/profiling/email"
        body = {"state": "denied", "captured": {"how": "call", "agent": "Olga"}}
        await desk.http.put(
            desk.path(path, private=True), json=body, headers={"If-None-Match": "*", "X-Actor": "agent-olga"}
        )

        answers = [await desk.http.get(desk.path(rest)) for rest in (path, f"{path}/history", "consents")]
        answers.append(await desk.say(GRANTED, purpose="profiling"))
        answers.append(await desk.http.post(desk.path("consents/withdraw-all"), json={}))

        assert all("olga" not in answer.text.lower() for answer in answers)

    async def test_withdrawing_is_the_same_single_call(self, desk: Desk) -> None:
        await desk.say(GRANTED)

        answer = await desk.say(WITHDRAWN)

        assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
        assert await desk.decision() | {"at": None, "basis": None} == {
            "allowed": False,
            "because": "withdrawn",
            "at": None,
            "basis": None,
        }

    async def test_withdrawn_can_be_given_again_only_by_a_later_statement(self, desk: Desk) -> None:
        await desk.say(GRANTED)
        await desk.say(WITHDRAWN)
        desk.world.clock.advance(60)

        await desk.capture("granted", days_ago=1)
        late = await desk.state()
        await desk.say(GRANTED)

        assert (late, await desk.state()) == ("withdrawn", "granted")
        assert await desk.timeline() == ["givenAgain", "withdrawn", "given", "noted"]

    async def test_of_two_in_one_millisecond_the_second_holds(self, desk: Desk) -> None:
        await desk.say(WITHDRAWN)

        assert (await desk.say(GRANTED)).json()["state"] == "granted"

    async def test_needs_to_know_what_is_there(self, desk: Desk) -> None:
        path = desk.path("consents/marketing/email")

        without = await desk.http.put(path, json=GRANTED)
        first = await desk.http.put(path, json=GRANTED, headers={"If-None-Match": "*"})
        twice = await desk.http.put(path, json=GRANTED, headers={"If-None-Match": "*"})
        stale = await desk.http.put(path, json=GRANTED, headers={"If-Match": '"0-public"'})
        both = await desk.http.put(path, json=GRANTED, headers={"If-Match": '"1-public"', "If-None-Match": "*"})
        odd = await desk.http.put(path, json=GRANTED, headers={"If-None-Match": '"1-public"'})

        assert [answer.status_code for answer in (without, first, twice, stale, both, odd)] == [
            *(428, 200, 412, 412, 412, 400)
        ]

    @pytest.mark.parametrize(
        "body",
        [
            {"state": "granted"},
            {"state": "expired"},
            {"state": "unknown"},
            {"state": "withdrawn", "validUntil": "2027-01-01T00:00:00Z"},
            {**GRANTED, "validUntil": "2025-01-01T00:00:00Z"},
            {**GRANTED, "how": "call"},
            {**GRANTED, "captured": {"how": "call"}},
            {**GRANTED, "proof": {"kind": "form"}},
            {**GRANTED, "proof": {"kind": "form", "sha256": "xyz"}},
            {**GRANTED, "textVersion": "what I saw"},
            {**GRANTED, "language": "??"},
        ],
    )
    async def test_refuses_what_a_customer_cannot_say(self, desk: Desk, body: Any) -> None:
        answer = await desk.http.put(desk.path("consents/marketing/email"), json=body, headers={"If-None-Match": "*"})

        assert answer.status_code == 422
        assert await desk.state() == "unknown"

    @pytest.mark.parametrize(
        "more",
        [
            {"captured": {"how": "call", "at": "2026-06-01T00:00:00Z"}},
            {"captured": {"how": "telepathy"}},
            {"captured": {"how": "paper", "at": "2025-01-02T00:00:00Z"}, "validFrom": "2025-01-01T00:00:00Z"},
            {"captured": {"how": "paper"}, "validFrom": "2028-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z"},
            {},
        ],
    )
    async def test_refuses_what_cannot_have_been_captured(self, desk: Desk, more: Any) -> None:
        answer = await desk.http.put(
            desk.path("consents/marketing/email", private=True),
            json={**GRANTED, **more},
            headers={"If-None-Match": "*"},
        )

        assert answer.status_code == 422

    async def test_keeps_no_card_numbers(self, desk: Desk) -> None:
        """Feature 74: masked in what people write, refused where a changed text would prove nothing."""
        card = "4111 1111 1111 1111"
        path = desk.path("consents/marketing/email", private=True)
        captured = {"how": "call", "place": f"desk {card}", "agent": card}
        headers = {"If-None-Match": "*"}

        refused = await desk.http.put(
            path,
            json={"state": "denied", "captured": captured, "proof": {"kind": "log", "reference": card}},
            headers=headers,
        )
        kept = await desk.http.put(path, json={"state": "denied", "captured": captured}, headers=headers)

        assert (refused.status_code, kept.status_code) == (422, 200)
        assert card not in refused.text + kept.text

    async def test_twice_with_one_key_changes_nothing(self, desk: Desk) -> None:
        path = desk.path("consents/marketing/email")
        headers = {"If-None-Match": "*", "Idempotency-Key": "k"}
        body = {**GRANTED, "validUntil": "2026-01-02T00:00:00Z"}
        first = await desk.http.put(path, json=body, headers=headers)
        desk.world.clock.advance(7 * 86400)

        again = await desk.http.put(path, json=body, headers=headers)

        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert again.headers["idempotency-replayed"] == "true"
        assert len(await desk.history()) == 1

    async def test_of_several_at_once_one_wins(self, desk: Desk) -> None:
        path = desk.path("consents/marketing/email")

        answers = await asyncio.gather(
            *(desk.http.put(path, json=GRANTED, headers={"If-None-Match": "*"}) for _ in range(5))
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
        assert len(await desk.history()) == 1

    async def test_is_three_storage_calls(self, desk: Desk) -> None:
        tag = (await desk.say(GRANTED)).headers["etag"]
        desk.whole_pages()

        await desk.http.put(desk.path("consents/marketing/email"), json=WITHDRAWN, headers={"If-Match": tag})

        assert desk.calls == ["customers.get", "changes.send", "customers.commit"]


class TestExpiry:
    async def test_comes_by_itself_and_has_an_etag_of_its_own(self, desk: Desk) -> None:
        """Feature 76: consent expires without anybody writing."""
        path = desk.path("consents/marketing/email")
        tag = (await desk.say({**GRANTED, "validUntil": "2026-01-02T00:00:00Z"})).headers["etag"]
        desk.world.clock.advance(86400)

        answer = await desk.http.get(path, headers={"If-None-Match": tag})

        assert (answer.status_code, answer.json()["state"]) == (200, "expired")
        assert answer.headers["etag"] == '"1-publicexpired"'
        assert (await desk.decision())["because"] == "expired"
        renewed = await desk.http.put(path, json=GRANTED, headers={"If-Match": answer.headers["etag"]})
        assert renewed.json()["state"] == "granted"
        assert (await desk.timeline())[0] == "renewed"


class TestHistory:
    async def test_is_append_only_and_takes_late_statements_in_their_place(self, desk: Desk) -> None:
        """Feature 77: nothing is ever taken from the history."""
        await desk.capture("granted", days_ago=2)
        kept = {row.key: row.values for row in _log_rows(desk)}
        await desk.capture("withdrawn", days_ago=1)
        await desk.capture("denied", days_ago=3)
        await desk.say(GRANTED)
        await desk.http.post(desk.path("consents/withdraw-all"), json={})

        now = {row.key: row.values for row in _log_rows(desk)}

        assert [item["state"] for item in await desk.history()] == [
            "withdrawn",
            "granted",
            "withdrawn",
            "granted",
            "denied",
        ]
        assert kept.items() <= now.items()

    async def test_state_at_time_t_is_readable(self, desk: Desk) -> None:
        """Feature 77: how consent stood at a moment, however late that was told."""
        await desk.capture("withdrawn", days_ago=2)
        await desk.capture("granted", days_ago=4, validUntil=_days(desk, -3))
        await desk.capture("denied", days_ago=6)

        stood = [await desk.state(f"?at={_days(desk, day)}") for day in (-7, -6, -5, -4, -3.5, -3, -2.5, -2, 0, 9)]

        assert stood == ["unknown", "denied", "denied", *(["granted"] * 2), "expired", "expired", *["withdrawn"] * 3]

    async def test_of_all_consents_at_time_t_costs_a_call_only_for_what_was_said_since(self, desk: Desk) -> None:
        await desk.capture("granted", days_ago=9, channel="sms")
        await desk.capture("granted", days_ago=9)
        await desk.capture("withdrawn", days_ago=1)
        desk.whole_pages()

        answer = await desk.http.get(desk.path(f"consents?at={_days(desk, -2)}"))

        assert {item["channel"]: item["state"] for item in answer.json()["items"]} == {
            "email": "granted",
            "sms": "granted",
        }
        assert len(desk.calls) == 2

    async def test_decision_at_time_t(self, desk: Desk) -> None:
        await desk.capture("granted", days_ago=3, channel="any")
        await desk.capture("withdrawn", days_ago=1, channel="any")

        then, now = await desk.decision(at=_days(desk, -2)), await desk.decision()

        assert (then["allowed"], then["because"]) == (True, "grantedForAnyChannel")
        assert (now["allowed"], now["because"]) == (False, "refusedForAnyChannel")

    @pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "1969-12-31T23:59:59Z"])
    async def test_of_a_moment_that_cannot_be_read_is_400(self, desk: Desk, at: str) -> None:
        assert (await desk.http.get(desk.path(f"consents/marketing/email?at={at}"))).status_code == 400


class TestList:
    async def test_is_everything_in_one_storage_call(self, desk: Desk) -> None:
        for channel in ("email", "sms", "post"):
            await desk.say(GRANTED, channel=channel)
            await desk.say(WITHDRAWN, channel=channel)
        desk.whole_pages()

        answer = await desk.http.get(desk.path("consents"))

        assert sorted(item["channel"] for item in answer.json()["items"]) == ["email", "post", "sms"]
        assert answer.json()["next"] is None
        assert desk.calls == ["customers.page"]

    async def test_follows_its_pages(self, desk: Desk) -> None:
        channels = ["email", "sms", "post", "push", "any"]
        for channel in channels:
            await desk.say(GRANTED, channel=channel)

        address: str | None = desk.path("consents?limit=2")
        seen: list[str] = []
        while address:
            page = (await desk.http.get(address)).json()
            seen += [item["channel"] for item in page["items"]]
            address = page["next"]

        assert sorted(seen) == sorted(channels)


class TestWithdrawAll:
    async def test_withdraws_what_is_given_and_nothing_else(self, desk: Desk) -> None:
        """Feature 76: withdrawing is as easy as giving (GDPR Art. 7(3))."""
        for channel in ("email", "sms"):
            await desk.say(GRANTED, channel=channel)
        await desk.say({"state": "denied"}, channel="post")
        await desk.say({**GRANTED, "validUntil": "2026-01-01T00:00:01Z"}, channel="push")
        desk.world.clock.advance(60)

        answer = await desk.http.post(desk.path("consents/withdraw-all"), json={"how": "app"})

        assert answer.json()["withdrawn"] == 2
        assert {item["channel"] for item in answer.json()["items"]} == {"email", "sms"}
        assert [await desk.state(channel=channel) for channel in ("email", "sms", "post", "push")] == [
            *("withdrawn", "withdrawn", "denied", "expired")
        ]

    async def test_twice_changes_nothing(self, desk: Desk) -> None:
        await desk.say(GRANTED)
        path = desk.path("consents/withdraw-all")

        first = await desk.http.post(path, json={}, headers={"Idempotency-Key": "k"})
        again = await desk.http.post(path, json={}, headers={"Idempotency-Key": "k"})
        anew = await desk.http.post(path, json={})

        assert again.content == first.content
        assert anew.json() == {"withdrawn": 0, "items": []}
        assert len(await desk.history()) == 2

    async def test_that_broke_off_is_finished_by_a_repeat(self, desk: Desk) -> None:
        for channel in ("email", "sms", "post"):
            await desk.say(GRANTED, channel=channel)
        commits = 0

        async def fail_once(point: str, when: When) -> None:
            nonlocal commits
            if (point, when) == ("customers.commit", When.BEFORE):
                commits += 1
                if commits == 2:
                    raise ValueError("the process dies")

        desk.world.tap = fail_once
        path, headers = desk.path("consents/withdraw-all"), {"Idempotency-Key": "k"}

        broken = await desk.http.post(path, json={}, headers=headers)
        repeated = await desk.http.post(path, json={}, headers=headers)

        assert (broken.status_code, repeated.status_code) == (500, 200)
        assert [await desk.state(channel=channel) for channel in ("email", "sms", "post")] == ["withdrawn"] * 3

    async def test_by_an_agent_says_how_it_was_captured(self, desk: Desk) -> None:
        await desk.say(GRANTED)

        await desk.http.post(desk.path("consents/withdraw-all", private=True), json={"how": "call", "agent": "Olga"})

        assert (await desk.history())[0]["captured"] | {"at": None} == {"how": "call", "agent": "Olga", "at": None}

    async def test_of_nobody_is_404(self, desk: Desk) -> None:
        desk.customer = "cus_00000000000000000000000001"

        assert (await desk.http.post(desk.path("consents/withdraw-all"), json={})).status_code == 404


class TestAllowed:
    async def test_is_what_other_rooms_ask(self, desk: Desk) -> None:
        consents = desk.world.platform.consents
        await desk.say(GRANTED)
        desk.whole_pages()

        assert await consents.allowed(desk.customer, "marketing", "email")
        assert desk.calls == ["customers.page"]
        assert not await consents.allowed(desk.customer, "marketing", "sms")
        assert not await consents.allowed("cus_00000000000000000000000001", "marketing", "email")
        assert not await consents.allowed("no/body", "marketing", "email")


class TestArrival:
    async def test_in_any_order_gives_one_history_and_one_state_at_every_moment(self, desk: Desk) -> None:
        """Feature 77: the same statements, told in another order, about another customer."""
        told = [("granted", 5), ("withdrawn", 4), ("granted", 3), ("denied", 3), ("granted", 1), ("withdrawn", 1)]
        files: list[tuple[list[str], list[str]]] = []
        for order in (told, told[::-1], [*told[3:], *told[:3]]):
            made = await desk.http.post("/api/v1/customers", json={"lastName": "L", "email": "a@example.com"})
            desk.customer = made.json()["id"]
            for state, days in order:
                await desk.capture(state, days_ago=days)
            states = [await desk.state(f"?at={_days(desk, -day / 2)}") for day in range(12)]
            files.append(([item["state"] for item in await desk.history()], states))

        assert files[0] == files[1] == files[2]
        assert files[0][1][0] == "withdrawn"


class TestLogs:
    async def test_never_hold_who_or_what(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG", logger="platform")

        await desk.capture("granted", days_ago=1, proof={"kind": "form", "reference": "geheim"})
        await desk.world.settle(seconds=10)

        assert "geheim" not in caplog.text


def _days(desk: Desk, days: float) -> str:
    return rfc3339(desk.world.clock.now() + timedelta(days=days))


def _log_rows(desk: Desk) -> list[Any]:
    rows = desk.world.storage._table("customers").rows()
    return [row for row in rows if row.key.startswith("consentlog~") and json.loads(str(row.values["capture"]))]
