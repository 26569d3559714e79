"""What a replay is: what was asked, where it stands, and what became of each failure in it."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lib.failures.models import FailureFilter
from lib.text import plain_text

MAXIMUM_FAILURE_IDS: Final = 1000
_MASK_FREE_TEXT: Final = 400


class ReplayRequest(BaseModel):
    """What operations ask for: which failures, why, on whose ticket, and how carefully."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    filter: FailureFilter | None = None
    failure_ids: Annotated[
        tuple[Annotated[str, Field(max_length=40)], ...] | None, Field(min_length=1, max_length=MAXIMUM_FAILURE_IDS)
    ] = None
    reason: Annotated[str, Field(min_length=1, max_length=_MASK_FREE_TEXT)]
    ticket: Annotated[str, Field(min_length=1, max_length=100)]
    requested_by: Annotated[str, Field(min_length=1, max_length=100)]
    rate_per_second: Annotated[
        float, Field(strict=True, gt=0, le=500, description="How many are sent per second, at most")
    ] = 5.0
    canary: Annotated[
        int, Field(strict=True, ge=0, le=100, description="How many are sent, and waited for, before the rest")
    ] = 1
    stop_after_failures: Annotated[
        int, Field(strict=True, ge=1, le=100_000, description="The replay stops once so many failed again")
    ] = 10
    dry_run: Annotated[bool, Field(strict=True)] = False
    request_id: Annotated[
        str | None,
        Field(min_length=1, max_length=100, description="Tells this request from an equal one made before"),
    ] = None

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if (self.filter is None) == (self.failure_ids is None):
            raise ValueError("exactly one of filter and failureIds is required")
        for text in (self.reason, self.ticket, self.requested_by):
            plain_text(text)
        return self


class ReplayState(StrEnum):
    """Where a replay stands."""

    SELECTING = "selecting"
    CANARY = "canary"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({ReplayState.COMPLETED, ReplayState.STOPPED, ReplayState.CANCELLED})


class Counts(BaseModel):
    """What became of the selected failures: selected = replayed + superseded + rejectedAgain + waiting, always."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    selected: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    replayed: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    superseded: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    rejected_again: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    waiting: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0

    def moved(self, became: Iterable["ItemState"]) -> Self:
        """Return the counts after waiting failures became something else."""
        after = self.model_dump()
        for state in became:
            after["waiting"] -= 1
            after[state.counter] += 1
        return type(self)(**after)


class ItemState(StrEnum):
    """What became of one failure in a replay."""

    WAITING = "waiting"
    SENT = "sent"
    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    REJECTED_AGAIN = "rejectedAgain"

    @property
    def counter(self) -> str:
        """The count that it belongs to; what is sent still waits for its outcome."""
        return {"replayed": "replayed", "superseded": "superseded", "rejectedAgain": "rejected_again"}.get(
            self.value, "waiting"
        )

    @property
    def settled(self) -> bool:
        """Whether its outcome is known."""
        return self not in {ItemState.WAITING, ItemState.SENT}


class Replay(BaseModel):
    """A replay as it is kept.

    What is due stands in `slice_number`: a message for an earlier slice is late and ends. `holder` works on it until
    `held_until`. Two fronts move through the items in the order of their numbers: all below `sent` were sent, all below
    `settled_to` have their outcome; `looked_to` is where the next look at those between goes on. `anchor_at` and
    `anchor_sent` say since when, and from which item on, the rate is kept. `steps` numbers the audit.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    id: str
    request: ReplayRequest
    state: ReplayState
    paused_in: ReplayState | None = None
    counts: Counts = Counts()
    cursor: str | None = None
    sent: int = 0
    settled_to: int = 0
    looked_to: int = 0
    anchor_at: AwareDatetime | None = None
    anchor_sent: int = 0
    slice_number: int = 0
    holder: str | None = None
    held_until: AwareDatetime | None = None
    idle_slices: int = 0
    steps: int = 0
    created_at: AwareDatetime
    updated_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    note: str = ""

    @property
    def unanswered(self) -> int:
        """How many were sent and have no outcome yet."""
        return self.sent - (self.counts.selected - self.counts.waiting)

    @property
    def unsent(self) -> int:
        """How many are still to be sent."""
        return self.counts.selected - self.sent

    def held(self, now: datetime) -> bool:
        """Tell whether somebody is at work on it now."""
        return self.held_until is not None and now < self.held_until

    def with_(self, **fields: Any) -> Self:
        """Return the replay with some fields changed."""
        return self.model_copy(update=fields)


class ReplayItem(BaseModel):
    """One selected failure."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    number: int
    failure_id: str
    state: ItemState = ItemState.WAITING
    sent_at: AwareDatetime | None = None


class AuditEntry(BaseModel):
    """One step of a replay that a person or the job took."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    at: AwareDatetime
    actor: Annotated[str, Field(max_length=100)]
    action: Annotated[str, Field(max_length=40)]
    ticket: Annotated[str, Field(max_length=100)]
    detail: Annotated[str, Field(max_length=400)] = ""


class SliceOrder(BaseModel):
    """The message that makes a replay go on: which slice of which one. `looks` counts how often it was put off."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    replay_id: str
    slice_number: int
    looks: int = 0


class DryRun(BaseModel):
    """What a replay would do. `complete` is False when more were meant than were looked at."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    selected: int
    superseded: int
    not_replayable: int
    would_send: int
    complete: bool
    sample: tuple["DryRunItem", ...]


class DryRunItem(BaseModel):
    """One failure that a replay would take up, and what it would send."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    failure_id: Annotated[str, Field(max_length=40)]
    entity_id: Annotated[str, Field(max_length=64)]
    failed_version: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
    current_version: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
    superseded: bool
    code: Annotated[str, Field(max_length=40)]


DryRun.model_rebuild()
