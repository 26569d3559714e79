"""The bare SDK with its defaults, doing the storage work of our operations on rows that our operations wrote.

The same tables and queue, the same rows, the same number of calls in the same order; no HTTP, no checks, no models.
"""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from lib.clock import SystemClock
from lib.customers.store import CUSTOMERS_TABLE, INDEX_PARTITION, INDEX_TABLE, PROFILE_KEY
from lib.messaging.catalogue import QueueName, Subject
from lib.messaging.envelope import WakeUp
from lib.paging import DEFAULT_LIMIT
from local.bench.storage import Work

_DELAY_SECONDS = 2


class BareSdk:
    """The SDK's clients, and one customer of ours whose rows are the pattern for what is written."""

    def __init__(self, customers: TableClient, index: TableClient, changes: QueueClient) -> None:
        """Say where."""
        self._customers = customers
        self._index = index
        self._changes = changes
        self._numbers = itertools.count()
        self._read: Sequence[str] = ()
        self._profile: dict[str, Any] = {}
        self._change: dict[str, Any] = {}
        # Customers of its own, to be taken, changed and put back: in flight, each has one change at a time.
        self._changed: list[str] = []

    @classmethod
    async def open(cls, connection_string: str, stack: AsyncExitStack, *, customer_ids: Sequence[str]) -> "BareSdk":
        """Return it with its connections, which the stack closes, and with the rows of these customers to read."""
        customers, index = [
            await stack.enter_async_context(TableClient.from_connection_string(connection_string, name))
            for name in (CUSTOMERS_TABLE, INDEX_TABLE)
        ]
        changes = await stack.enter_async_context(
            QueueClient.from_connection_string(connection_string, QueueName.CHANGES.value)
        )
        sdk = cls(customers, index, changes)
        sdk._read = customer_ids
        asked = "PartitionKey eq @partition"
        async for row in customers.query_entities(asked, parameters={"partition": customer_ids[0]}):
            if row["RowKey"] == PROFILE_KEY:
                sdk._profile = dict(row)
            if row["RowKey"].startswith("change~"):
                sdk._change = dict(row)
        return sdk

    def work(self) -> Mapping[str, Work]:
        """Return one call per operation, by the operation's name."""
        reads = itertools.cycle(self._read).__next__
        return {
            "create": self._create,
            "read": lambda: self._customers.get_entity(reads(), PROFILE_KEY),
            "read, 304": lambda: self._customers.get_entity(reads(), PROFILE_KEY),
            "patch": self._patch,
            "list": self._list,
        }

    async def _create(self) -> str:
        partition = f"sdk_{next(self._numbers):026d}"
        await self._send(partition)
        await self._customers.submit_transaction(
            [
                ("create", {**self._profile, "PartitionKey": partition}),
                ("create", {**self._change, "PartitionKey": partition}),
            ]
        )
        return partition

    async def _patch(self) -> object:
        partition = self._changed.pop() if self._changed else await self._create()
        profile = await self._customers.get_entity(partition, PROFILE_KEY)
        await self._send(partition)
        await self._customers.submit_transaction(
            [
                (
                    "update",
                    profile,
                    {
                        "etag": profile.metadata["etag"],
                        "match_condition": MatchConditions.IfNotModified,
                        "mode": UpdateMode.REPLACE,
                    },
                ),
                (
                    "create",
                    {**self._change, "PartitionKey": partition, "RowKey": f"change~sdk~{next(self._numbers):013d}"},
                ),
            ]
        )
        return self._changed.append(partition)

    async def _list(self) -> object:
        pages = self._index.query_entities(
            "PartitionKey eq @partition", parameters={"partition": INDEX_PARTITION}, results_per_page=DEFAULT_LIMIT
        ).by_page()
        return [dict(entity) async for entity in await anext(pages)]

    async def _send(self, customer_id: str) -> None:
        now = SystemClock().now()
        wake_up = WakeUp(
            subject=Subject.CUSTOMER,
            id=customer_id,
            version=1,
            accepted_at=now,
            deadline=now,
            trace=f"00-{'a' * 32}-{'b' * 16}-01",
        )
        await self._changes.send_message(wake_up.body(), visibility_timeout=_DELAY_SECONDS, time_to_live=-1)
