"""Two years of what happened to an invented customer: orders, contacts, consents, what they said and asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from local.seed.people import SYSTEM, Person

# Fixed, so that every run says the same: the sample ends here, and some journeys are still to come.
END: Final = datetime(2026, 11, 1, tzinfo=UTC)
_DAYS: Final = 730
_ROUTES: Final = (
    ("LHR", "JFK", 8.0),
    ("LHR", "LIS", 2.7),
    ("FRA", "NRT", 11.5),
    ("CDG", "FCO", 2.1),
    ("MAD", "GRU", 10.6),
    ("WAW", "ATH", 2.5),
    ("IST", "DEL", 6.3),
    ("ICN", "BKK", 5.8),
    ("HAN", "ICN", 4.4),
    ("ARN", "PRG", 2.0),
)
_CALLS: Final = ("Change of seat", "Question about baggage", "Missing miles", "Change of name", "Refund of taxes")
_COMPLAINTS: Final = (
    "My bag came a day late, and nobody called as promised.",
    "Der Flug war verspätet, und niemand hat etwas gesagt.",
    "Le repas végétarien n'était pas à bord.",
    "La pantalla de mi asiento no funcionaba.",
    "座席のモニターが壊れていました。",
)
_PRAISE: Final = (
    "Friendly crew.",
    "Sehr nettes Personal.",
    "Très bon service.",
    "Todo perfecto, gracias.",
    "최고예요!",
)
_WISHES: Final = (
    ("claim", "baggage.delayed", "My bag came a day late", "We have paid for what you had to buy."),
    ("complaint", "cabin.seat", "Mein Sitz ließ sich nicht verstellen", "Wir haben den Sitz repariert. Danke."),
    ("question", "loyalty.miles", "¿Dónde están mis millas?", "Las millas ya están en su cuenta."),
    ("request", "invoice", "領収書をお願いします", "領収書をお送りしました。"),
)
_CURRENCIES: Final = ("EUR", "GBP", "USD")
_DRINKS: Final = ("tomato juice", "sparkling water", "black tea", "orange juice")
_MEALS: Final = ("VGML", "KSML", "MOML", "GFML", "DBML", "VLML")
_INTERESTS: Final = ("hiking", "opera", "football", "food", "photography", "history", "diving")


@dataclass(frozen=True, slots=True)
class History:
    """What happened, as rows of imports and bodies of requests."""

    orders: Sequence[dict[str, Any]]
    interactions: Sequence[dict[str, Any]]
    consents: Sequence[dict[str, Any]]
    preferences: dict[str, Any] | None
    feedback: Sequence[dict[str, Any]]
    cases: Sequence[dict[str, Any]]


def history(person: Person) -> History:
    """Return the history of an invented customer: always the same for the same customer."""
    person = replace(person, random=Random(f"history {person.number}"))  # noqa: S311 - to be repeated, not to be secret
    journeys = [_journey(person, number) for number in range(person.random.randrange(1, 5))]
    flown = [journey for journey in journeys if journey[1] < END]
    interactions = [row for number, (order, at) in enumerate(flown) for row in _travelled(person, number, order, at)]
    interactions += _contacts(person)
    return History(
        orders=[order for order, _ in journeys],
        interactions=interactions,
        consents=list(_consents(person)),
        preferences=_preferences(person),
        feedback=list(_feedback(person)),
        cases=list(_cases(person, flown)),
    )


def _some_day(person: Person, *, days: int = _DAYS) -> datetime:
    return END - timedelta(days=person.random.randrange(1, days), minutes=person.random.randrange(1440))


def _journey(person: Person, number: int) -> tuple[dict[str, Any], datetime]:
    random = person.random
    origin, destination, hours = random.choice(_ROUTES)
    departs = END - timedelta(days=random.randrange(-60, _DAYS), minutes=-5 * random.randrange(288))
    currency = random.choice(_CURRENCIES)

    def price(least: int, most: int) -> dict[str, str]:
        return {"amount": f"{random.randrange(least, most)}.{random.choice(('00', '50', '90'))}", "currency": currency}

    traveller = {"id": "P1", "type": "adult", "lastName": person.row["lastName"], "isCustomer": True}
    items: list[dict[str, Any]] = [
        {
            "kind": "flightSegment",
            "id": "out",
            "bookingReference": f"S{person.number:04d}{number}",
            "flight": f"IM{100 + random.randrange(800)}",
            "flightDate": departs.date().isoformat(),
            "departureAirport": origin,
            "arrivalAirport": destination,
            "scheduledDeparture": _at(departs),
            "scheduledArrival": _at(departs + timedelta(hours=hours)),
            "cabinClass": random.choice(("economy", "economy", "economy", "business")),
            "unitPrice": price(60, 900),
            "taxes": price(10, 120),
            "travellers": [{"passengerId": "P1"}],
        }
    ]
    if random.random() < 0.4:  # noqa: PLR2004 - two of five
        bag = {
            "kind": "ancillary",
            "id": "bag",
            "ancillaryType": "extraBag",
            "segmentId": "out",
            "passengerIds": ["P1"],
        }
        items.append({**bag, "unitPrice": price(30, 60)})
    order = {
        "customer": person.reference,
        "reference": {"system": SYSTEM, "id": f"O-{person.number:04d}-{number}"},
        "currency": currency,
        "channel": random.choice(("web", "mobile", "agency")),
        "passengers": [{**traveller, "firstName": person.row["firstName"]}],
        "items": items,
    }
    return order, departs


def _travelled(person: Person, number: int, order: dict[str, Any], departs: datetime) -> Iterator[dict[str, Any]]:
    """Yield what happened on a journey: check-in, lounge, boarding, a purchase, a bag that came late."""
    random, segment = person.random, order["items"][0]
    about = {"flight": {"designator": segment["flight"], "date": segment["flightDate"]}}
    airport = segment["departureAirport"]

    def event(kind: str, channel: str, hours: float, **fields: Any) -> dict[str, Any]:
        source = {"system": SYSTEM, "eventId": f"{person.number:04d}-{number}-{kind}"}
        told = {"customer": person.reference, "kind": kind, "channel": channel, "source": source}
        return {**told, "happenedAt": _at(departs + timedelta(hours=hours)), "references": about, **fields}

    yield event("checkIn", "mobile", -20, attributes={"airport": airport, "method": "mobile"})
    if random.random() < 0.3:  # noqa: PLR2004 - some have a lounge
        yield event("lounge", "lounge", -1.5, attributes={"airport": airport, "guests": random.randrange(3)})
    yield event("flight", "airport", -0.5, attributes={"event": "boarded"})
    if random.random() < 0.3:  # noqa: PLR2004 - some buy
        total = {"amount": f"{random.randrange(5, 60)}.00", "currency": order["currency"]}
        yield event("inFlightRetail", "onboard", 1, attributes={"total": total, "paidBy": "card"})
    if random.random() < 0.08:  # noqa: PLR2004 - and some bags are late
        arrival = segment["arrivalAirport"]
        yield event("baggage", "airport", 12, attributes={"status": "delayed", "airport": arrival})


def _contacts(person: Person) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(person.random.randrange(5)):
        kind, channel = person.random.choice((("call", "phone"), ("chat", "chat"), ("email", "email")))
        rows.append(
            {
                "customer": person.reference,
                "kind": kind,
                "channel": channel,
                "direction": "inbound",
                "subject": person.random.choice(_CALLS),
                "happenedAt": _at(_some_day(person)),
                "source": {"system": SYSTEM, "eventId": f"{person.number:04d}-contact-{number}"},
            }
        )
    return rows


def _consents(person: Person) -> Iterator[dict[str, Any]]:
    for purpose, channel in (("marketing", "email"), ("marketing", "sms"), ("personalisation", "any")):
        if person.random.random() < 0.25:  # noqa: PLR2004 - not everybody was asked everything
            continue
        asked = _some_day(person)
        said = {"customer": person.reference, "purpose": purpose, "channel": channel}
        granted = person.random.random() < 0.7  # noqa: PLR2004 - most agree
        wording = {"textVersion": "sample-1", "language": person.row["language"]} if granted else {}
        state = "granted" if granted else "denied"
        yield {**said, "state": state, **wording, "captured": {"how": "web", "at": _at(asked)}}
        if granted and person.random.random() < 0.15:  # noqa: PLR2004 - some think again
            later = asked + (END - asked) / 2
            yield {**said, "state": "withdrawn", "captured": {"how": "call", "at": _at(later)}}


def _preferences(person: Person) -> dict[str, Any] | None:
    random = person.random
    if random.random() < 0.3:  # noqa: PLR2004 - some never said
        return None
    stated: dict[str, Any] = {
        "seat": {"position": random.choice(("window", "aisle"))},
        "language": person.row["language"],
        "interests": sorted(random.sample(_INTERESTS, 2)),
    }
    if random.random() < 0.4:  # noqa: PLR2004 - two of five
        stated["meal"] = {"code": random.choice(_MEALS)}
    if random.random() < 0.4:  # noqa: PLR2004 - two of five
        stated["drink"] = random.choice(_DRINKS)
    source = {"kind": "imported", "system": SYSTEM}
    return {**stated, "stated": {"source": source, "at": _at(_some_day(person)), "confirmed": True}}


def _feedback(person: Person) -> Iterator[dict[str, Any]]:
    for number in range(person.random.randrange(3)):
        happy = person.random.random() < 0.6  # noqa: PLR2004 - mostly
        rating = {"scale": "nps", "score": person.random.randrange(8, 11) if happy else person.random.randrange(7)}
        told: dict[str, Any] = {
            "kind": "rating",
            "rating": rating,
            "text": person.random.choice(_PRAISE if happy else _COMPLAINTS),
            "channel": "email",
            "happenedAt": _at(_some_day(person)),
            "source": {"system": SYSTEM, "eventId": f"{person.number:04d}-feedback-{number}"},
        }
        yield told


def _cases(person: Person, flown: Sequence[tuple[dict[str, Any], datetime]]) -> Iterator[dict[str, Any]]:
    """Yield what customers asked for after a journey; most of it was settled within days."""
    random = Random(f"cases {person.number}")  # noqa: S311 - to be repeated, not to be secret
    for number, (order, departed) in enumerate(flown):
        if random.random() >= 0.25:  # noqa: PLR2004 - one journey of four
            continue
        kind, category, subject, told = random.choice(_WISHES)
        opened = departed + timedelta(days=random.randrange(1, 10), minutes=random.randrange(1440))
        settled = opened + timedelta(hours=random.randrange(2, 200))
        case = {
            "customer": person.reference,
            "reference": {"system": SYSTEM, "id": f"C-{person.number:04d}-{number}"},
            "order": order["reference"],
            "about": {"itemIds": [order["items"][0]["id"]]},
            "type": kind,
            "category": category,
            "subject": subject,
            "priority": random.choice(("low", "normal", "normal", "high")),
            "channel": random.choice(("web", "email", "phone")),
            "openedAt": _at(min(opened, END)),
        }
        if settled < END:
            yield {**case, "state": "closed", "resolution": {"code": "solved", "text": told}, "settledAt": _at(settled)}
        else:
            yield {**case, "state": "open"}


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
