from contextlib import AsyncExitStack

import pytest

from local.bench.api import OPERATIONS, STATUS, Api
from local.bench.load import run_load
from local.bench.sdk import BareSdk
from local.stack import LocalStack


class TestApi:
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_sends_requests_that_do_what_they_say(self, stack: LocalStack, operation: str) -> None:
        api = Api(stack)

        result = run_load(
            stack.running_ports.app,
            api.requests(operation, customer_ids=api.create(1), connections=2),
            connections=2,
            seconds=0.1,
        )

        assert set(result.statuses) == {STATUS[operation]}
        assert result.errors == 0


class TestBareSdk:
    async def test_does_the_work_of_every_operation(self, stack: LocalStack) -> None:
        created = Api(stack).create(1)
        async with AsyncExitStack() as connections:
            sdk = await BareSdk.open(stack.connection_string, connections, customer_ids=created)
            work = sdk.work()

            done = {operation: await work[operation]() for operation in OPERATIONS}
            again = await work["patch"]()

        assert done["read"]["version"].value == 1
        assert done["create"].startswith("sdk_")
        assert again is None
