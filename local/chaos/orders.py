"""Orders in a storm: placed and changed for known customers, each version by a write of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from local.chaos.api import Api, Reply
from local.chaos.asking import Asking
from local.chaos.history import Kind, Outcome

_MERGE_PATCH: Final = {"Content-Type": "application/merge-patch+json"}
_PLACED_SHARE: Final = 0.3
_WIDGET: Final = {
    "kind": "product",
    "family": "widget",
    "sku": "WID-100",
    "unitPrice": {"amount": "9.90", "currency": "EUR"},
}


@dataclass
class Orders:
    """Places orders and changes them. The mark of a write is the order's channel, which is kept in every version."""

    api: Api
    asking: Asking
    random: Random
    known: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])

    async def act(self, customer_id: str) -> None:
        """Place an order for a customer, or change one of those that are known."""
        if not self.known or self.random.random() < _PLACED_SHARE:
            await self._place(customer_id)
        else:
            await self._change(self.random.choice(list(self.known)))

    def of(self, customer_id: str) -> list[str]:
        """Return the orders of a customer that are known."""
        return [order_id for order_id, (owner, _) in self.known.items() if owner == customer_id]

    async def _place(self, customer_id: str) -> None:
        write = self.asking.write(Kind.ORDER, owner=customer_id)
        body = {"currency": "EUR", "channel": write.mark, "items": [_WIDGET]}
        path = f"/api/v1/customers/{customer_id}/orders"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            return await self.api.ask("POST", path, body=sent, key=write.key)

        if await self.asking.ask(write, body, {**body, "notes": "other"}, ask):
            self.known[str(write.entity_id)] = (customer_id, write.version or 0)

    async def _change(self, order_id: str) -> None:
        customer_id, version = self.known[order_id]
        write = self.asking.write(Kind.ORDER_CHANGE, owner=customer_id, entity_id=order_id, expected=version)
        patch = {"reason": "a storm", "channel": write.mark}
        path = f"/api/private/v1/customers/{customer_id}/orders/{order_id}"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            headers = {**_MERGE_PATCH, "If-Match": f'"{version}-private"'}
            return await self.api.ask("PATCH", path, body=sent, key=write.key, headers=headers)

        if await self.asking.ask(write, patch, {**patch, "notes": "other"}, ask):
            self._learn(order_id, customer_id, write.version or 0)
            return
        reply = await self.api.ask("GET", path)
        if reply.outcome is Outcome.OK:
            self._learn(order_id, customer_id, int(reply.json()["version"]))

    def _learn(self, order_id: str, customer_id: str, version: int) -> None:
        self.known[order_id] = (customer_id, max(version, self.known[order_id][1]))
