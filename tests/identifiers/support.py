"""What the tests of identifiers do: state customers over HTTP, look them up, and look into the index."""

from dataclasses import dataclass
from typing import Any

import httpx2

from lib.customers.rules import indexed_of
from lib.customers.store import kept_from
from lib.identifiers.index import Entry
from local.simulation.world import World

PRIVATE = "/api/private/v1/customers"
LOOKUP = f"{PRIVATE}/lookup"


@dataclass
class Desk:
    """A world, and someone who asks it over HTTP."""

    world: World
    http: httpx2.AsyncClient

    async def create(self, **fields: Any) -> str:
        body = {"lastName": "Lovelace", "email": "ada@example.com", **fields}
        answer = await self.http.post("/api/v1/customers", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def change(self, customer_id: str, **fields: Any) -> dict[str, Any]:
        address = f"/api/v1/customers/{customer_id}"
        tag = (await self.http.get(address)).headers["ETag"]
        answer = await self.http.patch(address, json=fields, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def put(self, address: str, body: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
        stated = {"lastName": "Lovelace", "email": "ada@example.com"} if body is None else body
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.put(f"{PRIVATE}/by-external-id/{address}", json=stated, headers=sent)

    async def find(self, identifier: str, **query: Any) -> httpx2.Response:
        return await self.http.get(LOOKUP, params={"identifier": identifier, **query})

    async def found(self, identifier: str) -> list[str]:
        answer = await self.find(identifier)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def settle(self) -> None:
        await self.world.settle(seconds=10)


def rows(world: World) -> set[tuple[str, str]]:
    """Return the rows of the index, without the books."""
    kept = world.storage.table("identifierindex").rows()
    return {(row.partition, row.key) for row in kept if not row.partition.startswith("book~")}


def untrue(world: World) -> list[str]:
    """Return what is wrong with the index at rest: rows that are missing or too many, and books that do not say so."""
    index = world.platform.identifier_index
    kept = rows(world)
    books = {row.key: Entry.read(row) for row in world.storage.table("customerindex").rows()}
    wrong: list[str] = []
    true: set[tuple[str, str]] = set()
    for row in world.storage.table("customers").rows():
        if row.key != "profile" or int(str(row.values["version"])) == 0:
            continue
        wanted = {index.key(one) for one in indexed_of(kept_from(row).customer())}
        true |= {(key, row.partition) for key in wanted}
        book = books.get(row.partition, Entry())
        if book.keys != wanted or book.leaving or book.version != int(str(row.values["version"])):
            wrong.append(f"the book of {row.partition} says {book}")
    wrong += [f"{key} lacks {customer_id}" for key, customer_id in true - kept]
    return wrong + [f"{key} has {customer_id} still" for key, customer_id in kept - true]
