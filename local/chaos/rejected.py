"""Makes customers that the mainframe rejects: by the thousand, and no faster than they are rejected."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from local.chaos.api import Api, Reply
from local.chaos.history import Outcome
from local.chaos.mainframe import MainframeControl

FAILURES: Final = "/api/private/v1/failures"
MENDED, STAYING = "MENDED", "STAYING"
_PREFIXES: Final = {MENDED: "mended@", STAYING: "staying@"}
REJECTING: Final[Mapping[str, Mapping[str, Any]]] = {
    code: {"kind": "reject", "field": "EMAIL", "prefix": prefix, "reasonCode": code}
    for code, prefix in _PREFIXES.items()
}
# One in so many is rejected for another reason, which is not mended.
_STAYING_ONE_IN: Final = 50
# For trials that want an answer and not to see what a busy machine does to it.
PATIENT_SECONDS: Final = 20.0
_CREATORS: Final = 16
# Azurite's queues get slow when they are long, so no more than so many wait to be rejected.
_AHEAD: Final = 400
_TRIES: Final = 10
_LOOK_SECONDS: Final = 0.25


class TrialError(Exception):
    """It could not be tried; the message says what came instead."""


@dataclass
class RejectedCustomers:
    """Customers of which the mainframe rejected the first version."""

    api: Api
    mainframe: MainframeControl
    wanted: int
    ids: dict[int, str] = field(default_factory=dict[int, str])
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def staying(self) -> int:
        """How many are still rejected once the fault is mended."""
        return len(range(0, self.wanted, _STAYING_ONE_IN))

    async def make(self) -> None:
        """Make them all, and return once the mainframe has rejected each.

        Raises:
            TrialError: one was not taken.
        """
        await self.mainframe.faults(*REJECTING.values())
        numbers = iter(range(self.wanted))
        await asyncio.gather(self._keep_pace(), *(self._create(numbers) for _ in range(_CREATORS)))

    async def listed(self) -> int:
        """Return how many are listed as open failures."""
        groups = (await self.api.get(f"{FAILURES}/groups")).json()["groups"]
        return sum(group["count"] for group in groups if group["code"] in REJECTING)

    async def change(self, count: int) -> None:
        """Give some of the first a newer version, which the mainframe takes.

        Raises:
            TrialError: one was not taken.
        """
        first: Sequence[str] = [self.ids[number] for number in sorted(self.ids) if number % _STAYING_ONE_IN][:count]
        for customer_id in first:
            patch = {"email": f"changed.{customer_id}@example.com"}
            reply = await self.api.amend(customer_id, patch, etag='"1-public"')
            if reply.outcome is not Outcome.OK:
                raise TrialError(f"a change was answered {reply.short}: {reply.text}")

    async def _keep_pace(self) -> None:
        rejected = 0
        while rejected < self.wanted:
            rejected = int((await self.mainframe.stats())["calls"].get("UPD", {}).get("08", 0))
            if len(self.ids) - rejected < _AHEAD:
                self._room.set()
            else:
                self._room.clear()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _create(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self._room.wait()
            code = MENDED if number % _STAYING_ONE_IN else STAYING
            body = {"lastName": "Replayed", "email": f"{_PREFIXES[code]}n{number}.example.com"}
            self.ids[number] = await create(self.api, body, key=f"rejected-{number}")


async def create(api: Api, body: Mapping[str, Any], *, key: str) -> str:
    """Create a customer, asking again when no answer comes or it cannot be taken now, and return its id.

    Raises:
        TrialError: it was refused, or never answered.
    """
    made = Reply(0)
    for _ in range(_TRIES):
        made = await api.create(body, key=key)
        if made.outcome is Outcome.OK:
            return str(made.json()["id"])
        if made.outcome is Outcome.FAILED and made.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    raise TrialError(f"a create was answered {made.short}: {made.text}")
