"""How replays are shown."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Count, Time
from lib.clock import rfc3339
from lib.replays.models import AuditEntry, Counts, DryRun, DryRunItem, Replay, ReplayRequest, ReplayState


class ReplayView(BaseModel):
    """Where a replay stands. selected = replayed + superseded + rejectedAgain + waiting, at every moment."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=40)]
    state: ReplayState
    counts: Counts
    sent: Count
    request: ReplayRequest
    created_at: Time
    updated_at: Time
    ended_at: Time | None = None
    note: Annotated[str, Field(max_length=400, description="Why it stopped, if it did")] = ""

    @classmethod
    def of(cls, replay: Replay) -> "ReplayView":
        """Return how a replay is shown."""
        return cls(
            id=replay.id,
            state=replay.state,
            counts=replay.counts,
            sent=replay.sent,
            request=replay.request,
            created_at=rfc3339(replay.created_at),
            updated_at=rfc3339(replay.updated_at),
            ended_at=rfc3339(replay.ended_at) if replay.ended_at else None,
            note=replay.note,
        )


class ReplayList(BaseModel):
    """A page of replays, newest first."""

    items: Annotated[list[ReplayView], Field(max_length=200)]
    next: NextPage


class AuditEntryView(BaseModel):
    """One step that a person or the job took."""

    at: Time
    actor: Annotated[str, Field(max_length=100)]
    action: Annotated[str, Field(max_length=40)]
    ticket: Annotated[str, Field(max_length=100)]
    detail: Annotated[str, Field(max_length=400)]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryView":
        """Return how an entry is shown."""
        return cls(
            at=rfc3339(entry.at), actor=entry.actor, action=entry.action, ticket=entry.ticket, detail=entry.detail
        )


class AuditView(BaseModel):
    """Every step of a replay, oldest first."""

    items: Annotated[list[AuditEntryView], Field(max_length=200)]


class DryRunView(BaseModel):
    """What a replay would do. Nothing was sent."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    selected: Count
    superseded: Annotated[Count, Field(description="A newer version took the place of the failed one")]
    not_replayable: Annotated[Count, Field(description="Messages that name no customer; they are left alone")]
    would_send: Count
    complete: Annotated[bool, Field(description="false when there were more than are counted here")]
    sample: Annotated[list[DryRunItem], Field(max_length=20)]

    @classmethod
    def of(cls, found: DryRun) -> "DryRunView":
        """Return how a dry run is shown."""
        return cls(
            selected=found.selected,
            superseded=found.superseded,
            not_replayable=found.not_replayable,
            would_send=found.would_send,
            complete=found.complete,
            sample=list(found.sample),
        )
