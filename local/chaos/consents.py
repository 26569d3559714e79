"""Consents in a storm: given and withdrawn for known customers, each statement by a write of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from local.chaos.api import Api, Reply
from local.chaos.asking import Asking
from local.chaos.history import Kind, Outcome


@dataclass
class Consents:
    """Says yes or no to marketing by e-mail. The mark of a write is the version of the text that was shown."""

    api: Api
    asking: Asking
    random: Random
    known: dict[str, int] = field(default_factory=dict[str, int])

    async def act(self, customer_id: str) -> None:
        """Give or withdraw a customer's consent, over the version that is known."""
        version = self.known.get(customer_id, 0)
        write = self.asking.write(Kind.CONSENT, owner=customer_id, expected=version)
        body = {"state": self.random.choice(("granted", "withdrawn")), "textVersion": write.mark}
        path = f"/api/v1/customers/{customer_id}/consents/marketing/email"

        async def ask(sent: Mapping[str, Any]) -> Reply:
            return await self.api.ask(
                "PUT", path, body=sent, key=write.key, headers={"If-Match": f'"{version}-public"'}
            )

        if await self.asking.ask(write, body, {**body, "textVersion": "other"}, ask):
            self._learn(customer_id, write.version or 0)
            return
        reply = await self.api.ask("GET", path)
        if reply.outcome is Outcome.OK:
            self._learn(customer_id, int(reply.json()["version"]))

    def _learn(self, customer_id: str, version: int) -> None:
        self.known[customer_id] = max(version, self.known.get(customer_id, 0))
