"""What a failure is: what could not be delivered, why, since when, and what became of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lib.fields import Moment
from lib.messaging.catalogue import Subject


class FailureKind(StrEnum):
    """Why it failed."""

    REJECTED = "rejected"
    EXHAUSTED = "exhausted"
    UNDELIVERABLE_MESSAGE = "undeliverableMessage"
    PROGRAMMING_ERROR = "programmingError"


class FailureState(StrEnum):
    """What became of it."""

    OPEN = "open"
    REPLAYING = "replaying"
    RESOLVED = "resolved"
    SUPERSEDED = "superseded"
    DISMISSED = "dismissed"


ALLOWED_MOVES: Final[Mapping[FailureState, frozenset[FailureState]]] = {
    FailureState.OPEN: frozenset(
        {FailureState.REPLAYING, FailureState.RESOLVED, FailureState.SUPERSEDED, FailureState.DISMISSED}
    ),
    FailureState.REPLAYING: frozenset({FailureState.OPEN, FailureState.RESOLVED, FailureState.SUPERSEDED}),
    FailureState.RESOLVED: frozenset({FailureState.OPEN}),
    FailureState.SUPERSEDED: frozenset({FailureState.OPEN}),
    FailureState.DISMISSED: frozenset({FailureState.OPEN, FailureState.RESOLVED, FailureState.SUPERSEDED}),
}


class Failure(BaseModel):
    """One thing that failed. `message` is what the host poisoned, kept byte for byte in base64."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    id: str
    kind: FailureKind
    state: FailureState = FailureState.OPEN
    code: str
    text: str
    queue: str
    subject: Subject | None = None
    entity_id: str | None = None
    owner: str | None = None
    version: int | None = None
    first_failed_at: AwareDatetime
    last_failed_at: AwareDatetime
    attempts: int = 0
    replays: int = 0
    trace_id: str = ""
    replay_id: str | None = None
    dismissed_reason: str | None = None
    dismissed_by: str | None = None
    message: str | None = None

    @property
    def customer_id(self) -> str | None:
        """The customer whose data did not arrive; also the partition in which the subject is kept."""
        return self.owner or self.entity_id

    @property
    def replayable(self) -> bool:
        """Whether it names a subject that can be brought up to date again."""
        return self.subject is not None and self.entity_id is not None and self.version is not None

    def may_become(self, state: FailureState) -> bool:
        """Tell whether a move is allowed."""
        return state is self.state or state in ALLOWED_MOVES[self.state]

    def again(self, newer: Self) -> Self:
        """Return this record after the same thing failed once more: open again, with the newest reason."""
        return self.model_copy(
            update={
                "state": FailureState.OPEN,
                "kind": newer.kind,
                "code": newer.code,
                "text": newer.text,
                "last_failed_at": max(self.last_failed_at, newer.last_failed_at),
                "first_failed_at": min(self.first_failed_at, newer.first_failed_at),
                "attempts": max(self.attempts, newer.attempts),
                "replay_id": None,
                "trace_id": newer.trace_id or self.trace_id,
            }
        )


class FailureFilter(BaseModel):
    """Which failures are meant. What is left out is not asked about; states default to open."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    kind: FailureKind | None = None
    code: str | None = Field(default=None, min_length=1, max_length=40)
    customer_id: str | None = Field(default=None, min_length=1, max_length=64)
    failed_after: Moment | None = None
    failed_before: Moment | None = None
    state: FailureState | None = None

    def meets(self, failure: Failure) -> bool:
        """Tell whether a failure is meant."""
        return (
            (self.kind is None or failure.kind is self.kind)
            and (self.code is None or failure.code == self.code)
            and (self.customer_id is None or failure.customer_id == self.customer_id)
            and (self.failed_after is None or failure.last_failed_at >= self.failed_after)
            and (self.failed_before is None or failure.last_failed_at < self.failed_before)
            and (self.state is None or failure.state is self.state)
        )


class FailureGroup(BaseModel):
    """Failures with one cause."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    kind: FailureKind
    code: str
    queue: str
    count: int
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    sample: Failure


class FailureAction(BaseModel):
    """Something that a person or job did about a failure."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    at: AwareDatetime
    actor: str
    action: str
    reason: str = ""


def state_as_json(failure: Failure) -> dict[str, Any]:
    """Return what a row keeps of a failure."""
    return failure.model_dump(mode="json", by_alias=True, exclude_none=True)
