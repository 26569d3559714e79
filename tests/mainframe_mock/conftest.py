from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lib.mainframe.client import MainframeClient
from local.mainframe.server import MockMainframe


@pytest.fixture
async def mainframe(tmp_path: Path) -> AsyncIterator[MockMainframe]:
    async with MockMainframe(tmp_path, control_port=None, grace_seconds=0.5) as mainframe:
        yield mainframe


@pytest.fixture
async def client(mainframe: MockMainframe) -> AsyncIterator[MainframeClient]:
    async with MainframeClient(host="127.0.0.1", port=mainframe.port) as client:
        yield client


@pytest.fixture
async def impatient(mainframe: MockMainframe) -> AsyncIterator[MainframeClient]:
    """A client that gives up after a moment."""
    async with MainframeClient(host="127.0.0.1", port=mainframe.port, call_timeout_seconds=0.15) as client:
        yield client
