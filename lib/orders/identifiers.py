"""By which tickets and booking references an order's customer is found. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from lib.identifiers.models import Identifier, IdentifierType
from lib.identifiers.rules import normalised


def identifiers_of(order: Mapping[str, Any]) -> Iterable[Identifier]:
    """Return the identifiers in an order's document: own tickets first, then others', then PNRs."""
    own = {passenger["id"] for passenger in order.get("passengers", ()) if passenger.get("isCustomer")}
    segments = [item for item in order["items"] if item["kind"] == "flightSegment"]
    travellers = [traveller for segment in segments for traveller in segment.get("travellers", ())]
    travellers.sort(key=lambda traveller: traveller["passengerId"] not in own)
    tickets = [traveller["ticketNumber"] for traveller in travellers if "ticketNumber" in traveller]
    references = [segment["bookingReference"] for segment in segments if "bookingReference" in segment]
    return [
        *(normalised(IdentifierType.TICKET, ticket) for ticket in dict.fromkeys(tickets)),
        *(normalised(IdentifierType.PNR, reference) for reference in dict.fromkeys(references)),
    ]
