"""From lines to rows: what cannot be read is refused line by line, and holds up no other line."""

from collections.abc import Sequence
from typing import Final

from lib.imports.lines import Line
from lib.imports.loaders import RawRow
from lib.imports.models import MAXIMUM_LINE_BYTES, Outcome, RowProblem, RowResult
from lib.plain_json import UnreadableJsonError, read_json

_TOO_LONG: Final = RowProblem(
    kind="row-too-long", title="Row too long", detail=f"A row may have at most {MAXIMUM_LINE_BYTES} bytes."
)
_BLANK: Final = RowProblem(kind="row-blank", title="Blank line", detail="The line holds nothing; leave it out.")


def read_rows(lines: Sequence[Line]) -> tuple[list[RawRow], list[RowResult]]:
    """Return the rows that can be read, and the refusals of the other lines."""
    rows: list[RawRow] = []
    refused: list[RowResult] = []
    for line in lines:
        problem = _problem(line)
        if problem is None:
            try:
                rows.append(RawRow(line.number, read_json(line.content or b"", what="row")))
            except UnreadableJsonError as error:
                problem = RowProblem(kind="unreadable-row", title="The row cannot be read", detail=str(error))
        if problem is not None:
            refused.append(RowResult(line=line.number, outcome=Outcome.REFUSED, problem=problem))
    return rows, refused


def _problem(line: Line) -> RowProblem | None:
    if line.content is None:
        return _TOO_LONG
    return None if line.content.strip() else _BLANK
