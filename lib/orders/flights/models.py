"""What an event tells of a flight, and what is known of the flight after all events so far. Pure.

Events come twice and out of order. So what is known is two registers, one for the status and one for the gate, and each
holds what the latest event said of it, by the time of the event and not of its arrival.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lib.clock import in_milliseconds
from lib.fields import Date, Moment
from lib.orders.items import Known, Segment
from lib.orders.travel import Airport, Designator, Gate, Terminal
from lib.orders.words import FreeText
from lib.parts import Part


class EventStatus(StrEnum):
    """What an event may say of a flight as a whole; who missed it or was rebooked is told of each order."""

    ON_TIME = "onTime"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    FLOWN = "flown"


class FlightEvent(Part):
    """What a source tells of one flight: its status, its gate, or both."""

    source: Annotated[
        str, Field(min_length=1, max_length=40, pattern="^[a-z][a-z0-9._-]{0,39}$", examples=["ops-feed"])
    ]
    event_id: Annotated[str, Field(min_length=1, max_length=100, pattern="^[!-~]{1,100}$", examples=["7f3a-0001"])]
    flight: Designator
    flight_date: Annotated[Date, Field(description="The local date of departure")]
    departure_airport: Airport
    occurred_at: Annotated[Moment, Field(description="When it happened; a later event outranks an earlier one")]
    status: EventStatus | None = None
    estimated_departure: Moment | None = None
    estimated_arrival: Moment | None = None
    delay_minutes: Annotated[int | None, Field(strict=True, ge=0, le=20_000)] = None
    reason: FreeText | None = None
    gate: Gate | None = None
    terminal: Terminal | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.gate is None and self.terminal is None:
            raise ValueError("one of status, gate and terminal is required")
        if self.status is EventStatus.DELAYED and self.estimated_departure is None:
            raise ValueError("a delay needs estimatedDeparture")
        times = (self.estimated_departure, self.estimated_arrival, self.delay_minutes)
        if self.status in {None, EventStatus.CANCELLED} and any(value is not None for value in times):
            raise ValueError("new times need the status onTime, delayed or flown")
        return self

    @property
    def name(self) -> str:
        """What the event is called: its source and its id there."""
        return f"{self.source}/{self.event_id}"

    @property
    def key(self) -> str:
        """The flight that it is about."""
        return flight_key(self.flight, self.flight_date, self.departure_airport)


def flight_key(flight: str, flight_date: date, departure_airport: str) -> str:
    """Return what tells one flight from all others: its designator, its local date, and where this leg begins."""
    return f"{flight}~{flight_date.isoformat()}~{departure_airport}"


def key_of(segment: Segment) -> str:
    """Return the flight that a segment is on."""
    return flight_key(segment.flight, segment.flight_date, segment.departure_airport)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class StatusKnown(_Kept):
    """What the latest event with a status said."""

    at: AwareDatetime
    event: str
    status: EventStatus
    estimated_departure: AwareDatetime | None = None
    estimated_arrival: AwareDatetime | None = None
    delay_minutes: int | None = None
    reason: str | None = None


class GateKnown(_Kept):
    """What the latest event with a gate or terminal said."""

    at: AwareDatetime
    event: str
    gate: str | None = None
    terminal: str | None = None


class FlightState(_Kept):
    """What is known of a flight. `version` counts the events that were taken."""

    version: int = 0
    status: StatusKnown | None = None
    gate: GateKnown | None = None

    def after(self, event: FlightEvent) -> Self:
        """Return what is known after one more event, wherever in time it belongs."""
        at = in_milliseconds(event.occurred_at)
        updates: dict[str, Any] = {"version": self.version + 1}
        if event.status is not None and (at, event.name) > rank(self.status):
            updates["status"] = StatusKnown(
                at=at,
                event=event.name,
                status=event.status,
                estimated_departure=event.estimated_departure,
                estimated_arrival=event.estimated_arrival,
                delay_minutes=event.delay_minutes,
                reason=event.reason,
            )
        if (event.gate or event.terminal) and (at, event.name) > rank(self.gate):
            updates["gate"] = GateKnown(at=at, event=event.name, gate=event.gate, terminal=event.terminal)
        return self.model_copy(update=updates)


def rank(known: Known | StatusKnown | GateKnown | None) -> tuple[datetime, str]:
    """Return by what knowledge is compared: its time, then the name of its event; nothing is older than all."""
    return (known.at, known.event or "") if known is not None else (_DAWN, "")


_DAWN: Final = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


class FlightWakeUp(_Kept):
    """The message: bring the orders of a flight up to date, or one of them. Schema version 1.

    `resume` says where in the flight's orders a slice begins; `order_id` names the only order that is meant.
    """

    schema_version: Literal[1] = 1
    kind: Literal["flightWakeUp"] = "flightWakeUp"
    flight: Annotated[str, Field(min_length=1, max_length=40)]
    version: Annotated[int, Field(ge=1)]
    resume: Annotated[str | None, Field(max_length=2000)] = None
    order_id: Annotated[str | None, Field(max_length=64)] = None
    owner: Annotated[str | None, Field(max_length=64)] = None
    sent_at: AwareDatetime
    trace: Annotated[str, Field(max_length=64)] = ""

    def body(self) -> str:
        """Return the message as text."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
