"""A customer's preference centre, through the real host and the storage emulator: what is liked, allowed and wanted."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from local.stack import LocalStack

PRIVATE = "/api/private/v1"


@dataclass
class Centre:
    """One customer of the running copy."""

    http: httpx2.Client
    customer: str

    def get(self, path: str, *, private: bool = False) -> httpx2.Response:
        answer = self.http.get(f"{PRIVATE if private else '/api/v1'}/customers/{self.customer}/{path}")
        assert answer.status_code == 200, answer.text
        return answer

    def put(self, path: str, body: Any, *, private: bool = False) -> dict[str, Any]:
        """Write over what is read."""
        tag = self.get(path, private=private).headers["etag"]
        address = f"{PRIVATE if private else '/api/v1'}/customers/{self.customer}/{path}"
        answer = self.http.put(address, json=body, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def allowed(self, channel: str) -> tuple[bool, str]:
        found = self.get(f"consents/decision?purpose=marketing&channel={channel}", private=True).json()
        return found["allowed"], found["because"]


@pytest.fixture
def centre(stack: LocalStack) -> Iterator[Centre]:
    headers = {"x-functions-key": stack.function_key}
    with httpx2.Client(base_url=stack.base_url, headers=headers, timeout=30) as http:
        made = http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        yield Centre(http, made.json()["id"])


class TestPreferenceCentre:
    def test_keeps_what_is_liked(self, centre: Centre) -> None:
        """Feature 28, end to end."""
        tag = centre.get("preferences").headers["etag"]

        centre.http.patch(
            f"/api/v1/customers/{centre.customer}/preferences",
            json={"meal": {"code": "VGML"}, "drink": "tea"},
            headers={"If-Match": tag},
        )

        told = centre.get("preferences/history?kind=meal", private=True).json()["items"]
        assert centre.get("preferences").json()["meal"] == {"code": "VGML"}
        assert [item["value"] for item in told] == [{"code": "VGML"}]

    def test_keeps_what_is_allowed_and_what_was(self, centre: Centre) -> None:
        """Features 76 and 77, end to end."""
        granted = {"state": "granted", "textVersion": "t-1", "captured": {"how": "paper", "at": "2025-03-01T00:00:00Z"}}

        centre.put("consents/marketing/any", granted, private=True)
        before = centre.allowed("email"), centre.allowed("sms")
        centre.put("consents/marketing/email", {"state": "withdrawn"})
        after = centre.allowed("email"), centre.allowed("sms")
        centre.http.post(f"/api/v1/customers/{centre.customer}/consents/withdraw-all", json={})

        then = centre.get("consents?at=2025-06-01T00:00:00Z").json()["items"]
        assert before == ((True, "grantedForAnyChannel"),) * 2
        assert after == ((False, "withdrawn"), (True, "grantedForAnyChannel"))
        assert centre.allowed("sms") == (False, "refusedForAnyChannel")
        assert {item["channel"]: item["state"] for item in then} == {"any": "granted", "email": "unknown"}
        assert len(centre.get("consents/marketing/any/history").json()["items"]) == 2

    def test_keeps_what_is_wanted(self, centre: Centre) -> None:
        """Feature 78, end to end."""
        group = f"offers-{secrets.token_hex(4)}"
        details = {"name": "Offers", "purpose": "marketing", "channel": "email", "doubleOptIn": True}
        centre.http.put(f"{PRIVATE}/subscription-groups/{group}", json=details, headers={"If-None-Match": "*"})

        chosen = centre.put(f"subscriptions/{group}", {"state": "subscribed"})
        token = centre.get(f"subscriptions/{group}", private=True).json()["confirmation"]["token"]
        confirmed = centre.http.post("/api/v1/subscription-confirmations", json={"token": token}).json()
        silent = centre.get(f"subscriptions/{group}").json()["effective"]
        centre.put("consents/marketing/email", {"state": "granted", "textVersion": "t-1"})

        listed = {item["group"]: item["effective"] for item in centre.get("subscriptions?limit=200").json()["items"]}
        assert (chosen["state"], confirmed["state"], silent) == ("pending", "subscribed", False)
        assert listed[group]
