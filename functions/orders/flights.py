"""Private operations on flights: events come in here, and what is known of a flight is read."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from functions.host.answers import BODY_REFUSALS, answers, shown
from functions.host.caller import CurrentPlatform, PrivateCaller
from functions.host.models import Time
from lib.clock import rfc3339
from lib.fields import Date
from lib.orders.flights.models import EventStatus, FlightEvent, FlightState

router = APIRouter(prefix="/api/private/v1", tags=["flights"])

_Flight = Annotated[
    str, Path(max_length=8, pattern="^[A-Z0-9]{2,3}[1-9][0-9]{0,3}[A-Z]?$", description="As events are answered")
]
_FlightDate = Annotated[Date, Path(description="The local date of departure")]
_Airport = Annotated[str, Path(max_length=3, pattern="^[A-Z]{3}$", description="Where this leg departs")]
_EventName = Annotated[str | None, Field(max_length=150, description="The event that said so")]


class FlightView(BaseModel):
    """What is known of a flight after all events so far, whatever order they came in."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: Annotated[str, Field(max_length=40)]
    version: Annotated[int, Field(ge=0, description="Events that were taken", json_schema_extra={"format": "int64"})]
    status: EventStatus | None = None
    status_at: Time | None = None
    status_event: _EventName = None
    estimated_departure: Time | None = None
    estimated_arrival: Time | None = None
    reason: Annotated[str | None, Field(max_length=500)] = None
    gate: Annotated[str | None, Field(max_length=5)] = None
    terminal: Annotated[str | None, Field(max_length=5)] = None
    gate_at: Time | None = None
    gate_event: _EventName = None

    @classmethod
    def of(cls, key: str, state: FlightState) -> "FlightView":
        """Return how a flight is shown."""
        status, gate = state.status, state.gate
        departure = status.estimated_departure if status else None
        arrival = status.estimated_arrival if status else None
        return cls(
            id=key.replace("~", "/"),
            version=state.version,
            status=status.status if status else None,
            status_at=rfc3339(status.at) if status else None,
            status_event=status.event if status else None,
            estimated_departure=rfc3339(departure) if departure else None,
            estimated_arrival=rfc3339(arrival) if arrival else None,
            reason=status.reason if status else None,
            gate=gate.gate if gate else None,
            terminal=gate.terminal if gate else None,
            gate_at=rfc3339(gate.at) if gate else None,
            gate_event=gate.event if gate else None,
        )


@router.post(
    "/flight-events",
    operation_id="take_flight_event_private",
    summary="Take an event of a flight",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(
        HTTPStatus.ACCEPTED,
        FlightView,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
        replayable=True,
    ),
)
async def take_flight_event_private(
    caller: PrivateCaller,
    event: Annotated[
        FlightEvent,
        Body(
            examples=[
                {
                    "source": "ops-feed",
                    "eventId": "7f3a-0001",
                    "flight": "IM204",
                    "flightDate": "2026-12-20",
                    "departureAirport": "LHR",
                    "occurredAt": "2026-11-22T08:10:00Z",
                    "status": "delayed",
                    "estimatedDeparture": "2026-12-20T11:00:00Z",
                    "reason": "late inbound aircraft",
                },
                {
                    "source": "ops-feed",
                    "eventId": "7f3a-0002",
                    "flight": "IM 0204",
                    "flightDate": "2026-12-20",
                    "departureAirport": "LHR",
                    "occurredAt": "2026-11-22T08:20:00Z",
                    "gate": "B42",
                },
            ]
        ),
    ],
) -> Response:
    """Keep an event; every order with a segment on this flight hears of it within seconds.

    The same event again changes nothing. Events may come in any order: what happened last holds, for the status and for
    the gate each.
    """

    async def take() -> FlightView:
        return FlightView.of(event.key, await caller.platform.flights.take(event=event))

    return await caller.once(
        "take_flight_event_private",
        event.name,
        take,
        status=HTTPStatus.ACCEPTED,
        location=lambda flight: f"/api/private/v1/flights/{flight}",
    )


@router.get(
    "/flights/{flight}/{flightDate}/{departureAirport}",
    operation_id="get_flight_private",
    summary="Tell what is known of a flight",
    responses=answers(HTTPStatus.OK, FlightView, HTTPStatus.NOT_FOUND),
)
async def get_flight_private(
    platform: CurrentPlatform, flight: _Flight, flightDate: _FlightDate, departureAirport: _Airport
) -> Response:
    """Tell what events said of one leg of a flight; version 0 when none did."""
    key, state = await platform.flights.read(flight=flight, flight_date=flightDate, departure_airport=departureAirport)
    return shown(FlightView.of(key, state))
