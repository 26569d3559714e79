"""The clients: they create and change a few customers that they fight over, and repeat what they got no answer to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from lib.changes.operation import Answer, Operation, fingerprint_of
from lib.changes.writer import OutcomeNotSettledError
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.errors import PlatformError
from lib.orders.models import OrderDetails, OrderPatch
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.simulation.activity import Activity, Instance, Killed
from local.simulation.fleet import Fleet
from local.simulation.travels import simulated_order

_PATIENCE_SECONDS = 30.0
_ATTEMPTS = 4
_FREE = {True: "notes", False: "lastName"}
_LOYALTY = ("IO-1", "IO-2", "IO-3")
_EXTERNALS = ("A", "B")
_EMAILS = ("one@example.com", "two@example.com", None)


class Outcome(StrEnum):
    """What a client knows after one attempt."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something a client wants once, in however many attempts. `expected_version` None: something new.

    With `customer_id` and no version, or with `order_id`, it is about an order of this customer.
    """

    operation_id: str
    keyed: bool
    body: dict[str, Any]
    customer_id: str = ""
    order_id: str = ""
    expected_version: int | None = None

    @property
    def about_order(self) -> bool:
        """Whether an order is placed or changed."""
        return bool(self.order_id) or (bool(self.customer_id) and self.expected_version is None)


@dataclass(slots=True)
class Attempt:
    """One attempt at a request, and what came of it."""

    request: Request
    attempt: str
    body: dict[str, Any]
    outcome: Outcome = Outcome.UNKNOWN
    answer: Answer | None = None
    error: str = ""


@dataclass
class Clients:
    """Writes until the plan says that it is calm."""

    fleet: Fleet
    random: Random
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    known: list[str] = field(default_factory=list[str])
    orders: dict[str, str] = field(default_factory=dict[str, str])
    defects: list[str] = field(default_factory=list[str])
    _numbers: int = 0

    async def run(self) -> None:
        """Write, as many clients at once as the plan says, and return when all have their answers or gave up."""
        plan = self.fleet.network.plan
        await asyncio.gather(*(self._client(plan.calm_at * 0.8) for _ in range(plan.writers)))

    async def _client(self, until: float) -> None:
        loop = self.fleet.network.loop
        await asyncio.sleep(self.random.random() * until / 4)
        for _ in range(self.random.randint(1, 2)):
            if loop.time() > until:
                return
            draw = self.random.random()
            if not self.known or draw < 0.25:  # noqa: PLR2004 - the mixture
                await self._create()
            elif draw < 0.65:  # noqa: PLR2004 - as above
                await self._amend()
            elif not self.orders or draw < 0.85:  # noqa: PLR2004 - as above
                await self._place()
            else:
                await self._change()
            await asyncio.sleep(self.random.random() * until / 6)

    async def _create(self) -> None:
        request = self._request(self._body(new=True))
        await self._insist(request, twins=self.random.choice((1, 1, 1, 2, 3)))

    async def _amend(self) -> None:
        customer_id = self.random.choice(self.known)
        version = await self._version(customer_id)
        if version is None:
            return
        if self.random.random() < 0.1:  # noqa: PLR2004 - some come with an old version
            version = max(1, version - 1)
        rivals = [
            self._request(self._body(new=False), customer_id=customer_id, expected_version=version)
            for _ in range(self.random.choice((1, 1, 2, 4)))
        ]
        twins = self.random.choice((1, 1, 1, 2)) if len(rivals) == 1 else 1
        await asyncio.gather(*(self._insist(rival, twins=twins) for rival in rivals))

    async def _place(self) -> None:
        customer_id = self.random.choice(self.known)
        # Two at once, so that two orders of one customer are on their way beside each other.
        orders = [self._request(self._order(), customer_id=customer_id) for _ in range(self.random.choice((1, 1, 2)))]
        twins = self.random.choice((1, 1, 2))
        await asyncio.gather(*(self._insist(order, twins=twins) for order in orders))

    async def _change(self) -> None:
        order_id = self.random.choice(sorted(self.orders))
        customer_id = self.orders[order_id]
        answer = await self.ask("read", lambda at: at.platform.orders.read(customer_id=customer_id, order_id=order_id))
        if not isinstance(answer, Answer):
            return
        rivals = [
            self._request(
                {"reason": "simulation", "items": self._order()["items"], "notes": f"N{number}"},
                customer_id=customer_id,
                order_id=order_id,
                expected_version=answer.version,
            )
            for number in range(self.random.choice((1, 1, 2)))
        ]
        await asyncio.gather(*(self._insist(rival, twins=1) for rival in rivals))

    async def _version(self, customer_id: str) -> int | None:
        answer = await self.ask("read", lambda at: at.platform.customers.read(customer_id=customer_id))
        return answer.version if isinstance(answer, Answer) else None

    async def _insist(self, request: Request, *, twins: int) -> None:
        for _ in range(_ATTEMPTS):
            twins = twins if request.keyed else 1
            made = await asyncio.gather(*(self._try(request, request.body) for _ in range(twins)))
            if any(attempt.outcome is Outcome.OK for attempt in made):
                break
            if not request.keyed or all(attempt.outcome is Outcome.FAILED for attempt in made):
                return
            await asyncio.sleep(self.random.random() * 5)
        if request.keyed and self.random.random() < 0.2:  # noqa: PLR2004 - some repeat what was answered, or misuse a key
            other = {**request.body, _FREE[request.about_order]: "Other"}
            misused = self.random.random() < 0.4  # noqa: PLR2004 - as above
            await self._try(request, other if misused else request.body)

    async def _try(self, request: Request, body: dict[str, Any]) -> Attempt:
        attempt = Attempt(request, self._name("att"), body)
        if not request.keyed:
            attempt.attempt = request.operation_id
        self.attempts.append(attempt)
        result = await self.ask(f"{_kind(request)} {attempt.attempt}", lambda at: _send(at, attempt))
        self._conclude(attempt, result)
        return attempt

    def _conclude(self, attempt: Attempt, result: object) -> None:
        attempt.error = type(result).__name__
        if isinstance(result, Answer):
            attempt.outcome, attempt.answer = Outcome.OK, result
            if attempt.request.about_order:
                self.orders[result.entity_id] = attempt.request.customer_id
            elif result.entity_id not in self.known:
                self.known.append(result.entity_id)
        elif isinstance(result, Killed | OutcomeNotSettledError | OutcomeUnknownError):
            attempt.outcome = Outcome.UNKNOWN
        elif isinstance(result, PlatformError | StorageUnavailableError):
            attempt.outcome = Outcome.FAILED
        else:
            self.defects.append(f"{attempt.attempt}: {result!r}")
        self.fleet.network.tell("client", f"{attempt.attempt} ended {attempt.outcome} {attempt.error}")

    async def ask(self, what: str, work: Callable[[Instance], Awaitable[object]]) -> object:
        """Have some instance do something, and return its result, what it raised, or `Killed` when nothing came."""
        instance = self.fleet.pick()
        if instance is None:
            return Killed()
        activity: Activity = self.fleet.activities.start(f"{what}@{instance.name}", instance, lambda: work(instance))
        loop = self.fleet.network.loop
        # A client that hangs up learns nothing more, while its request may go on.
        patience = loop.call_later(_PATIENCE_SECONDS, activity.end, Killed())
        result = await activity.outcome
        patience.cancel()
        return result

    def _request(self, body: dict[str, Any], **target: Any) -> Request:
        return Request(operation_id=self._name("opr"), keyed=self.random.random() < 0.6, body=body, **target)  # noqa: PLR2004

    def _name(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}_{self._numbers}"

    def _body(self, *, new: bool) -> dict[str, Any]:
        self._numbers += 1
        body: dict[str, Any] = {"lastName": "Lovelace", "phone": "+442079460000"} if new else {}
        body["firstName"] = f"N{self._numbers}"
        if self.random.random() < 0.4:  # noqa: PLR2004 - many fight over few identifiers
            body["loyalty"] = {"number": self.random.choice(_LOYALTY)}
        elif not new and self.random.random() < 0.3:  # noqa: PLR2004 - and give them up again
            body["loyalty"] = None
        if self.random.random() < 0.5:  # noqa: PLR2004 - what is shared comes, goes and comes back
            body["email"] = self.random.choice(_EMAILS[: None if not new else 2])
        if self.random.random() < 0.3:  # noqa: PLR2004 - as above
            wanted = self.random.sample(_EXTERNALS, self.random.randint(0, len(_EXTERNALS)))
            body["externalIds"] = [{"system": "booking", "id": name} for name in wanted]
        return body

    def _order(self) -> dict[str, Any]:
        self._numbers += 1
        return simulated_order(self._numbers, self.random)


def _kind(request: Request) -> str:
    if request.about_order:
        return "place" if request.expected_version is None else f"change v{request.expected_version}"
    return "create" if request.expected_version is None else f"amend v{request.expected_version}"


async def _send(instance: Instance, attempt: Attempt) -> Answer:
    request, customers = attempt.request, instance.platform.customers
    operation = Operation(
        name=_kind(request)[:6],
        id=request.operation_id,
        attempt=attempt.attempt,
        actor="simulation",
        fingerprint=fingerprint_of(attempt.body) if request.keyed else None,
    )
    if request.about_order:
        return await _send_order(instance, attempt, operation)
    if request.expected_version is None:
        return await customers.create(details=CustomerDetails.model_validate(attempt.body), operation=operation)
    return await customers.amend(
        customer_id=request.customer_id,
        patch=CustomerPatch.model_validate(attempt.body),
        expected_version=request.expected_version,
        operation=operation,
    )


async def _send_order(instance: Instance, attempt: Attempt, operation: Operation) -> Answer:
    request, orders = attempt.request, instance.platform.orders
    if request.expected_version is None:
        return await orders.place(
            customer_id=request.customer_id, details=OrderDetails.model_validate(attempt.body), operation=operation
        )
    return await orders.amend(
        customer_id=request.customer_id,
        order_id=request.order_id,
        patch=OrderPatch.model_validate(attempt.body),
        expected_version=request.expected_version,
        operation=operation,
    )
