"""Feature 20: the real host is killed twice in the middle of an import, and the end is that of one that never died."""

import json
import secrets
import time
from typing import Any

import httpx2
import pytest

from local.stack import LocalStack

IMPORTS = "/api/private/v1/imports"
ROWS = 600
BRISK = {
    "LOCAL_QUEUE_LEASE_SECONDS": "2",
    "COMMIT_WINDOW_SECONDS": "6",
    "WAKE_UP_DELAY_SECONDS": "0.5",
    "MAINFRAME_LATENCY_MS": "2",
    "MAINFRAME_BULK_RATE_PER_SECOND": "500",
}


def ask(http: httpx2.Client, path: str) -> dict[str, Any] | None:
    try:
        answer = http.get(path)
    except httpx2.TransportError:
        return None
    return answer.json() if answer.status_code == 200 else None


def wait(http: httpx2.Client, import_id: str, until: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 150
    while True:
        shown = ask(http, f"{IMPORTS}/{import_id}")
        if shown is not None:
            counts = dict(shown["counts"])
            assert counts.pop("total") == sum(counts.values()), shown
            if until(shown):
                return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


@pytest.mark.timeout(400)
def test_killed_twice_it_ends_as_if_it_never_was() -> None:
    system = f"crm{secrets.token_hex(4)}"
    rows = [
        {
            "lastName": "Lovelace",
            "email": f"{system}.{number}@example.com",
            "externalIds": [{"system": system, "id": f"P-{number}"}],
        }
        for number in range(ROWS)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with LocalStack(storage_in_memory=True, environment=BRISK) as stack:
        headers = {"x-functions-key": stack.function_key}
        with httpx2.Client(base_url=stack.base_url, headers=headers, timeout=20) as http:
            sent = http.post(
                IMPORTS,
                params={"kind": "customers", "source": system},
                content=content,
                headers={"Content-Type": "application/x-ndjson"},
            )
            import_id = sent.json()["id"]
            for done in (1, ROWS // 2):
                wait(http, import_id, lambda shown, done=done: shown["counts"]["created"] >= done)
                stack.kill_host()
                stack.start_host()
            shown = wait(http, import_id, lambda shown: shown["state"] == "completed")
            text = http.get(f"{IMPORTS}/{import_id}/results").text
            told = [json.loads(line) for line in text.splitlines()]
            assert shown["counts"]["created"] == ROWS
            assert [row["line"] for row in told] == list(range(1, ROWS + 1))
            assert len({row["id"] for row in told}) == ROWS
            for number in (0, ROWS // 2, ROWS - 1):
                read = http.get(f"/api/v1/customers/{told[number]['id']}").json()
                assert (read["version"], read["email"]) == (1, rows[number]["email"])
