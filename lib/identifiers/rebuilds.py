"""What a rebuild is: how far it is, and where the index was not what is committed."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lib.identifiers.models import IdentifierType
from lib.jobs.runs import Run
from lib.messaging.catalogue import Subject

REBUILD_PREFIX: Final = "irb"

_Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Fault(StrEnum):
    """How the index can differ from what is committed."""

    MISSING = "missing"
    STALE = "stale"
    WRONG = "wrong"


class Difference(_Kept):
    """One place where they differ. The value is not told, `subject` and `id` lead to it; `mark` is its keyed digest."""

    fault: Fault
    subject: Subject
    id: str
    customer_id: str
    identifier_type: IdentifierType | None
    mark: str
    found_at: AwareDatetime
    mended: bool


class RebuildCounts(BaseModel):
    """What was looked at and found."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    holders: Annotated[_Count, Field(description="Customers and things of theirs that were looked at")] = 0
    rows: Annotated[_Count, Field(description="Rows of the index that were looked at")] = 0
    missing: Annotated[_Count, Field(description="Held, and not to be found by it")] = 0
    stale: Annotated[_Count, Field(description="Rows for what is no longer held; no lookup shows them")] = 0
    wrong: Annotated[_Count, Field(description="Holders whose list of rows was not what it should be")] = 0
    mended: Annotated[_Count, Field(description="Differences that were put right")] = 0

    def plus(self, *, holders: int, rows: int, found: Iterable[Difference]) -> Self:
        """Return the counts after a slice."""
        values = self.model_dump()
        values["holders"] += holders
        values["rows"] += rows
        for one in found:
            values[one.fault.value] += 1
            values["mended"] += one.mended
        return type(self)(**values)


class RebuildState(StrEnum):
    """Where a rebuild stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({RebuildState.COMPLETED, RebuildState.CANCELLED})


class Rebuild(Run):
    """A rebuild as it is kept.

    It walks the holders of one subject after another (`walking`, behind the id `after`), then all rows of the index
    (`walking` is None, from `resume` on).
    """

    state: RebuildState = RebuildState.RUNNING
    dry_run: bool
    requested_by: str
    counts: RebuildCounts = RebuildCounts()
    walking: Subject | None
    after: str = ""
    resume: str | None = None

    def past(self, subjects: Iterable[Subject]) -> Mapping[str, Any]:
        """Return the fields that make it go on with the next subject, or with the rows after the last."""
        order: list[Subject | None] = list(subjects)
        following = order[order.index(self.walking) + 1 :] if self.walking in order else []
        return {"walking": following[0] if following else None, "after": "", "resume": None}


class SliceOrder(_Kept):
    """The message: do this slice. Schema version 1."""

    schema_version: Literal[1] = 1
    kind: Literal["identifierRebuildSlice"] = "identifierRebuildSlice"
    rebuild_id: Annotated[str, Field(min_length=1, max_length=40)]
    slice_number: Annotated[int, Field(ge=1)]
    sent_at: AwareDatetime
    trace: Annotated[str, Field(max_length=64)] = ""
