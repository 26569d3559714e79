"""How many calls an operation makes to storage, counted on the wire, against the budgets that keep it fast.

Every request to storage passes a proxy on its way and is counted there, repetitions among them.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from local.bench.api import Api
from local.bench.switches import switched
from local.faults.proxy import FaultProxy
from local.stack import LocalStack

_TIMES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What one operation costs, and may cost, in calls to storage."""

    operation: str
    budget: int
    calls: float
    kinds: Mapping[str, float]

    @property
    def within(self) -> bool:
        """Whether the budget is kept."""
        return self.calls <= self.budget


def count_calls(stack: LocalStack) -> list[Calls]:
    """Put the proxy between a running copy and its storage, and count; the copy keeps it until its host restarts."""
    return asyncio.run(_count_calls(stack))


async def _count_calls(stack: LocalStack) -> list[Calls]:
    async with FaultProxy(stack.connection_string) as proxy:
        # Queue functions and timers make calls of their own.
        through = {
            "DataStorage": proxy.connection_string,
            **switched("queueTrigger", "timerTrigger", on=False),
        }
        await asyncio.to_thread(stack.restart_host, through)
        found: list[Calls] = []
        # In a thread, as the proxy answers on this loop.
        operations = await asyncio.to_thread(_operations, Api(stack))
        for operation, (budget, once) in operations.items():
            before = proxy.rules.seen.copy()
            for _ in range(_TIMES):
                await asyncio.to_thread(once)
            seen = proxy.rules.seen - before
            found.append(
                Calls(
                    operation=operation,
                    budget=budget,
                    calls=seen.total() / _TIMES,
                    kinds={kind.value: number / _TIMES for kind, number in sorted(seen.items())},
                )
            )
        return found


def _operations(api: Api) -> dict[str, tuple[int, Callable[[], object]]]:
    numbers, versions = count(1), count(1)
    read, patched = api.create(2)

    def identified() -> None:
        number = next(numbers)
        api.create(
            1,
            loyalty={"number": f"BENCH-{number}"},
            externalIds=[{"system": "bench", "id": f"{number}-{part}"} for part in ("a", "b")],
        )

    return {
        "read": (1, lambda: api.read(read)),
        "read, 304": (1, lambda: api.read(read, known='"1-public"')),
        "list": (1, api.list_page),
        "patch": (3, lambda: api.patch(patched, version=next(versions))),
        "create": (2, lambda: api.create(1)),
        "create, 3 unique values": (5, identified),
    }
