"""Every mainframe we have keeps the same promises: the one in memory, and the one behind the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lib.mainframe.client import MainframeClient
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.link import Link
from lib.mainframe.protocol import Reply, ReturnCode
from local.mainframe.memory import MemoryMainframe
from local.mainframe.server import MockMainframe

BODY = CUSTOMER_LAYOUT.encode({"LAST-NAME": "Núñez"})


@pytest.fixture(params=["memory", "wire"])
async def link(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Link]:
    if request.param == "memory":
        yield MemoryMainframe()
        return
    async with (
        MockMainframe(tmp_path, control_port=None) as mainframe,
        MainframeClient(host="127.0.0.1", port=mainframe.port) as client,
    ):
        yield client


async def update(link: Link, version: int, key: str = "cus_1") -> Reply:
    return await link.update(subject="CUSTOMER", key=key, version=version, trace="", body=BODY)


class TestUpdate:
    async def test_applies_a_newer_version(self, link: Link) -> None:
        replies = [await update(link, version) for version in (1, 2, 5)]

        assert [(reply.code, reply.held_version) for reply in replies] == [
            (ReturnCode.APPLIED, 1),
            (ReturnCode.APPLIED, 2),
            (ReturnCode.APPLIED, 5),
        ]

    @pytest.mark.parametrize("version", [1, 4, 5])
    async def test_never_goes_back_nor_applies_twice(self, link: Link, version: int) -> None:
        await update(link, 5)

        reply = await update(link, version)

        assert (reply.code, reply.held_version) == (ReturnCode.ALREADY_HELD, 5)
        assert await link.inquire(subject="CUSTOMER", key="cus_1") == 5


class TestInquire:
    async def test_knows_nothing_at_first(self, link: Link) -> None:
        assert await link.inquire(subject="CUSTOMER", key="cus_1") is None

    async def test_tells_the_version_of_the_key(self, link: Link) -> None:
        await update(link, 3)
        await update(link, 4, key="cus_2")

        assert await link.inquire(subject="CUSTOMER", key="cus_1") == 3


class TestBrowse:
    async def test_pages_through_every_key_in_ebcdic_order(self, link: Link) -> None:
        keys = ["cus_A", "cus_Z", "cus_0", "cus_9", *(f"cus_X{number:03d}" for number in range(60))]
        for number, key in enumerate(keys, start=1):
            await update(link, number, key=key)

        pages = [await link.browse(subject="CUSTOMER", after="", limit=50)]
        while pages[-1]:
            pages.append(await link.browse(subject="CUSTOMER", after=pages[-1][-1][0], limit=50))

        listed = [entry for page in pages for entry in page]
        assert [len(page) for page in pages] == [50, 14, 0]
        assert dict(listed) == {key: number for number, key in enumerate(keys, start=1)}
        assert [key for key, _ in listed] == ["cus_A", *keys[4:], "cus_Z", "cus_0", "cus_9"]

    async def test_gives_no_more_than_asked_for(self, link: Link) -> None:
        for key in ("a", "b", "c"):
            await update(link, 1, key=key)

        assert await link.browse(subject="CUSTOMER", after="a", limit=1) == [("b", 1)]

    async def test_keeps_subjects_apart(self, link: Link) -> None:
        await update(link, 1)

        assert await link.browse(subject="ORDER", after="", limit=10) == []
