"""Rows and messages of ours, read and written by Microsoft's own SDK: a second opinion on what goes over the wire."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.ports import Insert, Replace
from local.azurite import Azurite


@pytest.fixture
async def ours(azurite: Azurite) -> AsyncIterator[AzureStorage]:
    storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
    await storage.create_missing(tables=["interop"], queues=["interop"])
    yield storage
    await storage.close()


class TestRows:
    async def test_of_ours_are_read_by_the_sdk(self, ours: AzureStorage, azurite: Azurite) -> None:
        moment = datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC)
        (etag,) = await ours.table("interop").write(
            "o'ne",
            Insert("ours ü", {"text": "東京", "n": 2**40, "ratio": 1.0, "yes": True, "raw": b"\x00", "at": moment}),
        )

        async with TableServiceClient.from_connection_string(azurite.connection_string) as sdk:
            entity = await sdk.get_table_client("interop").get_entity("o'ne", "ours ü")

        assert entity["text"] == "東京"
        assert entity["n"] == EntityProperty(2**40, EdmType.INT64)
        assert (entity["ratio"], entity["yes"], entity["raw"], entity["at"]) == (1.0, True, b"\x00", moment)
        assert entity.metadata["etag"] == etag

    async def test_of_the_sdk_are_read_and_replaced_by_us(self, ours: AzureStorage, azurite: Azurite) -> None:
        table = ours.table("interop")
        async with TableServiceClient.from_connection_string(azurite.connection_string) as sdk:
            await sdk.get_table_client("interop").create_entity(
                {"PartitionKey": "theirs", "RowKey": "k", "small": 5, "big": EntityProperty(2**40, EdmType.INT64)}
            )

        row = await table.get("theirs", "k")

        assert row is not None
        assert row.values == {"small": 5, "big": 2**40}
        await table.write("theirs", Replace("k", {"small": 6}, row.etag))


class TestMessages:
    async def test_of_ours_are_read_by_the_sdk_and_its_by_us(self, ours: AzureStorage, azurite: Azurite) -> None:
        text = '{"name":"Zoë <&> 東京"}'
        async with QueueServiceClient.from_connection_string(azurite.connection_string) as sdk:
            client = sdk.get_queue_client("interop")
            await ours.queue("interop").send(text)
            theirs = await client.receive_message()
            assert theirs is not None
            await client.delete_message(theirs)
            await client.send_message(text)

        (message,) = await ours.queue("interop").receive(32, lease_seconds=30)

        assert theirs.content == text
        assert message.body == text
        # Never is never: the service writes the last day it knows.
        assert theirs.expires_on is not None
        assert theirs.expires_on.year == 9999
