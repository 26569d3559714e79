"""What can be seen afterwards: everything the API, the mainframe and the poison queues tell about every customer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from local.chaos.api import Api
from local.chaos.drain import Backlog
from local.chaos.history import History, mark_of
from local.chaos.listed import Listed
from local.chaos.mainframe import MainframeControl

_AT_ONCE: Final = 16
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityEvidence:
    """One customer as the API shows it and as the mainframe holds it. `marks` says which write made each version."""

    id: str
    version: int
    mark: str
    marks: Mapping[int, str]
    listed_version: int | None
    delivery: Mapping[str, Any]
    held_version: int
    held_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a verdict rests on. `expected` says how often each fault has to have `fired` at least."""

    history: History
    entities: Mapping[str, EntityEvidence]
    journal: Sequence[Mapping[str, Any]]
    mainframe: Mapping[str, Any]
    listed: Listed = field(default_factory=Listed)
    backlog: Backlog = field(default_factory=lambda: Backlog(messages=0, outbox=0, undelivered=0))
    drain_seconds: float = 0.0
    drain_limit_seconds: float = 0.0
    fired: Mapping[str, int] = field(default_factory=dict[str, int])
    expected: Mapping[str, int] = field(default_factory=dict[str, int])
    hosts_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Witness:
    """Asks about every customer."""

    api: Api
    mainframe: MainframeControl

    async def customers(self, history: History) -> dict[str, EntityEvidence]:
        """Return what is to be seen of every customer that is listed or that a writer was told of."""
        listed = {str(one["id"]): one for one in await self.api.pages("/api/private/v1/customers?limit=200")}
        told = {write.entity_id for write in history.writes if write.entity_id}
        gate = asyncio.Semaphore(_AT_ONCE)
        found = await asyncio.gather(
            *(
                _through(gate, self._one(customer_id, listed.get(customer_id)))
                for customer_id in sorted({*listed, *told})
            )
        )
        return {one.id: one for one in found if one is not None}

    async def _one(self, customer_id: str, listed: Mapping[str, Any] | None) -> EntityEvidence | None:
        path = f"/api/private/v1/customers/{customer_id}"
        shown, changes, delivery, held = await asyncio.gather(
            self.api.get(path),
            self.api.pages(f"{path}/changes?limit=200") if listed else _nothing(),
            self.api.get(f"{path}/deliveries/mainframe"),
            self.mainframe.held(customer_id),
        )
        if shown.status != 200:  # noqa: PLR2004 - 404: there is no such customer
            return None
        document = shown.json()
        if not listed:
            changes = await self.api.pages(f"{path}/changes?limit=200")
        return EntityEvidence(
            id=customer_id,
            version=int(document["version"]),
            mark=mark_of(document),
            marks={int(change["version"]): _mark_in(change) for change in changes},
            listed_version=int(listed["version"]) if listed else None,
            delivery=delivery.json(),
            held_version=int(held["version"]) if held else 0,
            held_mark=str(held["record"]["MIDDLE-NAME"]) if held else "",
        )


def totals(counters: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return several counts as one."""
    added: Counter[str] = Counter()
    for counter in counters:
        added.update(counter)
    return dict(sorted(added.items()))


def _mark_in(change: Mapping[str, Any]) -> str:
    for field_change in change["fields"]:
        if field_change["field"] == "/middleName":
            return str(field_change.get("new", ""))
    return ""


async def _through(gate: asyncio.Semaphore, work: Awaitable[Found]) -> Found:
    async with gate:
        return await work


async def _nothing() -> list[dict[str, Any]]:
    return []
