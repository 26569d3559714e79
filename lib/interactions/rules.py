"""What we decide about interactions: which may be told, and how each is summed up in a line. Pure."""

from datetime import datetime, timedelta
from typing import Final

from lib.errors import FieldProblem, InvalidError
from lib.interactions import models as told
from lib.interactions.words import FlightReference

_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class InteractionInvalidError(InvalidError):
    """What was sent cannot have happened."""

    kind = "interaction-invalid"
    title = "Not a valid interaction"


def still_to_come(happened_at: datetime, *, now: datetime) -> bool:
    """Tell whether something cannot have happened yet; senders' clocks may be minutes ahead of ours."""
    return happened_at > now + _CLOCKS_DIFFER


def check_happened(happened_at: datetime, *, now: datetime) -> None:
    """Refuse what is told before it happened.

    Raises:
        InteractionInvalidError: it lies in the future.
    """
    if still_to_come(happened_at, now=now):
        raise InteractionInvalidError(
            "The interaction is still to come.", [FieldProblem("/happenedAt", "must not be in the future")]
        )


def summary_of(draft: told.InteractionDraft) -> str:
    """Return a line for the timeline that says what happened, without anything that people wrote freely."""
    match draft:
        case told.BaggageDraft(attributes=bag):
            parts = (bag.tag, bag.status, bag.airport)
        case told.FlightDraft(attributes=flight):
            parts = (_flight(draft), flight.event)
        case told.CheckInDraft(attributes=check_in):
            parts = (_flight(draft), check_in.seat if check_in else None)
        case told.LoungeDraft(attributes=visit):
            parts = (visit.airport if visit else None,)
        case told.InFlightRetailDraft() | told.ShopDraft():
            total = draft.attributes.total if draft.attributes else None
            parts = (f"{total.amount} {total.currency}" if total else None,)
        case told.ChauffeurDraft(attributes=ride):
            parts = (ride.status if ride else None,)
        case _:
            parts = (draft.direction,)
    return ", ".join((_NAMES[draft.kind], *(part for part in parts if part)))


def _flight(draft: told.FlightDraft | told.CheckInDraft) -> str | None:
    flight: FlightReference | None = draft.references.flight if draft.references else None
    return flight.designator if flight else None


_NAMES: Final = {
    told.InteractionKind.CALL: "Call",
    told.InteractionKind.EMAIL: "E-mail",
    told.InteractionKind.CHAT: "Chat",
    told.InteractionKind.SOCIAL_MENTION: "Social mention",
    told.InteractionKind.SHOP: "Purchase",
    told.InteractionKind.LOUNGE: "Lounge visit",
    told.InteractionKind.CHAUFFEUR: "Chauffeur",
    told.InteractionKind.CHECK_IN: "Check-in",
    told.InteractionKind.BAGGAGE: "Baggage",
    told.InteractionKind.IN_FLIGHT_RETAIL: "In-flight purchase",
    told.InteractionKind.FLIGHT: "Flight",
    told.InteractionKind.OTHER: "Interaction",
}
