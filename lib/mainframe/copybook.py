"""Read a COBOL copybook: what its authors declared is what is sent, or it is refused with the line that we cannot do.

Understood: level numbers 01 to 49, groups, FILLER, PIC X, 9, S9 and V, USAGE DISPLAY, COMP-3 and PACKED-DECIMAL, and
OCCURS n TIMES on groups and elements, nested. Every other clause is an error: a layout that is guessed wrong shifts
every field behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lib.mainframe.errors import CopybookError
from lib.mainframe.items import Group, Item
from lib.mainframe.layout import Layout
from lib.mainframe.pictures import Picture, read_picture

_LAST_CODE_COLUMN = 72
_INDICATOR_COLUMN = 6  # counted from 0
_MAX_LEVEL = 49
_FIXED_LINE = re.compile(r"(?: {6}|\S{6})(?:[ */\-Dd]|$)")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9-]*[A-Z0-9])?")
_PACKED_WORDS = frozenset({"COMP-3", "COMPUTATIONAL-3", "PACKED-DECIMAL"})


@dataclass(frozen=True, slots=True)
class _Word:
    line: int
    text: str


@dataclass(slots=True)
class _Entry:
    """One data description entry, before its children are known."""

    line: int
    level: int
    name: str  # empty for FILLER
    picture: Picture | None = None
    packed: bool = False
    occurs: int | None = None
    children: list["_Entry"] = field(default_factory=list["_Entry"])


def parse_copybook(text: str, *, code_page: str = "cp037", trim: bool = True) -> Layout:
    """Return the compiled layout of the one record that a copybook declares.

    Args:
        text: the copybook, in fixed format (columns 1-6 sequence area, 7 indicator, 8-72 code) or free format.
        code_page: the EBCDIC code page of its text fields: cp037, cp1140 or cp500.
        trim: whether trailing spaces of text fields are dropped when a record is read.

    Raises:
        CopybookError: a line says what we do not understand; nothing is guessed.
    """
    entries = [_read_entry(words) for words in _sentences(text)]
    if not entries:
        raise CopybookError(1, "the copybook declares nothing")
    root = _nest(entries)
    return Layout(root=_group(root), code_page=code_page, trim=trim)


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    lines = [(number, line.expandtabs(8)) for number, line in enumerate(text.splitlines(), start=1)]
    written = [(number, line) for number, line in lines if line.strip()]
    fixed = all(_FIXED_LINE.match(line) for _, line in written)
    for number, line in written:
        code = _fixed_code(number, line) if fixed else "" if line.lstrip().startswith("*") else line
        code = code.partition("*>")[0]
        if code.strip():
            yield number, code


def _fixed_code(number: int, line: str) -> str:
    indicator = line[_INDICATOR_COLUMN : _INDICATOR_COLUMN + 1]
    if indicator in {"*", "/"}:
        return ""
    if indicator == "-":
        raise CopybookError(number, "continuation lines are not supported")
    if indicator in {"D", "d"}:
        raise CopybookError(number, "debugging lines are not supported")
    return line[_INDICATOR_COLUMN + 1 : _LAST_CODE_COLUMN]


def _sentences(text: str) -> Iterator[list[_Word]]:
    """Yield the words of each entry; a period ends one only where a space or the line's end follows it."""
    words: list[_Word] = []
    for number, code in _code_lines(text):
        for word in code.upper().split():
            body = word.rstrip(".")
            if body:
                words.append(_Word(number, body))
            if body != word and words:
                yield words
                words = []
    if words:
        raise CopybookError(words[0].line, "the entry does not end with a period")


def _read_entry(words: list[_Word]) -> _Entry:
    first = words[0]
    if not first.text.isdecimal():
        raise CopybookError(first.line, f"{first.text} is not supported here; expected a level number")
    level = int(first.text)
    if not 1 <= level <= _MAX_LEVEL:
        raise CopybookError(first.line, f"level {first.text} is not supported")
    rest = _Reader(words, 1)
    entry = _Entry(line=first.line, level=level, name=_entry_name(rest))
    while rest.more():
        _read_clause(entry, rest)
    if entry.packed and (entry.picture is None or not entry.picture.numeric):
        raise CopybookError(first.line, "COMP-3 needs a numeric PICTURE on the same entry")
    return entry


