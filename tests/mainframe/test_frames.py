import asyncio

import pytest

from lib.mainframe.errors import FrameError
from lib.mainframe.frames import framed, read_frame


def stream(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


class TestFramed:
    def test_counts_its_own_header(self) -> None:
        assert framed(b"abc") == b"\x00\x07\x00\x00abc"

    def test_refuses_what_is_too_long(self) -> None:
        assert len(framed(b"x" * 96, max_length=100)) == 100
        with pytest.raises(FrameError, match="longer than 100"):
            framed(b"x" * 97, max_length=100)


class TestReadFrame:
    async def test_reads_one_after_the_other_and_then_the_end(self) -> None:
        reader = stream(framed(b"abc") + framed(b"") + framed(b"de"))

        assert [await read_frame(reader) for _ in range(4)] == [b"abc", b"", b"de", None]

    async def test_waits_for_the_rest(self) -> None:
        reader = asyncio.StreamReader()
        reading = asyncio.create_task(read_frame(reader))

        for byte in framed(b"abc"):
            await asyncio.sleep(0)
            reader.feed_data(bytes([byte]))

        assert await reading == b"abc"

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"\x00", "ended inside a frame's header"),
            (b"\x00\x07\x00\x00ab", "ended inside a frame"),
            (b"\x00\x07\x00\x01abc", "not a frame"),
            (b"\x00\x03\x00\x00", "not a frame"),
            (b"HTTP/1.1 400 Bad Request", "not a frame"),
            (b"\x00\x65\x00\x00" + b"x" * 97, "longer than 100"),
        ],
    )
    async def test_refuses_what_is_no_frame(self, data: bytes, problem: str) -> None:
        with pytest.raises(FrameError, match=problem):
            await read_frame(stream(data), max_length=100)
