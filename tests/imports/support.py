"""What the tests of imports send, and how they watch."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx2

from local.simulation.world import World

IMPORTS = "/api/private/v1/imports"
NDJSON = {"Content-Type": "application/x-ndjson"}


def customer(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "lastName": f"Lovelace {number}",
        "email": f"ada{number}@example.com",
        "externalIds": [{"system": "crm", "id": f"C-{number}"}],
        **fields,
    }


def ndjson(rows: Sequence[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


async def send(http: httpx2.AsyncClient, content: bytes, *, key: str | None = None, **query: Any) -> httpx2.Response:
    asked = {"kind": "customers", "source": "crm-1", **query}
    headers = {**NDJSON, "X-Actor": "loader", **({"Idempotency-Key": key} if key else {})}
    return await http.post(IMPORTS, params=asked, content=content, headers=headers)


async def state_of(http: httpx2.AsyncClient, import_id: str) -> dict[str, Any]:
    found = (await http.get(f"{IMPORTS}/{import_id}")).json()
    adds_up(found)
    return found


def adds_up(shown: dict[str, Any]) -> None:
    counts = dict(shown["counts"])
    assert counts.pop("total") == sum(counts.values())


async def finish(
    world: World, http: httpx2.AsyncClient, import_id: str, *, seen: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    for _ in range(1500):
        await world.settle(seconds=2)
        found = await state_of(http, import_id)
        if seen:
            seen(found)
        if found["state"] in {"completed", "cancelled"}:
            return found
    raise AssertionError(f"the import did not end: {found}")


async def results(http: httpx2.AsyncClient, import_id: str, **query: Any) -> list[dict[str, Any]]:
    address: str | None = f"{IMPORTS}/{import_id}/results"
    found: list[dict[str, Any]] = []
    while address:
        answer = await http.get(address, params=query or None)
        assert answer.status_code == 200, answer.text
        found += [json.loads(line) for line in answer.text.splitlines()]
        link = answer.headers.get("link")
        address, query = (link[1 : link.index(">")], {}) if link else (None, {})
    return found
