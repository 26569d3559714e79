import asyncio
from collections.abc import AsyncIterator

import pytest

from lib.storage.errors import BlobChangedError, BlobMissingError, StorageSetupError
from tests.contracts.conftest import Keeper

MIB = 1024 * 1024


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class TestPut:
    async def test_keeps_what_can_be_read_in_parts(self, keeper: Keeper) -> None:
        info = await keeper.blobs.put("one/rows.ndjson", b"0123456789")

        assert info.size == 10
        assert await keeper.blobs.read("one/rows.ndjson", start=0, length=4) == b"0123"
        assert await keeper.blobs.read("one/rows.ndjson", start=4, length=100) == b"456789"
        assert await keeper.blobs.read("one/rows.ndjson", start=10, length=1) == b""
        assert await keeper.blobs.read("one/rows.ndjson", start=99, length=1) == b""

    async def test_takes_pieces_as_they_come(self, keeper: Keeper) -> None:
        info = await keeper.blobs.put("pieces", pieces(b"one ", b"two ", b"three"))

        assert info.size == 13
        assert await keeper.blobs.read("pieces", start=0, length=99) == b"one two three"

    async def test_takes_more_than_fits_one_request(self, keeper: Keeper) -> None:
        body = bytes(range(256)) * 4096 * 9

        info = await keeper.blobs.put("large", body)

        assert info.size == 9 * MIB
        assert await keeper.blobs.read("large", start=5 * MIB, length=6 * MIB) == body[5 * MIB :]

    async def test_writes_over_what_was_there(self, keeper: Keeper) -> None:
        first = await keeper.blobs.put("again", b"a longer text")

        second = await keeper.blobs.put("again", b"short")

        assert await keeper.blobs.read("again", start=0, length=99) == b"short"
        assert first.etag != second.etag
        assert await keeper.blobs.info("again") == second

    async def test_keeps_nothing_too(self, keeper: Keeper) -> None:
        assert (await keeper.blobs.put("empty", b"")).size == 0
        assert await keeper.blobs.read("empty", start=0, length=1) == b""


class TestInfo:
    async def test_tells_that_there_is_none(self, keeper: Keeper) -> None:
        assert await keeper.blobs.info("nothing") is None


class TestRead:
    async def test_refuses_what_is_not_there(self, keeper: Keeper) -> None:
        with pytest.raises(BlobMissingError):
            await keeper.blobs.read("nothing", start=0, length=1)

    @pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 0)])
    async def test_refuses_ranges_that_are_none(self, keeper: Keeper, start: int, length: int) -> None:
        with pytest.raises(ValueError, match="range"):
            await keeper.blobs.read("any", start=start, length=length)


class TestAppend:
    async def test_adds_behind_what_is_there(self, keeper: Keeper) -> None:
        size = await keeper.blobs.append("log", b"first\n", at=0)
        size = await keeper.blobs.append("log", b"second\n", at=size)

        assert size == 13
        assert await keeper.blobs.read("log", start=0, length=99) == b"first\nsecond\n"
        assert (await keeper.blobs.info("log") or pytest.fail("no log")).size == 13

    @pytest.mark.parametrize("at", [0, 3, 7])
    async def test_refuses_a_writer_that_knows_another_end(self, keeper: Keeper, at: int) -> None:
        await keeper.blobs.append("log", b"first\n", at=0)

        with pytest.raises(BlobChangedError):
            await keeper.blobs.append("log", b"late\n", at=at)

        assert await keeper.blobs.read("log", start=0, length=99) == b"first\n"

    async def test_lets_one_of_several_in(self, keeper: Keeper) -> None:
        outcomes = await asyncio.gather(
            *(keeper.blobs.append("raced", f"{number}\n".encode(), at=0) for number in range(5)), return_exceptions=True
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BlobChangedError"] * 4 + ["int"]
        assert (await keeper.blobs.info("raced") or pytest.fail("no log")).size == 2

    @pytest.mark.parametrize("body", [b"", b"x" * (MIB + 1)], ids=len)
    async def test_refuses_what_cannot_be_added_at_once(self, keeper: Keeper, body: bytes) -> None:
        with pytest.raises(ValueError, match="1 MiB"):
            await keeper.blobs.append("log", body, at=0)

    async def test_takes_1_mib_at_once(self, keeper: Keeper) -> None:
        assert await keeper.blobs.append("log", b"x" * MIB, at=0) == MIB


class TestDelete:
    async def test_removes_and_twice_is_once(self, keeper: Keeper) -> None:
        await keeper.blobs.put("gone", b"x")

        await keeper.blobs.delete("gone")
        await keeper.blobs.delete("gone")

        assert await keeper.blobs.info("gone") is None


class TestNames:
    @pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a b", "ä", "a.", "..", "a/../b", "x" * 1025], ids=repr)
    async def test_that_would_be_changed_on_the_way_are_refused(self, keeper: Keeper, name: str) -> None:
        with pytest.raises(ValueError, match="name"):
            await keeper.blobs.put(name, b"")

    @pytest.mark.parametrize("name", ["a", "-a-", "Upper", "under_score", "a--b", "x" * 64])
    async def test_of_containers_that_azure_refuses_are_refused(self, keeper: Keeper, name: str) -> None:
        with pytest.raises(ValueError, match="container"):
            keeper.storage.blobs(name)


class TestMissingContainer:
    async def test_is_a_matter_of_setup(self, keeper: Keeper) -> None:
        missing = keeper.storage.blobs("never-made")

        with pytest.raises(StorageSetupError):
            await missing.put("a", b"x")
        with pytest.raises(StorageSetupError):
            await missing.info("a")
        with pytest.raises(StorageSetupError):
            await missing.append("a", b"x", at=0)
        with pytest.raises(StorageSetupError):
            await missing.read("a", start=0, length=1)

    async def test_made_twice_is_made_once(self, keeper: Keeper) -> None:
        await keeper.storage.create_missing(tables=[], queues=[], containers=["made-twice"])
        await keeper.storage.blobs("made-twice").put("kept", b"x")

        await keeper.storage.create_missing(tables=[], queues=[], containers=["made-twice"])

        assert await keeper.storage.blobs("made-twice").info("kept")
