"""What customers of a simulation order: few flights, so that orders meet on one and change their dates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from lib.clock import rfc3339

_FIRST_DAY: Final = datetime.fromisoformat("2030-01-01T10:00:00Z")


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A flight of the schedule."""

    designator: str
    departs_at: datetime


SCHEDULE: Final = tuple(Scheduled(f"IM20{day}", _FIRST_DAY + timedelta(days=day)) for day in range(3))


def simulated_order(number: int, random: Random) -> dict[str, Any]:
    """Return an order of one or two flights; its number tells it from all others."""
    flights = random.sample(SCHEDULE, random.choice((1, 1, 2)))
    return {
        "currency": "EUR",
        "passengers": [{"id": "P1", "lastName": f"N{number}", "isCustomer": True}],
        "items": [_segment(flight) for flight in sorted(flights, key=lambda flight: flight.designator)],
    }


def _segment(flight: Scheduled) -> dict[str, Any]:
    return {
        "kind": "flightSegment",
        "id": flight.designator,
        "flight": flight.designator,
        "flightDate": flight.departs_at.date().isoformat(),
        "departureAirport": "LHR",
        "arrivalAirport": "JFK",
        "scheduledDeparture": rfc3339(flight.departs_at),
        "scheduledArrival": rfc3339(flight.departs_at + timedelta(hours=8)),
        "travellers": [{"passengerId": "P1"}],
    }
