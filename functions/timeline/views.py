"""How the entries of a timeline are shown: to staff in full, to customers without who acted and what staff wrote."""

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time
from lib.clock import rfc3339
from lib.fields import Moment
from lib.timeline.entries import TimelineEntry, TimelineType

_WORD: Final = "^[A-Za-z][A-Za-z0-9.-]{0,39}$"

EntryType = Annotated[TimelineType | None, Query(description="Only what is of this type")]
EntryChannel = Annotated[
    str | None,
    Query(max_length=40, pattern=_WORD, description="Only what came through this channel", examples=["phone"]),
]
EntryKind = Annotated[
    str | None,
    Query(max_length=40, pattern=_WORD, description="Only this kind of a type", examples=["baggage"]),
]
From = Annotated[Moment | None, Query(alias="from", description="Only what happened then or later")]
To = Annotated[Moment | None, Query(alias="to", description="Only what happened before")]


class TimelineEntryView(BaseModel):
    """One thing that happened to a customer, as the customer sees it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=100)]
    type: TimelineType
    kind: Annotated[str, Field(max_length=60, description="What happened, in the words of its type")]
    happened_at: Time
    recorded_at: Time
    summary: Annotated[str, Field(max_length=1000)]
    channel: Annotated[str | None, Field(max_length=40)] = None
    reference: Annotated[str | None, Field(max_length=100, description="The id of what it is about")] = None

    @classmethod
    def of(cls, entry: TimelineEntry) -> "TimelineEntryView":
        """Return how an entry is shown to the customer."""
        return cls(**_shared(entry))


class StaffEntryView(TimelineEntryView):
    """One thing that happened to a customer, as staff see it."""

    actor: Annotated[str, Field(max_length=200, description="Who acted or told of it, as asserted")]
    detail: Annotated[str | None, Field(max_length=1000, description="The words of staff")] = None

    @classmethod
    def of(cls, entry: TimelineEntry) -> "StaffEntryView":
        """Return how an entry is shown to staff."""
        return cls(**_shared(entry), actor=entry.actor, detail=entry.detail)


class Timeline(BaseModel):
    """A page of a timeline as the customer sees it, the latest to happen first."""

    items: Annotated[list[TimelineEntryView], Field(max_length=200)]
    next: NextPage


class StaffTimeline(BaseModel):
    """A page of a timeline as staff see it, the latest to happen first."""

    items: Annotated[list[StaffEntryView], Field(max_length=200)]
    next: NextPage


def _shared(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "type": entry.type,
        "kind": entry.kind,
        "happened_at": rfc3339(entry.happened_at),
        "recorded_at": rfc3339(entry.recorded_at),
        "summary": entry.summary,
        "channel": entry.channel,
        "reference": entry.reference,
    }
