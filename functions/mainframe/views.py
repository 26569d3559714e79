"""How the road to the mainframe is shown, and what a pause is asked with."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Count, Time
from lib.clock import rfc3339
from lib.fields import Moment
from lib.mainframe.breaker import BreakerState, BreakerView
from lib.mainframe.overview import Overview
from lib.mainframe.pause import Pause
from lib.mainframe.pauses import AuditEntry
from lib.mainframe.throughput import MinuteCount
from lib.parts import Part
from lib.text import plain_text

_WORDS = AfterValidator(plain_text)
_Reason = Annotated[str, Field(min_length=1, max_length=400), _WORDS]
_Ticket = Annotated[str, Field(min_length=1, max_length=100), _WORDS]


class PauseRequest(Part):
    """Hold all deliveries back. Without `until` they are held until somebody resumes them."""

    reason: _Reason
    ticket: _Ticket
    until: Annotated[Moment | None, Field(description="When the pause ends by itself; at most 31 days away")] = None


class ResumeRequest(Part):
    """Let deliveries go out again; reason and ticket of the pause are kept where none are given."""

    reason: _Reason | None = None
    ticket: _Ticket | None = None


class PauseView(BaseModel):
    """A pause that holds."""

    by: Annotated[str, Field(max_length=100)]
    reason: Annotated[str, Field(max_length=400)]
    ticket: Annotated[str, Field(max_length=100)]
    at: Time
    until: Time | None = None

    @classmethod
    def of(cls, pause: Pause) -> "PauseView":
        """Return how a pause is shown."""
        return cls(
            by=pause.by, reason=pause.reason, ticket=pause.ticket, at=rfc3339(pause.at), until=_text(pause.until)
        )


class SwitchView(BaseModel):
    """Whether deliveries go out, after a step that somebody took."""

    state: BreakerState
    since: Time | None = None
    pause: PauseView | None = None

    @classmethod
    def of(cls, view: BreakerView, now: datetime) -> "SwitchView":
        """Return how a breaker is shown."""
        pause = view.paused(now)
        return cls(state=view.state_at(now), since=_text(view.since(now)), pause=PauseView.of(pause) if pause else None)


class FailureCodeView(BaseModel):
    """The last call without a usable answer."""

    code: Annotated[str, Field(max_length=40)]
    at: Time | None


class MinuteView(BaseModel):
    """What the mainframe acknowledged in one minute."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    began_at: Time
    acknowledged: Count

    @classmethod
    def of(cls, minute: MinuteCount) -> "MinuteView":
        """Return how a minute is shown."""
        return cls(began_at=rfc3339(minute.began_at), acknowledged=minute.acknowledged)


class ThroughputView(BaseModel):
    """What the mainframe acknowledged lately. An instance tells its counts every ten seconds while it delivers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    acknowledged_per_minute: Annotated[float, Field(ge=0, description="Mean of the last five whole minutes")]
    minutes: Annotated[list[MinuteView], Field(max_length=10, description="Newest first; the first is not over yet")]


class MainframeView(BaseModel):
    """The road to the mainframe. The mainframe itself is not called for this."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    state: Annotated[
        BreakerState,
        Field(description="closed: calls go out; open: all is parked; halfOpen: one probe; paused: somebody said so"),
    ]
    since: Annotated[Time | None, Field(description="Since when calls go out, or do not; null before the first call")]
    pause: PauseView | None
    last_success_at: Annotated[Time | None, Field(description="Noted every 15 seconds at least while calls succeed")]
    last_failure: FailureCodeView | None
    next_probe_at: Annotated[Time | None, Field(description="When the next delivery may try the road again")]
    parked: Annotated[Count, Field(description="Changes that wait for the road to open")]
    retrying: Annotated[Count, Field(description="Changes that are tried again, each at its own time")]
    counts_complete: Annotated[bool, Field(description="false: there are more parked or retrying than were counted")]
    queued_messages: Annotated[
        Count,
        Field(
            description="Messages on the queue mainframe-updates, as storage approximates them: what is pending, and "
            "retries and duplicates besides"
        ),
    ]
    oldest_undelivered_seconds: Annotated[
        float | None, Field(description="Age of the oldest change that was not acknowledged at its first attempt")
    ]
    throughput: ThroughputView

    @classmethod
    def of(cls, overview: Overview) -> "MainframeView":
        """Return how an overview is shown."""
        view, now = overview.breaker, overview.at
        pause = view.paused(now)
        return cls(
            state=overview.state,
            since=_text(view.since(now)),
            pause=PauseView.of(pause) if pause else None,
            last_success_at=_text(view.last_success_at),
            last_failure=FailureCodeView(code=view.last_failure, at=_text(view.last_failure_at))
            if view.last_failure
            else None,
            next_probe_at=_text(overview.next_probe_at),
            parked=overview.waiting.parked,
            retrying=overview.waiting.retrying,
            counts_complete=overview.waiting.complete,
            queued_messages=overview.queued,
            oldest_undelivered_seconds=overview.oldest_undelivered_seconds,
            throughput=ThroughputView(
                acknowledged_per_minute=overview.acknowledged_per_minute,
                minutes=[MinuteView.of(minute) for minute in overview.minutes],
            ),
        )


class PauseAuditView(BaseModel):
    """One step that somebody took."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    at: Time
    action: Annotated[str, Field(max_length=20, description="paused, changed or resumed")]
    actor: Annotated[str, Field(max_length=100)]
    reason: Annotated[str, Field(max_length=400)]
    ticket: Annotated[str, Field(max_length=100)]
    until: Time | None = None
    trace_id: Annotated[str, Field(max_length=32)]

    @classmethod
    def of(cls, entry: AuditEntry) -> "PauseAuditView":
        """Return how an entry is shown."""
        return cls(
            at=rfc3339(entry.at),
            action=entry.action,
            actor=entry.actor,
            reason=entry.reason,
            ticket=entry.ticket,
            until=_text(entry.until),
            trace_id=entry.trace_id,
        )


class PauseAuditList(BaseModel):
    """A page of steps, newest first."""

    items: Annotated[list[PauseAuditView], Field(max_length=200)]
    next: NextPage


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
