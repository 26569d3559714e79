"""A customer withdraws while a file with older grants is being imported: the withdrawal stands, whoever comes first."""

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest

from local.stack import LocalStack

_SECONDS = 100.0
_OTHERS = 120
IMPORTS = "/api/private/v1/imports"


@pytest.fixture
def http(stack: LocalStack) -> Iterator[httpx2.Client]:
    headers = {"x-functions-key": stack.function_key, "X-Actor": "journey"}
    with httpx2.Client(base_url=stack.base_url, headers=headers, timeout=20) as client:
        yield client


def send(http: httpx2.Client, kind: str, source: str, rows: Sequence[Any]) -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    answer = http.post(
        IMPORTS,
        params={"kind": kind, "source": source},
        content=content,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def shown(http: httpx2.Client, import_id: str) -> dict[str, Any]:
    found = http.get(f"{IMPORTS}/{import_id}").json()
    counts = dict(found["counts"])
    assert counts.pop("total") == sum(counts.values()), found
    return found


def ended(http: httpx2.Client, import_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while (found := shown(http, import_id))["state"] != "completed":
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def results(http: httpx2.Client, import_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in http.get(f"{IMPORTS}/{import_id}/results").text.splitlines()]


def person(system: str, number: int) -> dict[str, Any]:
    return {
        "lastName": "Lovelace",
        "email": f"{system}.{number}@example.com",
        "externalIds": [{"system": system, "id": f"P-{number}"}],
    }


def grant(system: str, number: int, at: str, **fields: Any) -> dict[str, Any]:
    return {
        "customer": {"system": system, "id": f"P-{number}"},
        "purpose": "marketing",
        "channel": "email",
        "state": "granted",
        "textVersion": "letter-3",
        "captured": {"how": "paper", "at": at},
        **fields,
    }


def test_the_withdrawal_stands(http: httpx2.Client) -> None:
    system = f"crm{secrets.token_hex(4)}"
    people = send(http, "customers", f"{system}-people", [person(system, number) for number in range(6)])
    assert ended(http, people)["counts"]["created"] == 6
    ids = [row["id"] for row in results(http, people)]
    ours = ids[0]
    # Grants of ours stand at the beginning, in the middle and at the end of the file, and each is older than today.
    rows = [grant(system, 1 + number % 5, f"2024-01-{1 + number % 28:02}T08:00:00Z") for number in range(_OTHERS)]
    for place, day in ((0, 1), (_OTHERS // 2, 2), (_OTHERS + 2, 3)):
        rows.insert(place, grant(system, 0, f"2025-02-0{day}T08:00:00Z"))

    imported = send(http, "consents", f"{system}-consents", rows)
    consent = f"/api/v1/customers/{ours}/consents/marketing/email"
    while (before := http.get(consent)).json()["version"] == 0:
        assert shown(http, imported)["state"] == "running"
    withdrawn = http.put(
        consent, json={"state": "withdrawn", "how": "web"}, headers={"If-Match": before.headers["etag"]}
    )
    while withdrawn.status_code == 412:  # the import was faster
        tag = http.get(consent).headers["etag"]
        withdrawn = http.put(consent, json={"state": "withdrawn", "how": "web"}, headers={"If-Match": tag})
    assert withdrawn.status_code == 200, withdrawn.text
    counts = ended(http, imported)["counts"]

    assert (counts["refused"], counts["failed"], counts["waiting"]) == (0, 0, 0)
    after = http.get(consent).json()
    assert after["state"] == "withdrawn"
    asked = {"purpose": "marketing", "channel": "email"}
    decision = http.get(f"/api/private/v1/customers/{ours}/consents/decision", params=asked).json()
    assert decision["allowed"] is False
    history = http.get(f"{consent}/history", params={"limit": 200}).json()["items"]
    assert sorted(one["state"] for one in history) == ["granted", "granted", "granted", "withdrawn"]
    again = send(http, "consents", f"{system}-consents-again", rows)
    ended(http, again)
    assert http.get(consent).json()["state"] == "withdrawn"
