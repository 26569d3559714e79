"""Cases in a storm: opened about orders, changed and written in, each version by a write of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from local.chaos.api import Api, Reply
from local.chaos.asking import Asking
from local.chaos.history import Kind, Outcome

_MERGE_PATCH: Final = {"Content-Type": "application/merge-patch+json"}
_OPENED_SHARE: Final = 0.3
_COMMENT_SHARE: Final = 0.5


@dataclass
class Cases:
    """Opens cases, changes them and writes in them.

    The mark of a write is the case's category or the text of a comment, which the change log or the comment keeps.
    """

    api: Api
    asking: Asking
    random: Random
    orders_of: Callable[[str], list[str]]
    known: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])

    async def act(self, customer_id: str) -> None:
        """Open a case for a customer, or change or write in one of those that are known."""
        if not self.known or self.random.random() < _OPENED_SHARE:
            await self._open(customer_id)
        elif self.random.random() < _COMMENT_SHARE:
            await self._write_in(self.random.choice(list(self.known)))
        else:
            await self._change(self.random.choice(list(self.known)))

    async def _open(self, customer_id: str) -> None:
        write = self.asking.write(Kind.CASE, owner=customer_id)
        orders = self.orders_of(customer_id)
        about = {"about": {"orderId": self.random.choice(orders), "itemIds": ["item-1"]}} if orders else {}
        body = {"type": "claim", "subject": "A storm", "category": write.mark, **about}
        path = f"/api/v1/customers/{customer_id}/cases"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            return await self.api.ask("POST", path, body=sent, key=write.key)

        if await self.asking.ask(write, body, {**body, "subject": "Another"}, ask):
            self.known[str(write.entity_id)] = (customer_id, write.version or 0)

    async def _change(self, case_id: str) -> None:
        customer_id, version = self.known[case_id]
        write = self.asking.write(Kind.CASE_CHANGE, owner=customer_id, entity_id=case_id, expected=version)
        patch = {"category": write.mark}
        path = f"/api/private/v1/customers/{customer_id}/cases/{case_id}"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            headers = {**_MERGE_PATCH, "If-Match": f'"{version}-private"'}
            return await self.api.ask("PATCH", path, body=sent, key=write.key, headers=headers)

        if await self.asking.ask(write, patch, {**patch, "priority": "high"}, ask):
            self._learn(case_id, customer_id, write.version or 0)
            return
        reply = await self.api.ask("GET", path)
        if reply.outcome is Outcome.OK:
            self._learn(case_id, customer_id, int(reply.json()["version"]))

    async def _write_in(self, case_id: str) -> None:
        customer_id, _ = self.known[case_id]
        write = self.asking.write(Kind.CASE_COMMENT, owner=customer_id, entity_id=case_id)
        said = {"text": write.mark}
        path = f"/api/v1/customers/{customer_id}/cases/{case_id}/comments"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            return await self.api.ask("POST", path, body=sent, key=write.key)

        await self.asking.ask(write, said, {"text": "other"}, ask, made=lambda shown: (str(shown["caseId"]), None))

    def _learn(self, case_id: str, customer_id: str, version: int) -> None:
        self.known[case_id] = (customer_id, max(version, self.known[case_id][1]))
