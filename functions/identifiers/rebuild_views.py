"""How rebuilds of the index are asked for and shown."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time
from lib.clock import rfc3339
from lib.identifiers.models import IdentifierType
from lib.identifiers.rebuilds import Difference, Fault, Rebuild, RebuildCounts, RebuildState
from lib.messaging.catalogue import Subject
from lib.parts import Part


class RebuildRequest(Part):
    """Hold the index of identifiers against everything that is committed."""

    dry_run: Annotated[bool, Field(strict=True, description="Only list the differences; else put them right")] = False


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RebuildView(_View):
    """How far a rebuild is, and what it counted. `GET …/differences` lists them."""

    id: Annotated[str, Field(max_length=40)]
    state: RebuildState
    dry_run: bool
    requested_by: Annotated[str, Field(max_length=100)]
    counts: RebuildCounts
    note: Annotated[str, Field(max_length=300)] = ""
    started_at: Time
    updated_at: Time
    ended_at: Time | None = None

    @classmethod
    def of(cls, run: Rebuild) -> Self:
        """Return how a rebuild is shown."""
        return cls(
            id=run.id,
            state=run.state,
            dry_run=run.dry_run,
            requested_by=run.requested_by,
            counts=run.counts,
            note=run.note,
            started_at=rfc3339(run.created_at),
            updated_at=rfc3339(run.updated_at),
            ended_at=rfc3339(run.ended_at) if run.ended_at else None,
        )


class RebuildList(BaseModel):
    """A page of rebuilds, newest first."""

    items: Annotated[list[RebuildView], Field(max_length=200)]
    next: NextPage


class DifferenceView(_View):
    """One line of a result: where the index was not what is committed. The value itself is not told."""

    # Each value by itself: a line's schema must hold no other.
    difference: Annotated[str, Field(max_length=20, json_schema_extra={"enum": [fault.value for fault in Fault]})]
    subject: Annotated[str, Field(max_length=20, json_schema_extra={"enum": [subject.value for subject in Subject]})]
    id: Annotated[str, Field(max_length=64)]
    customer_id: Annotated[str, Field(max_length=64)]
    identifier_type: Annotated[
        str | None,
        Field(max_length=20, json_schema_extra={"enum": [*(kind.value for kind in IdentifierType), None]}),
    ]
    found_at: Time
    mended: bool

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """Return how a difference is shown."""
        return cls(
            difference=difference.fault,
            subject=difference.subject,
            id=difference.id,
            customer_id=difference.customer_id,
            identifier_type=difference.identifier_type,
            found_at=rfc3339(difference.found_at),
            mended=difference.mended,
        )
