"""How reconciliations are asked for and shown."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time, Version
from lib.clock import rfc3339
from lib.messaging.catalogue import Subject
from lib.parts import Part
from lib.reconciliation.models import (
    MAXIMUM_RATE_PER_SECOND,
    Drift,
    Reconciliation,
    ReconciliationCounts,
    ReconciliationState,
    Repair,
    Verdict,
)

MainframeSubject: TypeAlias = Literal[Subject.CUSTOMER, Subject.ORDER]


class ReconciliationRequest(Part):
    """Compare everything that we hold with everything that the mainframe holds."""

    subjects: Annotated[
        tuple[MainframeSubject, ...],
        Field(min_length=1, max_length=2, description="What to compare; everything when left out"),
    ] = (Subject.CUSTOMER, Subject.ORDER)
    repair: Annotated[bool, Field(strict=True, description="Wake up what is behind or missing; else only list it")] = (
        False
    )
    rate_per_second: Annotated[
        float,
        Field(
            strict=True,
            gt=0,
            le=MAXIMUM_RATE_PER_SECOND,
            description="Questions to the mainframe and wake-ups per second, at most; most answer for 50 keys",
        ),
    ] = 10.0


class ReconciliationView(BaseModel):
    """How far a reconciliation is, and what it counted. `GET …/result` tells which keys drifted."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=40)]
    state: Annotated[
        ReconciliationState, Field(description="waiting: the mainframe does not answer; it goes on by itself")
    ]
    subjects: Annotated[list[MainframeSubject], Field(max_length=2)]
    subject: Annotated[MainframeSubject, Field(description="The one that is walked now, or was last")]
    repair: bool
    rate_per_second: float
    requested_by: Annotated[str, Field(max_length=100)]
    counts: ReconciliationCounts
    note: Annotated[str, Field(max_length=300, description="Why it waits, or who cancelled it")] = ""
    next_slice_at: Time | None = None
    started_at: Time
    updated_at: Time
    ended_at: Time | None = None

    @classmethod
    def of(cls, run: Reconciliation) -> "ReconciliationView":
        """Return how a reconciliation is shown."""
        return cls.model_validate(
            {
                "id": run.id,
                "state": run.state,
                "subjects": run.subjects,
                "subject": run.subject,
                "repair": run.repair,
                "rate_per_second": run.rate_per_second,
                "requested_by": run.requested_by,
                "counts": run.counts,
                "note": run.note,
                "next_slice_at": rfc3339(run.not_before) if run.not_before and run.ended_at is None else None,
                "started_at": rfc3339(run.created_at),
                "updated_at": rfc3339(run.updated_at),
                "ended_at": rfc3339(run.ended_at) if run.ended_at else None,
            }
        )


class ReconciliationList(BaseModel):
    """A page of reconciliations, newest first."""

    items: Annotated[list[ReconciliationView], Field(max_length=200)]
    next: NextPage


class DriftView(BaseModel):
    """One line of a result: a key on which the two sides differ. Versions are 0 where there is nothing."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    subject: MainframeSubject
    id: Annotated[str, Field(max_length=64, description="The entity's id; for unknownToUs the mainframe's key")]
    drift: Literal[Verdict.BEHIND, Verdict.AHEAD, Verdict.MISSING, Verdict.UNKNOWN_TO_US, Verdict.REJECTED]
    our_version: Version
    acknowledged_version: Annotated[
        Version, Field(description="What the mainframe had confirmed; more than it holds now: it lost it")
    ]
    mainframe_version: Version
    found_at: Time
    repair: Annotated[
        Literal[Repair.NONE, Repair.ASKED, Repair.SENT],
        Field(description="sent: its delivery was woken up; asked: that is about to happen"),
    ]

    @classmethod
    def of(cls, drift: Drift) -> "DriftView":
        """Return how a drift is shown."""
        return cls.model_validate(
            {
                "subject": drift.subject,
                "id": drift.id,
                "drift": drift.kind,
                "our_version": drift.our_version,
                "acknowledged_version": drift.acknowledged_version,
                "mainframe_version": drift.mainframe_version,
                "found_at": rfc3339(drift.found_at),
                "repair": drift.repair,
            }
        )
