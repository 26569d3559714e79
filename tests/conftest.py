"""Real parts that are dear to start, once per test run."""

from collections.abc import Iterator

import pytest

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """An emulator in memory on free ports. Tests share it: take your own table and queue names."""
    with Azurite() as storage:
        yield storage
