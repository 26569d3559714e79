"""What an import asks of whoever takes rows of one kind, and the order in which rows may be taken side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from lib.changes.operation import Operation, keyed_fingerprint
from lib.errors import FieldProblem, InvalidError, PlatformError
from lib.ids import Ids, Seal
from lib.imports.models import Import, Outcome, RowProblem, RowResult
from lib.validation import problems_of

Model = TypeVar("Model", bound=BaseModel)
RULES: Final = "The row breaks rules; errors says which."


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as JSON values, with the number of its line."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Work:
    """The import whose rows are taken, and the operation that each of its rows is."""

    run: Import
    ids: Ids
    seal: Seal

    def key(self, row: RawRow) -> str:
        """Return what names a row and no other, whenever it is taken."""
        return self.seal.id("opr", self.run.id, str(row.line))

    def operation(self, row: RawRow) -> Operation:
        """Return the operation of a row: the same whenever it is taken, so that a second time changes nothing."""
        return Operation(
            name=f"import_{self.run.kind}",
            id=self.key(row),
            attempt=self.ids.new("att"),
            actor=self.run.requested_by,
            fingerprint=keyed_fingerprint(row.value, self.seal),
        )


class Loader(Protocol):
    """Takes rows of one kind, through the same models and services as the API."""

    def keys(self, row: RawRow) -> Sequence[str]:
        """Return what a row is about: rows that share one of these are taken in the order of the file."""
        ...

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Take rows that belong together, in order, and return what became of each.

        Raises:
            StorageError, UnavailableError: it cannot be done now; the same rows will come again.
        """
        ...

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        """Tell what would become of each row, without writing anything.

        Raises:
            StorageError, UnavailableError: as for `take`.
        """
        ...


def grouped(rows: Sequence[RawRow], loader: Loader) -> list[list[RawRow]]:
    """Return the rows in groups that share nothing, each in the order of the file."""
    leader = list(range(len(rows)))

    def led_by(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first_with: dict[str, int] = {}
    for index, row in enumerate(rows):
        for key in loader.keys(row):
            one, other = sorted((led_by(index), led_by(first_with.setdefault(key, index))))
            leader[other] = one
    groups: dict[int, list[RawRow]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(led_by(index), []).append(row)
    return list(groups.values())


def validated(model: type[Model], value: Any, *, at: str = "") -> Model:
    """Return a row, or the part of it `at` a pointer, as a model of the API.

    Raises:
        InvalidError: it is none; its problems say why.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error, at=at) from None


def invalid(error: ValidationError, *, at: str = "") -> InvalidError:
    """Return the refusal that a failed validation is."""
    problems = [FieldProblem(f"{at}{problem.pointer}", problem.detail) for problem in problems_of(error)]
    return InvalidError(RULES, problems)


def refused(row: RawRow, error: PlatformError) -> RowResult:
    """Return the result of a row that was refused."""
    return RowResult(line=row.line, outcome=Outcome.REFUSED, problem=RowProblem.of(error))
