"""What is wrong, and where."""

from dataclasses import dataclass
from pathlib import Path


class InfraError(Exception):
    """A check could not be done at all; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Findings:
    """Collects findings; each is kept once, however often it is met."""

    def __init__(self) -> None:
        self._found: set[Finding] = set()

    def add(self, path: Path | str, line: int, text: str) -> None:
        """Keep one finding."""
        self._found.add(Finding(str(path), line, text))

    def all(self) -> list[Finding]:
        """Return what was found, by place."""
        return sorted(self._found)
