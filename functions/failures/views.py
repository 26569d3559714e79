"""How failures are shown."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Count, Time, Version
from lib.clock import rfc3339
from lib.failures.models import Failure, FailureAction, FailureGroup, FailureKind, FailureState
from lib.failures.service import FailureDetails, FailureGroups
from lib.text import plain_text


class FailureView(BaseModel):
    """One thing that will not reach its goal by itself."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=40)]
    kind: FailureKind
    state: FailureState
    code: Annotated[str, Field(max_length=60)]
    text: Annotated[str, Field(max_length=300)]
    queue: Annotated[str, Field(max_length=63)]
    subject: Annotated[str | None, Field(max_length=20)] = None
    entity_id: Annotated[str | None, Field(max_length=64)] = None
    customer_id: Annotated[str | None, Field(max_length=64, description="The customer whose data did not arrive")] = (
        None
    )
    version: Version | None = None
    first_failed_at: Time
    last_failed_at: Time
    attempts: Count
    replays: Count
    trace_id: Annotated[str | None, Field(max_length=32)] = None
    replay_id: Annotated[str | None, Field(max_length=40)] = None
    dismissed_reason: Annotated[str | None, Field(max_length=400)] = None
    dismissed_by: Annotated[str | None, Field(max_length=100)] = None

    @classmethod
    def of(cls, failure: Failure) -> "FailureView":
        """Return how a failure is shown in lists."""
        return cls.model_validate(_shown(failure))


class FailureActionView(BaseModel):
    """Something that was done about a failure."""

    at: Time
    actor: Annotated[str, Field(max_length=100)]
    action: Annotated[str, Field(max_length=40)]
    reason: Annotated[str, Field(max_length=400)]

    @classmethod
    def of(cls, action: FailureAction) -> "FailureActionView":
        """Return how an action is shown."""
        return cls(at=rfc3339(action.at), actor=action.actor, action=action.action, reason=action.reason)


class FailureDetailsView(FailureView):
    """A failure with what was done about it and, where the host poisoned a message, that message in base64."""

    message: Annotated[str | None, Field(max_length=100_000, json_schema_extra={"contentEncoding": "base64"})] = None
    actions: Annotated[list[FailureActionView], Field(max_length=100)]

    @classmethod
    def of_details(cls, details: FailureDetails) -> "FailureDetailsView":
        """Return how a failure is shown by itself."""
        actions = [FailureActionView.of(action) for action in details.actions]
        return cls.model_validate({**_shown(details.failure), "message": details.failure.message, "actions": actions})


class FailureList(BaseModel):
    """A page of failures, newest first. It may be short, with more to come: only `next` tells the end."""

    items: Annotated[list[FailureView], Field(max_length=200)]
    next: NextPage


class FailureGroupView(BaseModel):
    """Failures with one cause."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    kind: FailureKind
    code: Annotated[str, Field(max_length=60)]
    queue: Annotated[str, Field(max_length=63)]
    count: Count
    first_seen: Time
    last_seen: Time
    sample: FailureView

    @classmethod
    def of(cls, group: FailureGroup) -> "FailureGroupView":
        """Return how a group is shown."""
        return cls(
            kind=group.kind,
            code=group.code,
            queue=group.queue,
            count=group.count,
            first_seen=rfc3339(group.first_seen),
            last_seen=rfc3339(group.last_seen),
            sample=FailureView.of(group.sample),
        )


class FailureGroupsView(BaseModel):
    """Failures by cause, the largest group first."""

    groups: Annotated[list[FailureGroupView], Field(max_length=1000)]
    complete: Annotated[bool, Field(description="false when there were more than are counted here")]

    @classmethod
    def of(cls, found: FailureGroups) -> "FailureGroupsView":
        """Return how groups are shown."""
        return cls(groups=[FailureGroupView.of(group) for group in found.groups[:1000]], complete=found.complete)


class Reason(BaseModel):
    """Why something is done; it goes to the audit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "CHG-4711: done by hand"}]})

    reason: Annotated[str, Field(min_length=1, max_length=400), AfterValidator(plain_text)]


def _shown(failure: Failure) -> dict[str, object]:
    fields = failure.model_dump(exclude={"message", "first_failed_at", "last_failed_at", "trace_id", "owner"})
    return {
        **fields,
        "customer_id": failure.customer_id,
        "trace_id": failure.trace_id or None,
        "first_failed_at": rfc3339(failure.first_failed_at),
        "last_failed_at": rfc3339(failure.last_failed_at),
    }
