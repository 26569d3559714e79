"""A family shares an e-mail address: found together, told apart, and both at the mainframe. Features 2 and 4."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from local.stack import LocalStack

PRIVATE = "/api/private/v1"
_SECONDS = 60.0


@pytest.fixture
def http(stack: LocalStack) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack.base_url, headers={"x-functions-key": stack.function_key}, timeout=30) as client:
        yield client


def create(http: httpx2.Client, first_name: str, email: str) -> str:
    made = http.post("/api/v1/customers", json={"firstName": first_name, "lastName": "Byron", "email": email})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def found(http: httpx2.Client, identifier: str, ids: set[str]) -> list[dict[str, Any]]:
    """Return who is found as soon as it is them."""
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = http.get(f"{PRIVATE}/customers/lookup", params={"identifier": identifier})
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        if {item["id"] for item in items} == ids:
            return items
        assert time.monotonic() < deadline, items
        time.sleep(0.2)


def arrived(stack: LocalStack, customer_id: str, version: int) -> bytes:
    """Return what the mainframe holds of a customer as soon as it holds this version."""
    deadline = time.monotonic() + _SECONDS
    with httpx2.Client(base_url=stack.control_url, timeout=30) as control:
        while True:
            answer = control.get(f"/master/{customer_id}")
            if answer.status_code == 200 and answer.json()["version"] >= version:
                return answer.content
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)


class TestFamily:
    def test_is_found_together_until_one_has_an_address_of_their_own(
        self, http: httpx2.Client, stack: LocalStack
    ) -> None:
        tag = secrets.token_hex(4)
        shared, own = f"byron.{tag}@example.com", f"ada.{tag}@example.com"
        ada, ralph = create(http, "Ada", shared), create(http, "Ralph", shared.title())

        together = found(http, f"email:{shared.upper()}", {ada, ralph})

        assert {item["firstName"] for item in together} == {"Ada", "Ralph"}
        assert all(item["matchedOn"][0]["type"] == "email" for item in together)

        address = f"/api/v1/customers/{ada}"
        tag_of_ada = http.get(address).headers["ETag"]
        assert http.patch(address, json={"email": own}, headers={"If-Match": tag_of_ada}).status_code == 200

        # At once: what is no longer true is never shown, even before the index knows.
        left = http.get(f"{PRIVATE}/customers/lookup", params={"identifier": f"email:{shared}"}).json()["items"]
        assert [item["id"] for item in left] == [ralph]
        assert [item["firstName"] for item in found(http, f"email:{own}", {ada})] == ["Ada"]
        assert own in arrived(stack, ada, 2).decode().lower()
        assert shared in arrived(stack, ralph, 1).decode().lower()


class TestSource:
    def test_states_a_customer_under_its_own_id_again_and_again(self, http: httpx2.Client, stack: LocalStack) -> None:
        """Feature 3: create, then replace, by source system and external id, an id with a slash in it too."""
        external = f"{secrets.token_hex(4)}%2F7"
        address = f"{PRIVATE}/customers/by-external-id/booking/{external}"
        body = {"firstName": "Ada", "lastName": "Byron", "email": f"ada.{secrets.token_hex(4)}@example.com"}

        made = http.put(address, json=body)
        again = http.put(address, json={**body, "title": "Countess"})
        read = http.get(address)

        assert (made.status_code, again.status_code, read.status_code) == (201, 200, 200), made.text
        assert again.json()["id"] == made.json()["id"]
        assert read.json() == again.json()
        assert again.json()["externalIds"] == [{"system": "booking", "id": external.replace("%2F", "/")}]
        arrived(stack, made.json()["id"], 2)
