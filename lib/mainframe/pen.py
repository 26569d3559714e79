"""The pen that writes our words into a copybook's record, and remembers what it could not write as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.mainframe.items import Group, Item, Text
from lib.mainframe.text import write_identifier, write_text


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record ready to be sent, and the JSON Pointers of what it holds otherwise than we do."""

    body: bytes
    altered_fields: tuple[str, ...]


def widths(group: Group) -> dict[str, int]:
    """Return the widths of a group's texts by their names."""
    return {member.name: member.width for member in group.members if isinstance(member, Text)}


def member(group: Group, name: str) -> Item:
    """Return a member of a group."""
    return next(member for member in group.members if member.name == name)


@dataclass(slots=True)
class Pen:
    """Writes values to the widths of the copybook."""

    altered: list[str] = field(default_factory=list[str])

    def write(
        self,
        source: Mapping[str, Any],
        pointer: str,
        widths: Mapping[str, int],
        *,
        names: Mapping[str, str],
        identifiers: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return values by their names in the copybook. Names may be spelled differently and cut, identifiers not.

        Raises:
            UnfitError: an identifier does not fit, or nothing of a name can be written.
        """
        values = {name: self.name(source.get(word), widths[name], f"{pointer}/{word}") for word, name in names.items()}
        for word, name in identifiers.items():
            text = str(source.get(word) or "")
            values[name] = write_identifier(text, width=widths[name], field=f"{pointer}/{word}")
        return values

    def name(self, text: str | None, width: int, pointer: str) -> str:
        """Return a name as the mainframe can hold it.

        Raises:
            UnfitError: nothing of it can be written.
        """
        written = write_text(text or "", width=width, field=pointer)
        if written.altered:
            self.altered.append(pointer)
        return written.text

    def as_many_as_fit(self, entries: Sequence[Any], item: Item, pointer: str) -> Sequence[Any]:
        """Return as many entries of a list as the record has room for."""
        room = item.occurs or 1
        if len(entries) > room:
            self.altered.append(pointer)
        return entries[:room]
