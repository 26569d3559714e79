"""What an import is: which rows, from where, how far it is, and what became of each row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lib.errors import FieldProblem, InvalidError, PlatformError
from lib.jobs.runs import Run

IMPORT_PREFIX: Final = "imp"
MAXIMUM_FILE_BYTES: Final = 50 * 1024 * 1024
MAXIMUM_LINE_BYTES: Final = 256 * 1024
"""As much as the API takes in one body."""

_LONGEST: Final = 500
_Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class ImportKind(StrEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    INTERACTIONS = "interactions"
    ORDERS = "orders"
    CONSENTS = "consents"
    CASES = "cases"


class ImportState(StrEnum):
    """Where an import stands."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({ImportState.COMPLETED, ImportState.CANCELLED})


class Outcome(StrEnum):
    """What became of one row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"


class ImportCounts(BaseModel):
    """What became of the rows: total = created + updated + unchanged + refused + failed + waiting, at every moment."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    total: _Count = 0
    created: _Count = 0
    updated: _Count = 0
    unchanged: _Count = 0
    refused: Annotated[_Count, Field(description="Rows that break a rule; the results say which")] = 0
    failed: Annotated[_Count, Field(description="Rows that met a defect or an outage on our side")] = 0
    waiting: _Count = 0

    def plus(self, outcomes: Sequence[Outcome]) -> Self:
        """Return the counts after some waiting rows became something."""
        counted = {outcome.value: getattr(self, outcome.value) for outcome in Outcome}
        for outcome in outcomes:
            counted[outcome.value] += 1
        return self.model_copy(update={**counted, "waiting": self.waiting - len(outcomes)})


class Import(Run):
    """An import as it is kept.

    The cursor is `offset` in the file and `line`, the number of the last line that is done; `results_bytes` is how much
    of the log of results is counted. `holder` works on it until `held_until`; `slice_number` is that of the message
    that is due; no more than `chunk_rows` are taken between two steps of the cursor; `misses` counts the slices that
    got nowhere since the last one that did.
    """

    kind: ImportKind
    source: str
    dry_run: bool
    requested_by: str
    state: ImportState = ImportState.RUNNING
    size: int
    counts: ImportCounts
    offset: int = 0
    line: int = 0
    results_bytes: int = 0
    slice_number: int = 0
    holder: str | None = None
    held_until: AwareDatetime | None = None
    chunk_rows: int
    misses: int = 0
    rows_per_second: float | None = None

    @property
    def place(self) -> tuple[int, int, int, int, str | None]:
        """Where its work stands: what only the slice that holds it changes."""
        return self.slice_number, self.line, self.results_bytes, self.misses, self.holder

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at the latest rate; None when there is no telling."""
        if self.state is not ImportState.RUNNING or not self.rows_per_second:
            return None
        return self.counts.waiting / self.rows_per_second


class SliceOrder(BaseModel):
    """The message that makes an import go on. Schema version 1."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    import_id: Annotated[str, Field(min_length=1, max_length=64)]
    slice_number: Annotated[int, Field(ge=0)]
    sent_at: AwareDatetime
    trace: Annotated[str, Field(max_length=64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why a row was refused, in the words of the API's problems; never a value of the row."""

    kind: str
    title: str
    detail: str
    errors: Sequence[FieldProblem] = ()

    @classmethod
    def of(cls, error: PlatformError) -> Self:
        """Return the problem that a refusal is."""
        errors = error.problems if isinstance(error, InvalidError) else ()
        return cls(kind=error.kind, title=error.title, detail=str(error), errors=errors)

    def as_json(self) -> dict[str, Any]:
        """Return the problem as JSON values (RFC 9457)."""
        told: dict[str, Any] = {"type": f"urn:iommi:problem:{self.kind}", "title": self.title, "detail": self.detail}
        if self.errors:
            # A pointer may hold the names of members, as long as the caller made them; the API cuts them too.
            told["errors"] = [
                {"pointer": error.pointer[:_LONGEST], "detail": error.detail[:_LONGEST]} for error in self.errors
            ]
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of a row: the id of what it made or met, what an update would change, or why it was not taken."""

    line: int
    outcome: Outcome
    id: str | None = None
    fields: Sequence[str] = ()
    candidates: Sequence[str] = ()
    problem: RowProblem | None = None

    def text(self) -> str:
        """Return the line of the log that tells it."""
        told: dict[str, Any] = {"line": self.line, "outcome": self.outcome.value, "id": self.id}
        if self.fields:
            told["fields"] = list(self.fields)
        if self.candidates:
            told["candidates"] = list(self.candidates)
        told["problem"] = self.problem.as_json() if self.problem else None
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


@dataclass(frozen=True, slots=True)
class Logged:
    """What a line of the log says that counting needs."""

    line: int
    outcome: Outcome

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Return what a line of the log says."""
        told = json.loads(text)
        return cls(line=told["line"], outcome=Outcome(told["outcome"]))
