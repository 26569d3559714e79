"""What callers see and send of interactions beside the interaction itself."""

from typing import Annotated, Any, Final

from fastapi.openapi.models import Example
from pydantic import BaseModel, Field

from functions.customers.views import NextPage
from lib.interactions.models import InteractionSummary


class InteractionList(BaseModel):
    """A page of interactions, the latest to happen first."""

    items: Annotated[list[InteractionSummary], Field(max_length=200)]
    next: NextPage


_CALL: Final[dict[str, Any]] = {
    "kind": "call",
    "channel": "phone",
    "direction": "inbound",
    "agent": "m.okafor",
    "subject": "Where is the second bag?",
    "body": "One of two bags did not arrive in Lisbon. Delivery to the hotel was agreed.",
    "references": {"flight": {"designator": "IM204", "date": "2026-01-18"}},
    "attributes": {"durationSeconds": 312, "queue": "baggage", "outcome": "followUp"},
    "happenedAt": "2026-01-18T16:42:05Z",
    "source": {"system": "contactcenter", "eventId": "call-881203"},
}
_BAGGAGE: Final[dict[str, Any]] = {
    "kind": "baggage",
    "channel": "airport",
    "attributes": {"tag": "0125728359", "status": "delayed", "airport": "LIS"},
    "references": {"flight": {"designator": "IM204", "date": "2026-01-18"}},
    "happenedAt": "2026-01-18T15:10:00Z",
    "source": {"system": "baggage", "eventId": "0125728359-delayed-1"},
}
_RETAIL: Final[dict[str, Any]] = {
    "kind": "inFlightRetail",
    "channel": "onboard",
    "attributes": {
        "items": [{"name": "Travel adapter", "quantity": 1, "unitPrice": {"amount": "18.00", "currency": "EUR"}}],
        "total": {"amount": "18.00", "currency": "EUR"},
        "paidBy": "card",
    },
    "happenedAt": "2026-01-18T13:25:40Z",
    "source": {"system": "onboard", "eventId": "IM204-20260118-77"},
}
EXAMPLES: Final[dict[str, Example]] = {
    "call": Example(summary="A telephone call", value=_CALL),
    "baggage": Example(summary="A bag that comes later", value=_BAGGAGE),
    "inFlightRetail": Example(summary="A purchase on board", value=_RETAIL),
}
