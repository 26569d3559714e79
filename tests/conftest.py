"""Real parts that are dear to start, once per test run."""

import os
from collections.abc import Iterator

import pytest

from local.azurite import Azurite
from local.stack import LocalStack

_MOST_WORKERS = 4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: much of what real parts do is wait for one another."""
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """The emulator as it comes, in memory on free ports. Tests share it: take your own table and queue names."""
    with Azurite(indexed=False) as storage:
        yield storage


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The whole platform as people run it, on free ports and in memory. Tests share it: leave it running as it was."""
    brisk = {"WAKE_UP_DELAY_SECONDS": "0.2", "MAINFRAME_LATENCY_MS": "5"}
    with LocalStack(storage_in_memory=True, environment=brisk) as running:
        yield running
