import json
from typing import Any

import httpx2
import pytest

from lib.customers.models import CustomerDetails
from lib.feedback.models import RecordedFeedbackDraft
from lib.imports.cases import CaseRow
from lib.imports.consents import ConsentRow
from lib.imports.loaders import validated
from lib.imports.orders import OrderRow
from lib.interactions.models import DRAFTS
from lib.preferences.patch import StatedPatch
from local.seed.__main__ import seed
from local.seed.history import END, history
from local.seed.people import person
from local.stack import LocalStack

SOME = range(1, 201)


def everything() -> str:
    people = [person(number) for number in SOME]
    return json.dumps([(one.row, [repr(history(one))]) for one in people], ensure_ascii=False)


class TestPeople:
    def test_are_the_same_at_every_run(self) -> None:
        assert everything() == everything()

    @pytest.mark.parametrize("number", [1, 66, 200])
    def test_are_the_same_whoever_was_drawn_before(self, number: int) -> None:
        alone = person(number).row
        for other in SOME:
            person(other)

        assert person(number).row == alone

    def test_are_customers(self) -> None:
        for number in SOME:
            CustomerDetails.model_validate(person(number).row)

    def test_are_nobody(self) -> None:
        rows = [person(number).row for number in SOME]

        assert all(row["email"].endswith("@example.com") for row in rows)
        assert all(row.get("phone", "+1202555")[:8] in {"+1202555", "+4477009"} for row in rows)

    def test_write_in_many_scripts(self) -> None:
        names = "".join(person(number).row["lastName"] for number in SOME)

        for first, last in ("az", "αω", "ая", "ءي", "את", "कह", "가힣", "กฮ", "一龥"):
            assert any(first <= letter <= last for letter in names), (first, last)


class TestHistory:
    def test_has_a_past_and_a_future(self) -> None:
        departures = [
            order["items"][0]["scheduledDeparture"] for number in SOME for order in history(person(number)).orders
        ]

        assert min(departures) < "2025-01" < END.isoformat() < max(departures)

    def test_is_what_the_api_takes(self) -> None:
        for number in SOME:
            past = history(person(number))
            for row in past.orders:
                validated(OrderRow, {name: value for name, value in row.items() if name != "customer"})
            for row in past.consents:
                validated(ConsentRow, {name: value for name, value in row.items() if name != "customer"})
            for row in past.cases:
                validated(CaseRow, {name: value for name, value in row.items() if name != "customer"})
            for row in past.interactions:
                DRAFTS.validate_python({name: value for name, value in row.items() if name != "customer"})
            for body in past.feedback:
                RecordedFeedbackDraft.model_validate(body)
            if past.preferences:
                StatedPatch.model_validate(past.preferences)

    def test_ends_before_today(self) -> None:
        happened = [row["happenedAt"] for number in SOME for row in history(person(number)).interactions]

        assert max(happened) < "2026-11-02"


class TestSeed:
    async def test_fills_a_copy_and_twice_is_once(self, stack: LocalStack) -> None:
        made = await seed(stack.base_url, stack.function_key, customers=24)
        before = shown(stack)

        again = await seed(stack.base_url, stack.function_key, customers=24)

        assert made == again
        assert made["customers"] == 24
        assert shown(stack) == before
        assert len(before["interactions"]) > 2
        assert before["customer"]["externalIds"] == [{"system": "seed", "id": "S-0002"}]


def shown(stack: LocalStack) -> dict[str, Any]:
    headers = {"x-functions-key": stack.function_key}
    private = "/api/private/v1/customers"
    with httpx2.Client(base_url=stack.base_url, headers=headers, timeout=20) as http:
        imports = [
            one for one in http.get("/api/private/v1/imports?limit=200").json()["items"] if one["source"] == "sample-1"
        ]
        results = http.get(f"/api/private/v1/imports/{_of(imports, 'customers')}/results").text.splitlines()
        customer_id = json.loads(results[1])["id"]
        return {
            "imports": imports,
            "customer": http.get(f"{private}/{customer_id}").json(),
            "orders": http.get(f"{private}/{customer_id}/orders").json()["items"],
            "interactions": http.get(f"{private}/{customer_id}/interactions").json()["items"],
            "feedback": http.get(f"{private}/{customer_id}/feedback").json()["items"],
            "preferences": http.get(f"{private}/{customer_id}/preferences").json(),
        }


def _of(imports: list[dict[str, Any]], kind: str) -> str:
    return next(one["id"] for one in imports if one["kind"] == kind)
