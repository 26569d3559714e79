"""Finding customers by identifiers over the private API. Feature 2."""

from dataclasses import replace

import pytest

from lib.identifiers.models import MOST_CUSTOMERS
from local.faults.taps import When
from tests.identifiers.support import LOOKUP, PRIVATE, Desk, rows

PASSPORT = {"number": "533380006", "issuingCountry": "GB"}


class TestFind:
    @pytest.mark.parametrize(
        ("identifier", "kind"),
        [
            ("email:ADA@Example.com", "email"),
            ("phone:+44 20 7183 8750", "phone"),
            ("loyalty:io-204488", "loyalty"),
            ("booking:B-1", "external"),
            ("external:booking:B-1", "external"),
        ],
    )
    async def test_answers_whoever_holds_it(self, desk: Desk, identifier: str, kind: str) -> None:
        """Feature 2: a customer is looked up by any identifier, written `type:value`."""
        ada = await desk.create(
            firstName="Ada",
            phone="+442071838750",
            loyalty={"number": "IO-204488", "tier": "gold"},
            externalIds=[{"system": "booking", "id": "B-1"}],
        )
        await desk.create(email="other@example.com")
        await desk.settle()

        answer = await desk.find(identifier)

        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.json() == {
            "items": [
                {
                    "id": ada,
                    "href": f"{PRIVATE}/{ada}",
                    "version": 1,
                    "firstName": "Ada",
                    "lastName": "Lovelace",
                    "loyaltyTier": "gold",
                    "matchedOn": [{"type": kind, "subject": "customer", "id": ada}],
                }
            ],
            "next": None,
            "truncated": False,
        }

    async def test_answers_everybody_who_shares_it(self, desk: Desk) -> None:
        """Feature 2: families share e-mail addresses and phone numbers."""
        family = {await desk.create(firstName=name, email="Family@example.com") for name in ("Ada", "Byron", "Ralph")}
        await desk.settle()

        assert set(await desk.found("email:family@EXAMPLE.com")) == family

    async def test_of_what_nobody_holds_is_an_empty_list(self, desk: Desk) -> None:
        assert await desk.found("email:nobody-at-all@example.com") == []
        assert await desk.found("crm:42") == []

    async def test_by_a_unique_value_needs_no_relay(self, desk: Desk) -> None:
        ada = await desk.create(loyalty={"number": "IO-1"}, externalIds=[{"system": "crm", "id": "a/b?#%"}])

        assert await desk.found("loyalty:IO-1") == [ada]
        assert await desk.found("crm:a/b?#%") == [ada]

    async def test_no_longer_answers_who_gave_it_up_even_before_the_index_knows(self, desk: Desk) -> None:
        ada = await desk.create()
        await desk.settle()

        await desk.change(ada, email="countess@example.com")

        assert await desk.found("email:ada@example.com") == []

    @pytest.mark.parametrize("identifier", ["email:noreply@example.com", "phone:+10000000000", "crm:null"])
    async def test_of_a_blocked_value_is_refused_and_says_so(self, desk: Desk, identifier: str) -> None:
        """Feature 4: a lookup for a blocked value answers 422."""
        await desk.create(email="noreply@example.com", phone="+10000000000")
        await desk.settle()

        answer = await desk.find(identifier)

        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:iommi:problem:identifier-blocked"
        assert rows(desk.world) == set()

    @pytest.mark.parametrize("identifier", ["ada@example.com", "email:ada", "Phone:+442071838750", "pnr:x"])
    async def test_of_what_is_no_identifier_is_refused(self, desk: Desk, identifier: str) -> None:
        answer = await desk.find(identifier)

        assert (answer.status_code, answer.json()["type"]) == (422, "urn:iommi:problem:identifier-invalid")
        assert answer.json()["errors"][0]["pointer"] == "/identifier"

    async def test_without_an_identifier_is_400(self, desk: Desk) -> None:
        assert (await desk.http.get(LOOKUP)).status_code == 400

    async def test_takes_two_storage_calls_for_one_match(self, desk: Desk) -> None:
        await desk.create(loyalty={"number": "IO-1"})
        await desk.settle()
        calls: list[str] = []

        async def listen(point: str, when: When) -> None:
            calls.extend([point] if when is When.BEFORE else [])

        desk.world.tap = listen
        await desk.found("email:ada@example.com")
        await desk.found("loyalty:IO-1")

        assert calls == ["identifierindex.page", "customers.get", "identifiers.get", "customers.get"]


