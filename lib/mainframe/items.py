"""What a record is made of, once its copybook is understood: text, numbers and groups of them."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """PIC X(width). A FILLER has no name."""

    name: str
    occurs: int | None
    width: int

    @property
    def size(self) -> int:
        """Return the bytes of one occurrence."""
        return self.width


@dataclass(frozen=True, slots=True)
class Number:
    """PIC 9 or S9, with or without V; one byte a digit, or packed two to a byte."""

    name: str
    occurs: int | None
    digits: int
    scale: int  # how many of the digits stand behind the point
    has_point: bool
    signed: bool
    packed: bool

    @property
    def size(self) -> int:
        """Return the bytes of one occurrence."""
        return self.digits // 2 + 1 if self.packed else self.digits


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; the outermost one is the record."""

    name: str
    occurs: int | None
    members: "tuple[Item, ...]"

    @property
    def size(self) -> int:
        """Return the bytes of one occurrence."""
        return sum(member.size * (member.occurs or 1) for member in self.members)


Item: TypeAlias = Text | Number | Group