class _Reader:
    """Walks over the words of an entry."""

    def __init__(self, words: list[_Word], position: int) -> None:
        self._words = words
        self._position = position

    def more(self) -> bool:
        return self._position < len(self._words)

    def next(self, expected: str) -> _Word:
        if not self.more():
            raise CopybookError(self._words[-1].line, f"expected {expected} after {self._words[-1].text}")
        self._position += 1
        return self._words[self._position - 1]

    def skip(self, *texts: str) -> None:
        if self.more() and self._words[self._position].text in texts:
            self._position += 1


_CLAUSES = frozenset({"PIC", "PICTURE", "OCCURS", "USAGE", "DISPLAY"}) | _PACKED_WORDS


def _entry_name(rest: _Reader) -> str:
    if not rest.more():
        return ""
    word = rest.next("a name")
    if word.text == "FILLER":
        return ""
    if word.text in _CLAUSES:
        raise CopybookError(word.line, f"expected a name or FILLER before {word.text}")
    if not _NAME.fullmatch(word.text):
        raise CopybookError(word.line, f"{word.text} is not a data name")
    return word.text


def _read_clause(entry: _Entry, rest: _Reader) -> None:
    word = rest.next("a clause")
    if word.text in {"PIC", "PICTURE"}:
        rest.skip("IS")
        _once(word, entry.picture is not None)
        picture = rest.next("a picture")
        entry.picture = read_picture(picture.text, picture.line)
    elif word.text == "OCCURS":
        _once(word, entry.occurs is not None)
        entry.occurs = _read_times(entry, word, rest)
    else:
        if word.text == "USAGE":
            rest.skip("IS")
            word = rest.next("a usage")
        if word.text not in _PACKED_WORDS and word.text != "DISPLAY":
            raise CopybookError(word.line, f"{word.text} is not supported")
        _once(word, entry.packed)
        entry.packed = word.text != "DISPLAY"


def _once(word: _Word, seen: bool) -> None:
    if seen:
        raise CopybookError(word.line, f"{word.text} is said twice")


def _read_times(entry: _Entry, word: _Word, rest: _Reader) -> int:
    times = rest.next("a number")
    if not times.text.isdecimal() or int(times.text) == 0:
        raise CopybookError(times.line, f"OCCURS {times.text} is not supported; expected a fixed number of times")
    if entry.level == 1:
        raise CopybookError(word.line, "OCCURS is not allowed on level 01")
    rest.skip("TIMES", "TIME")
    return int(times.text)


def _nest(entries: list[_Entry]) -> _Entry:
    """Return the entries as a tree; a copybook without a level 01 declares the fields of one unnamed record."""
    root = entries[0] if entries[0].level == 1 else _Entry(line=entries[0].line, level=0, name="")
    if root.level == 1 and root.picture:
        raise CopybookError(root.line, "level 01 must be a group")
    open_groups = [root]
    for entry in entries[1 if root.level == 1 else 0 :]:
        if entry.level == 1:
            raise CopybookError(entry.line, "only one record per copybook is supported")
        while open_groups[-1].level >= entry.level:
            open_groups.pop()
        parent = open_groups[-1]
        if parent.picture:
            raise CopybookError(
                entry.line, f"{parent.name or 'FILLER'} has a PICTURE and cannot have fields of its own"
            )
        if parent.children and parent.children[0].level != entry.level:
            raise CopybookError(
                entry.line, f"level {entry.level:02d} stands beside level {parent.children[0].level:02d}"
            )
        parent.children.append(entry)
        open_groups.append(entry)
    return root


def _group(entry: _Entry) -> Group:
    """Return the group with its fields; those of an unnamed group belong to the one around it."""
    members: list[Item] = []
    for child in entry.children:
        item = _item(child)
        if isinstance(item, Group) and not item.name:
            if item.occurs is not None:
                raise CopybookError(child.line, "OCCURS on an unnamed group is not supported")
            members.extend(item.members)
        else:
            members.append(item)
    names: set[str] = set()
    for member in members:
        if member.name and member.name in names:
            raise CopybookError(entry.line, f"{member.name} is declared twice in one group")
        names.add(member.name)
    return Group(name=entry.name, occurs=entry.occurs, members=tuple(members))


def _item(entry: _Entry) -> Item:
    if entry.children:
        return _group(entry)
    if entry.picture is None:
        raise CopybookError(entry.line, f"{entry.name or 'FILLER'} has neither a PICTURE nor fields of its own")
    return entry.picture.field(name=entry.name, occurs=entry.occurs, packed=entry.packed)
