"""A traveller at the running copy."""

from collections.abc import Iterator

import httpx2
import pytest

from local.stack import LocalStack
from tests.journeys.travelling import Traveller


@pytest.fixture
def traveller(stack: LocalStack) -> Iterator[Traveller]:
    with (
        httpx2.Client(base_url=stack.base_url, headers={"x-functions-key": stack.function_key}, timeout=30) as http,
        httpx2.Client(base_url=stack.control_url, timeout=30) as control,
    ):
        yield Traveller.arrive(http, control)
        control.delete("/faults")
