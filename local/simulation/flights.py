"""The audit of flights: no event forgotten, what happened last holds, and every order knows what is known."""

from collections.abc import Iterator, Mapping, Sequence

from lib.messaging.catalogue import Subject
from lib.orders.flights.models import FlightEvent, FlightState, key_of
from lib.orders.flights.rules import updated
from lib.orders.flights.store import FLIGHTS_TABLE
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Row
from local.simulation.entities import entities_of


def flight_problems(storage: MemoryStorage, answered: Sequence[FlightEvent]) -> Iterator[str]:
    """Return what is wrong with flights, once everything has come to rest."""
    rows = storage.table(FLIGHTS_TABLE).rows()
    states = {row.partition: FlightState.model_validate_json(_document(row)) for row in rows if row.key == "state"}
    events: dict[str, list[FlightEvent]] = {}
    for row in rows:
        if row.key.startswith("event~"):
            events.setdefault(row.partition, []).append(FlightEvent.model_validate_json(_document(row)))
    for event in answered:
        if event not in events.get(event.key, ()):
            yield f"{event.name} was answered and is not kept"
    yield from _in_turn(states, events)
    yield from _left_behind(storage, states)


def _in_turn(states: Mapping[str, FlightState], events: Mapping[str, Sequence[FlightEvent]]) -> Iterator[str]:
    for flight, state in states.items():
        wanted = FlightState()
        for event in sorted(events[flight], key=lambda one: (one.occurred_at, one.name)):
            wanted = wanted.after(event)
        if state != wanted:
            yield f"of {flight} {state} is known instead of {wanted}"


def _left_behind(storage: MemoryStorage, states: Mapping[str, FlightState]) -> Iterator[str]:
    for entity in entities_of(storage.table("customers").rows()):
        if entity.subject is not Subject.ORDER:
            continue
        order = entity.order()
        for flight in {key_of(segment) for segment in order.segments} & states.keys():
            if updated(order, flight, states[flight], version=order.version, at=order.updated_at) is not None:
                yield f"{entity.id} does not know what is known of {flight}"


def _document(row: Row) -> str:
    return str(row.values["document"])
