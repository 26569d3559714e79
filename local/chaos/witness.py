"""The witness: asks the API and the mainframe about every entity once everything has drained."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

from local.chaos.api import Api
from local.chaos.evidence import EntityEvidence, Held, LookupEvidence
from local.chaos.history import History, Kind
from local.chaos.mainframe import MainframeControl

_AT_ONCE: Final = 16
_CUSTOMERS: Final = "/api/private/v1/customers"
_ORDERS: Final = frozenset({Kind.ORDER, Kind.ORDER_CHANGE})
_CASES: Final = frozenset({Kind.CASE, Kind.CASE_CHANGE, Kind.CASE_COMMENT})
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Witness:
    """Asks about everything that is listed or that a writer was told of."""

    api: Api
    mainframe: MainframeControl
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def entities(self, history: History) -> tuple[dict[str, EntityEvidence], list[LookupEvidence]]:
        """Return what is to be seen of every customer, order, consent and case, and who is found by what."""
        listed = {str(one["id"]): one for one in await self.api.pages(f"{_CUSTOMERS}?limit=200")}
        told = {write.owner or write.entity_id for write in history.writes}
        ids = sorted({*listed, *(one for one in told if one)})
        customers = await self._each(self._customer(one, listed.get(one)) for one in ids)
        there = sorted(one.id for one in customers if one is not None)
        orders, cases = _told(history, _ORDERS), _told(history, _CASES)
        placed = await self._each(self._orders(one, orders[one]) for one in there)
        opened = await self._each(self._cases(one, cases[one]) for one in there)
        said = await self._each(self._consent(one) for one in there)
        found = [*customers, *(one for some in (*placed, *opened) for one in some), *said]
        return {one.id: one for one in found if one is not None}, await self._lookups(listed)

    async def _customer(self, customer_id: str, listed: Mapping[str, Any] | None) -> EntityEvidence | None:
        path = f"{_CUSTOMERS}/{customer_id}"
        shown = await self.api.get(path)
        if shown.status != HTTPStatus.OK:
            return None
        document = shown.json()
        changes = await self.api.pages(f"{path}/changes?limit=200")
        return EntityEvidence(
            id=customer_id,
            version=int(document["version"]),
            mark=str(document.get("middleName", "")),
            marks={int(change["version"]): _mark_in(change, "/middleName") for change in changes},
            listed_version=int(listed["version"]) if listed else None,
            held=await self._held(customer_id, path, "MIDDLE-NAME"),
        )

    async def _orders(self, customer_id: str, told: set[str]) -> list[EntityEvidence]:
        path = f"{_CUSTOMERS}/{customer_id}/orders"
        listed = {str(one["id"]): int(one["version"]) for one in await self.api.pages(f"{path}?limit=200")}
        found: list[EntityEvidence] = []
        for order_id in sorted({*listed, *told}):
            shown = await self.api.get(f"{path}/{order_id}")
            if shown.status != HTTPStatus.OK:
                continue
            document = shown.json()
            changes = await self.api.pages(f"{path}/{order_id}/changes?limit=200")
            found.append(
                EntityEvidence(
                    id=order_id,
                    version=int(document["version"]),
                    mark=str(document.get("channel", "")),
                    marks={int(change["version"]): _mark_in(change, "/channel") for change in changes},
                    listed_version=listed.get(order_id),
                    held=await self._held(order_id, f"{path}/{order_id}", "CHANNEL"),
                )
            )
        return found

    async def _cases(self, customer_id: str, told: set[str]) -> list[EntityEvidence]:
        path = f"{_CUSTOMERS}/{customer_id}/cases"
        listed = {str(one["id"]): int(one["version"]) for one in await self.api.pages(f"{path}?limit=200")}
        found: list[EntityEvidence] = []
        for case_id in sorted({*listed, *told}):
            shown = await self.api.get(f"{path}/{case_id}")
            if shown.status != HTTPStatus.OK:
                continue
            document = shown.json()
            comments = {one["number"]: one["text"] for one in await self.api.pages(f"{path}/{case_id}/comments")}
            changes = await self.api.pages(f"{path}/{case_id}/changes?limit=200")
            versions = {listed.get(case_id), *await self._listed_by_order(customer_id, document)}
            found.append(
                EntityEvidence(
                    id=case_id,
                    version=int(document["version"]),
                    mark=str(document.get("category", "")),
                    marks={int(change["version"]): _mark_of_case(change, comments) for change in changes},
                    listed_version=versions.pop() if len(versions) == 1 else None,
                    held=None,
                )
            )
        return found

    async def _listed_by_order(self, customer_id: str, case: Mapping[str, Any]) -> list[int | None]:
        """Return the version of a case that its order shows; nothing for a case that is about none."""
        order_id = case.get("about", {}).get("orderId")
        if order_id is None:
            return []
        shown = await self.api.pages(f"{_CUSTOMERS}/{customer_id}/orders/{order_id}/cases?limit=200")
        return [next((int(one["version"]) for one in shown if one["id"] == case["id"]), None)]

    async def _consent(self, customer_id: str) -> EntityEvidence | None:
        path = f"{_CUSTOMERS}/{customer_id}/consents"
        listed = await self.api.pages(f"{path}?limit=200")
        if not listed:
            return None
        [document] = listed
        history = await self.api.pages(f"{path}/marketing/email/history?limit=200")
        return EntityEvidence(
            id=str(document["id"]),
            version=int(document["version"]),
            mark=str(document["statement"]["textVersion"]),
            marks={int(one["version"]): str(one["textVersion"]) for one in history},
            listed_version=int(document["version"]),
            held=None,
        )

    async def _held(self, key: str, path: str, field_of_mark: str) -> Held:
        delivery, held = await asyncio.gather(self.api.get(f"{path}/deliveries/mainframe"), self.mainframe.held(key))
        return Held(
            delivery=delivery.json(),
            version=int(held["version"]) if held else 0,
            mark=str(held["record"][field_of_mark]) if held else "",
        )

    async def _lookups(self, customers: Mapping[str, Mapping[str, Any]]) -> list[LookupEvidence]:
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for customer_id, document in customers.items():
            for identifier in _identifiers(document):
                holders[identifier].add(customer_id)
        return await self._each(self._lookup(one, frozenset(ids)) for one, ids in sorted(holders.items()))

    async def _lookup(self, identifier: str, holders: frozenset[str]) -> LookupEvidence:
        found = await self.api.pages(f"{_CUSTOMERS}/lookup?limit=200&identifier={quote(identifier)}")
        return LookupEvidence(identifier=identifier, holders=holders, found=frozenset(str(one["id"]) for one in found))

    async def _each(self, work: Iterable[Awaitable[Found]]) -> list[Found]:
        return list(await asyncio.gather(*(self._through(one) for one in work)))

    async def _through(self, work: Awaitable[Found]) -> Found:
        async with self._gate:
            return await work


def _identifiers(document: Mapping[str, Any]) -> list[str]:
    found = [f"email:{document['email']}"]
    if "loyalty" in document:
        found.append(f"loyalty:{document['loyalty']['number']}")
    return found + [f"{one['system']}:{one['id']}" for one in document.get("externalIds", ())]


def _told(history: History, kinds: frozenset[Kind]) -> defaultdict[str, set[str]]:
    """Return the entities of some kinds of which a writer was told, by their customer."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for write in history.writes:
        if write.kind in kinds and write.owner and write.entity_id:
            found[write.owner].add(write.entity_id)
    return found


def _mark_of_case(change: Mapping[str, Any], comments: Mapping[int, str]) -> str:
    """Return the mark of a version: of the comment that made it, or the category that it gave the case."""
    number = _mark_in(change, "/comments")
    return comments.get(int(number), "") if number not in {"", "0"} else _mark_in(change, "/category")


def _mark_in(change: Mapping[str, Any], name: str) -> str:
    for field_change in change["fields"]:
        if field_change["field"] == name:
            return str(field_change.get("new", ""))
    return ""
