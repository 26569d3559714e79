"""The feed of flight events: it tells of the flights that are ordered, twice and out of order, until it is answered."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from lib.clock import rfc3339
from lib.errors import ConflictError
from lib.orders.flights.models import FlightEvent, FlightState
from local.simulation.clients import Clients
from local.simulation.travels import SCHEDULE, Scheduled

_TRIES: Final = 12
_LONG_AGO: Final = datetime.fromisoformat("2020-01-01T00:00:00Z")


@dataclass
class Feed:
    """Tells of flights while the clients write. `answered` holds what was taken for sure."""

    clients: Clients
    random: Random
    answered: list[FlightEvent] = field(default_factory=list[FlightEvent])
    broken: list[str] = field(default_factory=list[str])
    _number: int = 0

    async def run(self) -> None:
        """Tell of some events, each until it is answered or the feed gives up."""
        plan = self.clients.fleet.network.plan
        events = [self._event(self.random.choice(SCHEDULE)) for _ in range(self.random.choice((0, 1, 2, 4)))]
        self.random.shuffle(events)
        await asyncio.gather(*(self._insist(event, plan.calm_at * self.random.random() * 0.8) for event in events))

    async def _insist(self, event: FlightEvent, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        for _ in range(_TRIES):
            result = await self.clients.ask(f"tell {event.event_id}", lambda at: at.platform.flights.take(event=event))
            if isinstance(result, FlightState):
                self.answered.append(event)
                if self.random.random() < 0.7:  # noqa: PLR2004 - the others are told once more
                    return
            if isinstance(result, ConflictError):
                self.broken.append(f"{event.event_id} was told to be another event")
            await asyncio.sleep(self.random.random() * 8)

    def _event(self, flight: Scheduled) -> FlightEvent:
        self._number += 1
        at = _LONG_AGO + timedelta(minutes=self.random.randrange(1000))
        told: dict[str, object] = {"gate": f"B{self._number}"}
        if self.random.random() < 0.7:  # noqa: PLR2004 - the mixture
            departure = flight.departs_at + timedelta(minutes=self._number)
            told = {"status": "delayed", "estimatedDeparture": rfc3339(departure)}
        return FlightEvent.model_validate(
            {
                "source": "feed",
                "eventId": f"e{self._number}",
                "flight": flight.designator,
                "flightDate": flight.departs_at.date().isoformat(),
                "departureAirport": "LHR",
                "occurredAt": rfc3339(at),
                **told,
            }
        )
