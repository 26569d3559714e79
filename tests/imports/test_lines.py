import pytest

from lib.clock import FixedClock
from lib.imports.lines import LineReader, count_lines
from lib.imports.models import MAXIMUM_LINE_BYTES
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Blobs

MIB = 1024 * 1024


@pytest.fixture
def blobs() -> Blobs:
    return MemoryStorage(FixedClock(), containers=["files"]).blobs("files")


async def lines(blobs: Blobs, content: bytes, *, at_most: int = 10_000) -> list[tuple[int, bytes | None]]:
    await blobs.put("file", content)
    reader = LineReader(blobs, "file", size=len(content), offset=0, line=0)
    found: list[tuple[int, bytes | None]] = []
    while some := await reader.next(at_most=at_most):
        for line in some:
            found.append((line.number, line.content))
            again = LineReader(blobs, "file", size=len(content), offset=line.end, line=line.number)
            (following,) = await again.next(at_most=1) or (None,)
            assert following is None or following.number == line.number + 1
    assert reader.offset == len(content)
    return found


class TestNext:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", []),
            (b"a", [b"a"]),
            (b"a\n", [b"a"]),
            (b"a\nb", [b"a", b"b"]),
            (b"\n", [b""]),
            (b"a\n\n\nb\n", [b"a", b"", b"", b"b"]),
            (b"a\r\nb\r\n", [b"a\r", b"b\r"]),
            ("é\u2028x\n".encode(), ["é\u2028x".encode()]),
        ],
        ids=repr,
    )
    async def test_parts_a_file_at_its_line_feeds_only(
        self, blobs: Blobs, content: bytes, expected: list[bytes]
    ) -> None:
        assert await lines(blobs, content) == list(enumerate(expected, start=1))
        assert count_lines(content) == len(expected)

    async def test_returns_no_more_than_asked_for(self, blobs: Blobs) -> None:
        await blobs.put("file", b"a\nb\nc\n")
        reader = LineReader(blobs, "file", size=6, offset=0, line=0)

        assert [len(await reader.next(at_most=2)) for _ in range(3)] == [2, 1, 0]

    async def test_reads_on_over_the_ends_of_parts(self, blobs: Blobs) -> None:
        texts = [b"x" * (70_000 + number) for number in range(40)]

        assert await lines(blobs, b"\n".join(texts)) == list(enumerate(texts, start=1))

    @pytest.mark.parametrize("end", [b"\n", b""], ids=["with its end", "at the end"])
    @pytest.mark.parametrize("length", [MAXIMUM_LINE_BYTES + 1, MIB, 3 * MIB + 17])
    async def test_passes_over_a_line_that_is_too_long(self, blobs: Blobs, length: int, end: bytes) -> None:
        content = b"before\n" + b"x" * length + b"\nafter\n" + b"y" * length + end

        assert await lines(blobs, content) == [(1, b"before"), (2, None), (3, b"after"), (4, None)]

    async def test_takes_the_longest_line(self, blobs: Blobs) -> None:
        longest = b"x" * MAXIMUM_LINE_BYTES

        assert await lines(blobs, longest + b"\n" + longest) == [(1, longest), (2, longest)]
