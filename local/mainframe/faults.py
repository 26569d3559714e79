"""What can be made to go wrong, while it runs: which calls, how often, for how long."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.alias_generators import to_camel

from local.mainframe.latency import Milliseconds


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None  # until cleared, when not given


class _Outage(_Fault):
    """Hits whoever comes; it has no single calls to count."""


class _CallFault(_Fault):
    """Hits calls one by one."""

    probability: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None
    key: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    transaction: Literal["UPD", "INQ", "BRW"] | None = None


class Refuse(_Outage):
    """Nobody listens: connections are refused."""

    kind: Literal["refuse"]


class Maintenance(_Outage):
    """A window in which every call is answered with 12, or refused."""

    kind: Literal["maintenance"]
    mode: Literal["busy", "refuse"] = "busy"


class Hang(_CallFault):
    """Takes the call and never answers; its region stays occupied until the caller goes."""

    kind: Literal["hang"]


class ResetBeforeApply(_CallFault):
    """Breaks the connection; nothing was applied."""

    kind: Literal["resetBeforeApply"]


class ResetAfterApply(_CallFault):
    """Applies, then breaks the connection instead of answering."""

    kind: Literal["resetAfterApply"]


class TimeoutBeforeApply(_CallFault):
    """Loses the call: not applied, never answered, the connection stays open."""

    kind: Literal["timeoutBeforeApply"]


class TimeoutAfterApply(_CallFault):
    """Loses the answer: applied, never answered, the connection stays open."""

    kind: Literal["timeoutAfterApply"]


class Busy(_CallFault):
    """Answers 12 at once."""

    kind: Literal["busy"]


class Abend(_CallFault):
    """Answers 16 after the usual time; nothing was applied."""

    kind: Literal["abend"]


class Garbage(_CallFault):
    """Applies, then answers with something that is no answer: noise, a cut frame, or the reply to another key."""

    kind: Literal["garbage"]
    form: Literal["noise", "short", "wrongKey"] = "noise"


class Late(_CallFault):
    """Applies, and answers so much later."""

    kind: Literal["late"]
    milliseconds: Milliseconds


class Slow(_CallFault):
    """Takes so much longer before it applies: a caller may have given up, and a newer version may have come."""

    kind: Literal["slow"]
    milliseconds: Milliseconds


class Reject(_CallFault):
    """Answers 08 to updates whose record has a value in a field, named as in the copybook."""

    kind: Literal["reject"]
    field: Annotated[str, Field(min_length=1)]
    equals: str | None = None
    prefix: Annotated[str, Field(min_length=1)] | None = None
    reason_code: Annotated[str, Field(max_length=8, pattern=r"^[ -~]+$")] = "BADDATA"
    reason_text: Annotated[str, Field(max_length=60, pattern=r"^[ -~]*$")] = "field not accepted"

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.equals is None) == (self.prefix is None):
            message = "give either equals or prefix"
            raise ValueError(message)
        return self

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a decoded record is one to reject."""
        value = record.get(self.field)
        if not isinstance(value, str):
            return False
        return value == self.equals if self.prefix is None else value.startswith(self.prefix)


Fault: TypeAlias = Annotated[
    Refuse
    | Maintenance
    | Hang
    | ResetBeforeApply
    | ResetAfterApply
    | TimeoutBeforeApply
    | TimeoutAfterApply
    | Busy
    | Abend
    | Garbage
    | Late
    | Slow
    | Reject,
    Field(discriminator="kind"),
]
_FAULTS: TypeAdapter[Sequence[Fault]] = TypeAdapter(list[Fault])


def parse_faults(wanted: Any) -> Sequence[Fault]:
    """Return the faults that a JSON list, or a single object, describes. Raises pydantic's ValidationError."""
    return _FAULTS.validate_python(wanted if isinstance(wanted, list) else [wanted])


@dataclass(slots=True)
class ActiveFault:
    """A fault that is set, and how often it fired since."""

    fault: Fault
    ends_at: float | None
    fired: int = 0

    def live(self, now: float) -> bool:
        """Tell whether it can still fire."""
        times = self.fault.times if isinstance(self.fault, _CallFault) else None
        return (self.ends_at is None or now < self.ends_at) and (times is None or self.fired < times)


@dataclass(slots=True)
class FaultBoard:
    """The faults set now. `fired` counts by kind since the start, whatever was set in between."""

    random: Random
    fired: dict[str, int] = field(default_factory=dict[str, int])
    monotonic: Callable[[], float] = time.monotonic
    _active: list[ActiveFault] = field(default_factory=list[ActiveFault])

    def set(self, faults: Sequence[Fault]) -> None:
        """Replace the faults. An outage fires when it is set, because refused callers are not seen."""
        now = self.monotonic()
        self._active = [
            ActiveFault(fault, now + fault.seconds if fault.seconds is not None else None) for fault in faults
        ]
        for active in self._active:
            if _refuses(active.fault):
                self._count(active)

    def listing(self) -> list[dict[str, Any]]:
        """Return the faults as they were set, with how often each fired and whether it still can."""
        now = self.monotonic()
        return [
            active.fault.model_dump(by_alias=True, exclude_none=True)
            | {"fired": active.fired, "active": active.live(now)}
            for active in self._active
        ]

    def refusing(self) -> bool:
        """Tell whether nobody may listen now."""
        now = self.monotonic()
        return any(_refuses(active.fault) and active.live(now) for active in self._active)

    def next_end_seconds(self) -> float | None:
        """Return how long until the next outage ends by itself."""
        now = self.monotonic()
        ends = [active.ends_at - now for active in self._active if active.ends_at is not None and active.live(now)]
        return min(ends, default=None)

    def pick(self, *, transaction: str, key: str, record: Callable[[], Mapping[str, Any]]) -> Fault | None:
        """Return the fault that hits this call, the first in the order they were set, and count it."""
        now = self.monotonic()
        for active in self._active:
            if active.live(now) and self._hits(active.fault, transaction, key, record):
                self._count(active)
                return active.fault
        return None

    def _hits(self, fault: Fault, transaction: str, key: str, record: Callable[[], Mapping[str, Any]]) -> bool:
        if isinstance(fault, _Outage):
            return isinstance(fault, Maintenance) and fault.mode == "busy"
        if fault.transaction not in {None, transaction} or fault.key not in {None, key}:
            return False
        if isinstance(fault, Reject) and not (transaction == "UPD" and fault.matches(record())):
            return False
        return fault.probability >= 1 or self.random.random() < fault.probability

    def _count(self, active: ActiveFault) -> None:
        active.fired += 1
        self.fired[active.fault.kind] = self.fired.get(active.fault.kind, 0) + 1


def _refuses(fault: Fault) -> bool:
    return isinstance(fault, Refuse) or (isinstance(fault, Maintenance) and fault.mode == "refuse")