class TestSensitive:
    async def test_is_found_by_its_number_in_a_body(self, desk: Desk) -> None:
        ada = await desk.create(passport=PASSPORT)
        await desk.settle()

        answer = await desk.http.post(LOOKUP, json={"identifier": "passport:533 380 006"})

        assert [item["id"] for item in answer.json()["items"]] == [ada]
        assert "533380006" not in answer.text

    async def test_is_kept_as_a_keyed_digest_only(self, desk: Desk) -> None:
        await desk.create(passport=PASSPORT)
        await desk.settle()

        kept = [
            str(row) for name in ("identifierindex", "customerindex") for row in desk.world.storage.table(name).rows()
        ]

        assert not [row for row in kept if "533380006" in row]

    async def test_in_an_address_is_refused(self, desk: Desk) -> None:
        await desk.create(passport=PASSPORT)
        await desk.settle()

        answer = await desk.find("passport:533380006")

        assert (answer.status_code, answer.json()["type"]) == (422, "urn:iommi:problem:identifier-exposed")


class TestBody:
    async def test_answers_as_the_address_does(self, desk: Desk) -> None:
        await desk.create()
        await desk.settle()

        by_body = await desk.http.post(LOOKUP, json={"identifier": "email:ada@example.com"})

        assert by_body.status_code == 200
        assert by_body.json() == (await desk.find("email:ada@example.com")).json()

    async def test_goes_on_under_its_next_address_without_telling_whom(self, desk: Desk) -> None:
        family = {await desk.create(firstName=f"N{number}") for number in range(3)}
        await desk.settle()
        body = {"identifier": "email:ada@example.com"}

        first = (await desk.http.post(LOOKUP, params={"limit": 2}, json=body)).json()
        second = (await desk.http.post(first["next"], json=body)).json()

        assert "ada" not in first["next"]
        assert {item["id"] for item in (*first["items"], *second["items"])} == family
        assert second["next"] is None

    async def test_that_names_another_value_cannot_use_the_cursor(self, desk: Desk) -> None:
        for number in range(3):
            await desk.create(firstName=f"N{number}")
        await desk.settle()
        first = (await desk.http.post(LOOKUP, params={"limit": 2}, json={"identifier": "email:ada@example.com"})).json()

        other = await desk.http.post(first["next"], json={"identifier": "email:other@example.com"})

        assert other.status_code == 400


class TestPages:
    async def test_list_everybody_once(self, desk: Desk) -> None:
        family = [await desk.create(firstName=f"N{number}") for number in range(23)]
        await desk.settle()

        found: list[str] = []
        following = f"{LOOKUP}?identifier=email%3Aada%40example.com&limit=5"
        while following:
            page = (await desk.http.get(following)).json()
            assert len(page["items"]) <= 5
            found += [item["id"] for item in page["items"]]
            following = page["next"]

        assert sorted(found) == sorted(family)

    async def test_go_past_those_who_gave_it_up(self, desk: Desk) -> None:
        family = [await desk.create(firstName=f"N{number}") for number in range(12)]
        await desk.settle()
        stay = set(family[::4])
        for customer_id in set(family) - stay:
            await desk.change(customer_id, email="gone@example.com")

        answer = (await desk.find("email:ada@example.com", limit=3)).json()
        rest = (await desk.http.get(answer["next"])).json()["items"] if answer["next"] else []

        assert {item["id"] for item in (*answer["items"], *rest)} == stay

    async def test_end_where_a_value_tells_nobody_apart_and_say_so(self, desk: Desk) -> None:
        """Feature 4: a shared value lists so many customers and no more."""
        for number in range(6):
            await desk.create(firstName=f"N{number}")
        await desk.settle()
        lookup = replace(desk.world.platform.customer_lookup, most_customers=4)

        first = await lookup.find(text="email:ada@example.com", limit=3, cursor=None)
        second = await lookup.find(text="email:ada@example.com", limit=3, cursor=first.cursor)

        assert (len(first.items), first.truncated) == (3, False)
        assert (len(second.items), second.truncated, second.cursor) == (1, True, None)
        assert desk.world.platform.customer_lookup.most_customers == MOST_CUSTOMERS
