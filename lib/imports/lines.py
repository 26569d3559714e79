"""The lines of a file, read in parts: never the whole file at once, and never the whole of a line that is too long."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lib.imports.models import MAXIMUM_LINE_BYTES
from lib.storage.ports import Blobs

_PART_BYTES: Final = 1024 * 1024
_NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, where the next begins, and its bytes without the line's end; None: too long."""

    number: int
    end: int
    content: bytes | None


def count_lines(content: bytes) -> int:
    """Return how many lines a file has; a line's end at the end of the file begins no other line."""
    return content.count(_NEWLINE) + (not content.endswith(_NEWLINE) and bool(content))


@dataclass(slots=True)
class LineReader:
    """Reads the lines of a blob from a place on."""

    blobs: Blobs
    name: str
    size: int
    offset: int
    line: int
    _buffer: bytes = b""
    _read: int = field(init=False)

    def __post_init__(self) -> None:
        self._read = self.offset

    async def next(self, *, at_most: int) -> Sequence[Line]:
        """Return up to so many lines, and no more than fit a few parts; none at the end."""
        found: list[Line] = []
        taken = 0
        while len(found) < at_most and taken < _PART_BYTES:
            line = await self._next()
            if line is None:
                break
            taken += len(line.content or b"")
            found.append(line)
        return found

    async def _next(self) -> Line | None:
        searched = 0
        while True:
            end = self._buffer.find(_NEWLINE, searched)
            if end >= 0:
                return self._take(end, end + 1)
            searched = len(self._buffer)
            if searched > MAXIMUM_LINE_BYTES:
                return await self._skip()
            if not await self._more():
                return self._take(searched, searched) if searched else None

    def _take(self, length: int, consumed: int) -> Line:
        content = self._buffer[:length]
        self._buffer = self._buffer[consumed:]
        self.offset += consumed
        self.line += 1
        return Line(self.line, self.offset, content if length <= MAXIMUM_LINE_BYTES else None)

    async def _skip(self) -> Line:
        """Pass over the rest of a line that is too long, holding no more than a part of it."""
        while True:
            end = self._buffer.find(_NEWLINE)
            if end >= 0:
                passed = self._take(end, end + 1)
                return Line(passed.number, passed.end, None)
            self.offset += len(self._buffer)
            self._buffer = b""
            if not await self._more():
                self.line += 1
                return Line(self.line, self.offset, None)

    async def _more(self) -> bool:
        if self._read >= self.size:
            return False
        part = await self.blobs.read(self.name, start=self._read, length=_PART_BYTES)
        self._read += len(part)
        self._buffer += part
        return bool(part)
