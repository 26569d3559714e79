"""What customers of a simulation order: few flights, so that orders meet on one and change their dates."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from lib.clock import rfc3339

_FIRST_DAY: Final = datetime.fromisoformat("2030-01-01T10:00:00Z")
_DAYS: Final = 3


def simulated_order(number: int, random: Random) -> dict[str, Any]:
    """Return an order of one or two flights; its number tells it from all others."""
    days = random.sample(range(_DAYS), random.choice((1, 1, 2)))
    return {
        "currency": "EUR",
        "passengers": [{"id": "P1", "lastName": f"N{number}", "isCustomer": True}],
        "items": [_flight(f"leg-{day}", day) for day in sorted(days)],
    }


def _flight(item_id: str, day: int) -> dict[str, Any]:
    departure = _FIRST_DAY + timedelta(days=day)
    return {
        "kind": "flightSegment",
        "id": item_id,
        "flight": f"IM20{day}",
        "flightDate": departure.date().isoformat(),
        "departureAirport": "LHR",
        "arrivalAirport": "JFK",
        "scheduledDeparture": rfc3339(departure),
        "scheduledArrival": rfc3339(departure + timedelta(hours=8)),
        "travellers": [{"passengerId": "P1"}],
    }
