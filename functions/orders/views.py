"""What callers say and see of orders beside the order itself."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import BaseModel, Field

from functions.customers.views import NextPage
from lib.orders.listing import When
from lib.orders.models import DocumentDetails, OrderSummary
from lib.orders.states import OrderState
from lib.orders.words import FreeText
from lib.parts import Part

OrderId = Annotated[str, Path(max_length=64, description="The order's id", examples=["ord_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
ItemPath = Annotated[str, Path(max_length=20, description="The item's id within its order", examples=["out"])]
ByTime = Annotated[
    When | None, Query(alias="when", description="Coming: not over yet, soonest first. Past: latest first")
]
ByState = Annotated[OrderState | None, Query(alias="state", description="Only orders in this state")]


class OrderList(BaseModel):
    """A page of a customer's orders."""

    items: Annotated[list[OrderSummary], Field(max_length=200)]
    next: NextPage


class CustomersCancellation(Part):
    """A customer cancels an order."""

    reason: FreeText | None = None


class Cancellation(Part):
    """Staff cancel an order."""

    reason: Annotated[FreeText, Field(description="Why; kept in the change log")]


class OrderMove(Part):
    """The next state of an order."""

    state: OrderState
    reason: Annotated[FreeText, Field(description="Why; kept in the change log")]


class NewDocument(DocumentDetails):
    """A shipment or an invoice to keep with an order."""

    reason: Annotated[FreeText, Field(description="Why; kept in the change log")]

    def details(self) -> DocumentDetails:
        """Return the document without the reason."""
        return DocumentDetails.model_validate(self.model_dump(exclude={"reason"}))


TRIP: Final[dict[str, Any]] = {
    "currency": "EUR",
    "channel": "web",
    "passengers": [
        {"id": "P1", "type": "adult", "firstName": "Ada", "lastName": "Lovelace", "isCustomer": True},
    ],
    "items": [
        {
            "kind": "flightSegment",
            "id": "out",
            "bookingReference": "K7QX2M",
            "flight": "IM204",
            "flightDate": "2026-12-20",
            "departureAirport": "LHR",
            "arrivalAirport": "JFK",
            "scheduledDeparture": "2026-12-20T09:30:00Z",
            "scheduledArrival": "2026-12-20T17:45:00Z",
            "cabinClass": "economy",
            "bookingClass": "M",
            "unitPrice": {"amount": "412.00", "currency": "EUR"},
            "taxes": {"amount": "88.40", "currency": "EUR"},
            "travellers": [{"passengerId": "P1", "ticketNumber": "1252345678901", "bagTags": ["0125728359"]}],
        },
        {
            "kind": "ancillary",
            "id": "bag",
            "ancillaryType": "extraBag",
            "segmentId": "out",
            "passengerIds": ["P1"],
            "unitPrice": {"amount": "45.00", "currency": "EUR"},
        },
    ],
}
WIDGETS: Final[dict[str, Any]] = {
    "currency": "EUR",
    "items": [
        {
            "kind": "product",
            "family": "widget",
            "sku": "WID-200",
            "quantity": 3,
            "unitPrice": {"amount": "19.90", "currency": "EUR"},
        },
        {
            "kind": "service",
            "serviceCode": "MCG-INSTALL",
            "scheduledAt": "2026-12-03T10:00:00Z",
            "unitPrice": {"amount": "120.00", "currency": "EUR"},
        },
    ],
}
