"""What was refused for good is told on the poison queue at once, with its reason; and what became of it later, too."""

from dataclasses import dataclass

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from lib.changes.subjects import Snapshot
from lib.mainframe.ledger import Ledger
from lib.messaging.catalogue import Subject
from lib.storage.ports import Queue


class Rejection(BaseModel):
    """A version that will not be delivered. Schema version 1."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    schema_version: int = 1
    kind: str = "rejection"
    subject: Subject
    id: str
    owner: str = ""
    version: int
    code: str
    text: str
    attempts: int
    first_failed_at: AwareDatetime
    last_failed_at: AwareDatetime
    trace: str = ""


class Resolution(BaseModel):
    """A subject with a listed failure was acknowledged at this version. Schema version 1."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    schema_version: int = 1
    subject: Subject
    id: str
    owner: str = ""
    version: int

    @property
    def partition(self) -> str:
        """The partition in which the subject is kept."""
        return self.owner or self.id


@dataclass(frozen=True, slots=True)
class Rejections:
    """Announces rejections; the failure record in the subject's partition is the truth."""

    queue: Queue
    outcomes: Queue

    async def announce(self, snapshot: Snapshot, ledger: Ledger, *, trace: str) -> None:
        """Put a rejection on the poison queue, without expiry. Twice does no harm."""
        state, error = ledger.state, ledger.state.last_error
        if error is None:
            raise ValueError("only a rejection with its reason can be announced")
        rejection = Rejection(
            subject=ledger.subject,
            id=snapshot.id,
            owner=snapshot.owner,
            version=state.failed,
            code=error.code,
            text=error.text,
            attempts=state.attempts,
            # Clocks differ a little: what failed first was told by another one, perhaps.
            first_failed_at=min(state.first_failed_at or error.at, error.at),
            last_failed_at=error.at,
            trace=trace,
        )
        await self.queue.send(rejection.model_dump_json(by_alias=True))

    async def tell_resolved(self, ledger: Ledger) -> None:
        """Tell the list of failures that a subject with a listed failure was delivered. Twice does no harm."""
        resolution = Resolution(
            subject=ledger.subject, id=ledger.id, owner=ledger.owner, version=ledger.state.acknowledged
        )
        await self.outcomes.send(resolution.model_dump_json(by_alias=True))
