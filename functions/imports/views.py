"""How imports and their results are shown."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time
from lib.clock import rfc3339
from lib.imports.models import Import, ImportCounts, ImportKind, ImportState, Outcome

_TEXT = {"type": "string", "maxLength": 1000}
_PROBLEM = {
    "type": ["object", "null"],
    "description": "Why the row was refused or failed (RFC 9457), without any value of the row",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "detail": _TEXT,
        "errors": {
            "type": "array",
            "maxItems": 50,
            "items": {"type": "object", "properties": {"pointer": _TEXT, "detail": _TEXT}},
        },
    },
}


class ImportView(BaseModel):
    """How far an import is. `GET …/results` tells what became of each row."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=40)]
    kind: ImportKind
    source: Annotated[str, Field(max_length=100)]
    dry_run: bool
    state: ImportState
    counts: ImportCounts
    rows_per_second: Annotated[float | None, Field(ge=0, description="At the moment")] = None
    estimated_seconds_left: Annotated[float | None, Field(ge=0)] = None
    requested_by: Annotated[str, Field(max_length=100)]
    note: Annotated[str, Field(max_length=300, description="Who paused or cancelled it")] = ""
    started_at: Time
    updated_at: Time
    ended_at: Time | None = None

    @classmethod
    def of(cls, run: Import) -> "ImportView":
        """Return how an import is shown."""
        left = run.seconds_left
        return cls(
            id=run.id,
            kind=run.kind,
            source=run.source,
            dry_run=run.dry_run,
            state=run.state,
            counts=run.counts,
            rows_per_second=round(run.rows_per_second, 1) if run.rows_per_second else None,
            estimated_seconds_left=round(left, 1) if left is not None else None,
            requested_by=run.requested_by,
            note=run.note,
            started_at=rfc3339(run.created_at),
            updated_at=rfc3339(run.updated_at),
            ended_at=rfc3339(run.ended_at) if run.ended_at else None,
        )


class ImportList(BaseModel):
    """A page of imports, newest first."""

    items: Annotated[list[ImportView], Field(max_length=200)]
    next: NextPage


class RowResultView(BaseModel):
    """What became of one row; in a dry run, what would."""

    line: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    outcome: Outcome
    id: Annotated[str | None, Field(max_length=64, description="What it made or met; null for a row not taken")]
    fields: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Field(max_length=100, description="JSON pointers of what an update changes, in a dry run"),
    ] = []
    candidates: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(
            max_length=5,
            description="In a dry run: customers who share an e-mail address or telephone number with a new one",
        ),
    ] = []
    problem: Annotated[dict[str, Any] | None, WithJsonSchema(_PROBLEM)]
