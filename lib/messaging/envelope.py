"""The message that travels on every queue: which subject to bring up to date, and which version was meant.

State transfer, not deltas: the handler reads the latest row, so duplicates, reordering and bursts do no harm.
"""

import base64
import binascii
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from lib.messaging.catalogue import Subject


class UnreadableMessageError(Exception):
    """The message is not one of ours; the host retries it and then moves it to the poison queue, byte for byte."""


class WakeUp(BaseModel):
    """Asks to bring one subject up to date, at least to `version`. `waited` says that it was parked or overdue before.

    `bulk` says that it may wait: it keeps to the queues for that. `owner` is the customer in whose partition the
    subject is kept, empty for what has a partition of its own. Schema version 1. Consumers accept the version before
    theirs for one release.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    schema_version: Literal[1] = 1
    subject: Subject
    id: str = Field(min_length=1, max_length=64)
    owner: str = Field(default="", max_length=64)
    version: int = Field(ge=1)
    accepted_at: AwareDatetime
    deadline: AwareDatetime
    trace: str = Field(default="", max_length=64)
    waited: bool = False
    bulk: bool = False

    @property
    def partition(self) -> str:
        """The partition in which the subject is kept."""
        return self.owner or self.id

    def body(self) -> str:
        """Return the message as text."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def read(cls, body: str | bytes) -> Self:
        """Return the message that was sent as this text, also when a tool wrapped it in base64.

        Raises:
            UnreadableMessageError: the text is no such message. The error names what is wrong, never the content.
        """
        try:
            return cls.model_validate_json(unwrapped(body))
        except ValidationError as error:
            places = ", ".join(sorted({".".join(map(str, problem["loc"])) or "body" for problem in error.errors()}))
            raise UnreadableMessageError(f"not a wake-up of schema version 1; see: {places}") from None

    def overdue(self, now: datetime) -> bool:
        """Tell whether the write that promised this may no longer commit."""
        return now > self.deadline


def unwrapped(body: str | bytes) -> bytes:
    """Return a message as its sender meant it, also when a tool wrapped it in base64."""
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if raw.lstrip()[:1] == b"{":
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return raw
