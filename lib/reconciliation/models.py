"""What a reconciliation is: what was asked, how far it is, and what it found."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lib.jobs.runs import Run
from lib.messaging.catalogue import Subject

RECONCILIATION_PREFIX: Final = "rec"
MAXIMUM_RATE_PER_SECOND: Final = 200

_Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Verdict(StrEnum):
    """How one key stands on both sides."""

    IN_STEP = "inStep"
    IN_FLIGHT = "inFlight"
    BEHIND = "behind"
    AHEAD = "ahead"
    MISSING = "missing"
    UNKNOWN_TO_US = "unknownToUs"
    REJECTED = "rejected"

    @property
    def drifted(self) -> bool:
        """Whether the two sides will not come together by themselves."""
        return self not in {Verdict.IN_STEP, Verdict.IN_FLIGHT}

    @property
    def mendable(self) -> bool:
        """Whether a wake-up mends it; what was rejected is for the failure list, the others for people."""
        return self in {Verdict.BEHIND, Verdict.MISSING}


class Repair(StrEnum):
    """What was done about one drift."""

    NONE = "none"
    ASKED = "asked"
    SENT = "sent"


class Drift(_Kept):
    """One key on which the two sides differ. Versions are 0 where there is nothing."""

    subject: Subject
    id: str
    kind: Verdict
    our_version: int
    acknowledged_version: int
    mainframe_version: int
    found_at: AwareDatetime
    repair: Repair = Repair.NONE


class ReconciliationCounts(BaseModel):
    """What was found: compared = inStep + inFlight + behind + ahead + missing + unknownToUs + rejected, always."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    walked: Annotated[_Count, Field(description="Entities of ours that were come by")] = 0
    listed: Annotated[_Count, Field(description="Keys of the mainframe that were come by")] = 0
    compared: Annotated[_Count, Field(description="Keys of either side that were judged")] = 0
    in_step: Annotated[_Count, Field(description="Both hold the same version")] = 0
    in_flight: Annotated[_Count, Field(description="On their way: pending, retried or parked. No drift")] = 0
    behind: Annotated[_Count, Field(description="The mainframe holds an older version, and nothing is on its way")] = 0
    ahead: Annotated[_Count, Field(description="The mainframe holds a newer version than we do")] = 0
    missing: Annotated[_Count, Field(description="The mainframe does not hold it, and nothing is on its way")] = 0
    unknown_to_us: Annotated[_Count, Field(description="Only the mainframe holds it")] = 0
    rejected: Annotated[_Count, Field(description="Older or absent because it was rejected; see the failures")] = 0
    repaired: Annotated[_Count, Field(description="Behind or missing ones that were woken up")] = 0

    def plus(self, *, walked: int, listed: int, verdicts: Iterable[Verdict], repaired: int) -> Self:
        """Return the counts after some more keys were judged."""
        values = self.model_dump()
        values["walked"] += walked
        values["listed"] += listed
        values["repaired"] += repaired
        for verdict in verdicts:
            values["compared"] += 1
            values[_COUNTER[verdict]] += 1
        return type(self)(**values)


_COUNTER: Final[Mapping[Verdict, str]] = {
    Verdict.IN_STEP: "in_step",
    Verdict.IN_FLIGHT: "in_flight",
    Verdict.BEHIND: "behind",
    Verdict.AHEAD: "ahead",
    Verdict.MISSING: "missing",
    Verdict.UNKNOWN_TO_US: "unknown_to_us",
    Verdict.REJECTED: "rejected",
}


class ReconciliationState(StrEnum):
    """Where a reconciliation stands."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({ReconciliationState.COMPLETED, ReconciliationState.CANCELLED})


class Reconciliation(Run):
    """A reconciliation as it is kept.

    Its subjects are walked one after the other; `subject` is the one at hand.

    `after` is the last key that was judged, in the mainframe's order; `depth` how finely our ids had to be parted
    there. `holder` works on it now.
    """

    subjects: tuple[Subject, ...] = (Subject.CUSTOMER,)
    subject: Subject = Subject.CUSTOMER
    state: ReconciliationState = ReconciliationState.RUNNING
    repair: bool
    rate_per_second: float
    requested_by: str
    counts: ReconciliationCounts = ReconciliationCounts()
    after: str = ""
    depth: int = 0
    holder: str | None = None
    held_until: AwareDatetime | None = None
    not_before: AwareDatetime | None = None
    misses: int = 0

    @property
    def following(self) -> Subject | None:
        """The subject that is walked after the one at hand, or None."""
        return next(iter(self.subjects[self.subjects.index(self.subject) + 1 :]), None)


class SliceOrder(_Kept):
    """The message: do this slice. Schema version 1."""

    schema_version: Literal[1] = 1
    kind: Literal["reconciliationSlice"] = "reconciliationSlice"
    reconciliation_id: Annotated[str, Field(min_length=1, max_length=40)]
    slice_number: Annotated[int, Field(ge=1)]
    sent_at: AwareDatetime
    trace: Annotated[str, Field(max_length=64)] = ""
