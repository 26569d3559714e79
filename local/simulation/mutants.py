"""The mutants of `mutants.toml`, and how one is applied to a copy of the source.

A mutant that does not apply any more fails the run: the rule moved, and its mutant has to follow.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class StaleMutantError(Exception):
    """The text that a mutant replaces is not in its file exactly once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement in one file."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule taken away."""

    name: str
    edits: tuple[Edit, ...]

    def apply(self, tree: Path) -> None:
        """Change a copy of the source tree.

        Raises:
            StaleMutantError: it does not fit the source any more.
        """
        for edit in self.edits:
            path = tree / edit.file
            text = path.read_text()
            if text.count(edit.old) != 1:
                raise StaleMutantError(f"{self.name}: {edit.file} holds the text {text.count(edit.old)} times")
            path.write_text(text.replace(edit.old, edit.new))


def _read(file: Path) -> tuple[Mutant, ...]:
    kept = tomllib.loads(file.read_text())["mutant"]
    return tuple(Mutant(each["name"], tuple(Edit(**edit) for edit in each["edit"])) for each in kept)


MUTANTS: Final = _read(Path(__file__).with_name("mutants.toml"))
