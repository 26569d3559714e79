"""Read and write the records that a copybook declares: compiled once into one small function per field.

A record is handled as text in its code page: one conversion for the whole record instead of one per field. The code
pages allowed are one to one in all 256 bytes, so packed numbers survive the trip as text too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from lib.mainframe.errors import RecordError
from lib.mainframe.items import Group, Item, Number, Text
from lib.mainframe.numbers import number_reader, number_writer

CODE_PAGES = frozenset({"cp037", "cp1140", "cp500"})

Reader: TypeAlias = Callable[[str, bytes], Any]
Writer: TypeAlias = Callable[[Any], str]


class Layout:
    """One record: how long it is, and how our words become its bytes and come back."""

    def __init__(self, *, root: Group, code_page: str = "cp037", trim: bool = True) -> None:
        """Compile a record. `parse_copybook` is the usual way to get one."""
        if code_page not in CODE_PAGES:
            message = f"{code_page} is not one of the code pages {', '.join(sorted(CODE_PAGES))}"
            raise ValueError(message)
        self.root = root
        self.name = root.name
        self.code_page = code_page
        self.length = root.size
        self._places: list[tuple[int, str]] = []
        self._read = self._reader(root, "", 0, trim=trim)
        self._write = _group_writer(root, "", code_page)

    def decode(self, record: bytes) -> dict[str, Any]:
        """Return the fields of a record by their copybook names: str, int, Decimal, dict for a group, list for OCCURS.

        Raises:
            RecordError: the length is wrong, or a number holds something else.
        """
        if len(record) != self.length:
            raise RecordError(self.name, f"{len(record)} bytes instead of {self.length}")
        return self._read(record.decode(self.code_page), record)

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Return the record that holds these values; what is not given is blank or zero, as COBOL initialises it.

        Raises:
            RecordError: a value does not fit its field, or there is no such field.
        """
        written: str = self._write(values)
        try:
            return written.encode(self.code_page)
        except UnicodeEncodeError as error:
            problem = f"a character that {self.code_page} does not have"
            raise RecordError(self._field_at(error.start), problem) from None

    def _field_at(self, offset: int) -> str:
        return next(path for start, path in reversed(self._places) if start <= offset)

    def _reader(self, item: Item, path: str, start: int, *, trim: bool) -> Reader:
        if isinstance(item, Group):
            return self._group_reader(item, path, start, trim=trim)
        self._places.append((start, path))
        if isinstance(item, Number):
            return number_reader(item, path, start)
        return _text_reader(start, item.width, trim=trim)

    def _group_reader(self, group: Group, path: str, start: int, *, trim: bool) -> Reader:
        readers: list[tuple[str, Reader]] = []
        for member in group.members:
            if member.name:
                inner = f"{path}.{member.name}" if path else member.name
                readers.append((member.name, self._member_reader(member, inner, start, trim=trim)))
            start += member.size * (member.occurs or 1)

        def read(text: str, record: bytes) -> dict[str, Any]:
            return {name: read_one(text, record) for name, read_one in readers}

        return read

    def _member_reader(self, member: Item, path: str, start: int, *, trim: bool) -> Reader:
        if member.occurs is None:
            return self._reader(member, path, start, trim=trim)
        readers = [
            self._reader(member, f"{path}({number + 1})", start + number * member.size, trim=trim)
            for number in range(member.occurs)
        ]

        def read(text: str, record: bytes) -> list[Any]:
            return [read_one(text, record) for read_one in readers]

        return read


def _text_reader(start: int, width: int, *, trim: bool) -> Reader:
    piece = slice(start, start + width)
    if trim:
        return lambda text, _: text[piece].rstrip(" ")
    return lambda text, _: text[piece]


def _writer(item: Item, path: str, code_page: str) -> Writer:
    if isinstance(item, Group):
        return _group_writer(item, path, code_page)
    if isinstance(item, Number):
        return number_writer(item, path, code_page)
    return _text_writer(item, path)


def _text_writer(item: Text, path: str) -> Writer:
    width = item.width

    def write(value: Any) -> str:
        if not isinstance(value, str):
            raise RecordError(path, f"{type(value).__name__} instead of text")
        if len(value) > width:
            raise RecordError(path, f"{len(value)} characters do not fit into {width}")
        return value.ljust(width)

    return write


def _group_writer(group: Group, path: str, code_page: str) -> Writer:
    writers: list[tuple[str, Writer | None, str]] = []
    for member in group.members:
        inner = f"{path}.{member.name}" if path else member.name
        writer = _member_writer(member, inner, code_page) if member.name else None
        writers.append((member.name, writer, blank(member, code_page)))
    names = {name for name, _, _ in writers}

    def write(values: Any) -> str:
        if not isinstance(values, Mapping):
            raise RecordError(path, f"{type(values).__name__} instead of a group of fields")
        found = 0
        parts: list[str] = []
        for name, write_one, nothing in writers:
            if write_one is None or name not in values:
                parts.append(nothing)
            else:
                found += 1
                parts.append(write_one(values[name]))
        if found != len(values):
            stranger = next(str(name) for name in values if name not in names or not name)
            raise RecordError(f"{path}.{stranger}" if path else stranger, "no such field")
        return "".join(parts)

    return write


def _member_writer(member: Item, path: str, code_page: str) -> Writer:
    if member.occurs is None:
        return _writer(member, path, code_page)
    writers = [_writer(member, f"{path}({number + 1})", code_page) for number in range(member.occurs)]
    nothing = blank(member, code_page)[: member.size]

    def write(values: Any) -> str:
        if not isinstance(values, Sequence) or isinstance(values, str | bytes):
            raise RecordError(path, f"{type(values).__name__} instead of a list")
        if len(values) > len(writers):
            raise RecordError(path, f"{len(values)} entries do not fit into {len(writers)}")
        parts = [write_one(value) for write_one, value in zip(writers, values, strict=False)]
        return "".join(parts) + nothing * (len(writers) - len(values))

    return write


def blank(item: Item, code_page: str) -> str:
    """Return an item as COBOL initialises it: text blank, numbers zero, every occurrence."""
    if isinstance(item, Group):
        one = "".join(blank(member, code_page) for member in item.members)
    elif isinstance(item, Number):
        one = number_writer(item, item.name, code_page)(0)
    else:
        one = " " * item.width
    return one * (item.occurs or 1)
