"""Where a host goes down: one entry per place of the protocol in `docs/delivery.md`."""

from dataclasses import dataclass
from typing import Final

from local.chaos.trap import Trap
from local.faults.taps import When

_WRITERS: Final = ("create_customer", "update_customer")
_RELAY: Final = ("relay_changes",)
_DELIVERY: Final = ("deliver_to_mainframe",)
# Long enough for the call to have reached the mainframe, shorter than the late answers that are scripted beside it.
_UNDER_WAY_SECONDS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Point:
    """A place, in words, and the trap that is set there."""

    name: str
    trap: Trap


def _point(name: str, call: str, when: When, functions: tuple[str, ...], after_seconds: float = 0.0) -> Point:
    return Point(name, Trap(call=call, when=when, functions=functions, after_seconds=after_seconds))


KILL_POINTS: Final = (
    _point("after the promise", "changes.send", When.AFTER, _WRITERS),
    _point("after commit, before the answer", "customers.commit", When.AFTER, _WRITERS),
    _point("relay, after dequeue", "customers.get", When.BEFORE, _RELAY),
    _point("relay, after the index", "customerindex.write", When.AFTER, _RELAY),
    _point("relay, after the consumer message", "mainframe-updates.send", When.AFTER, _RELAY),
    _point("delivery, after dequeue", "customers.get", When.BEFORE, _DELIVERY),
    _point("delivery, after the in-flight note", "delivery.note", When.AFTER, _DELIVERY),
    _point(
        "delivery, applied but not answered",
        "mainframe.update",
        When.BEFORE,
        _DELIVERY,
        after_seconds=_UNDER_WAY_SECONDS,
    ),
    _point("delivery, answered but not noted", "mainframe.update", When.AFTER, _DELIVERY),
    _point("delivery, before the acknowledgement", "delivery.settle", When.BEFORE, _DELIVERY),
    _point("delivery, after the acknowledgement", "delivery.settle", When.AFTER, _DELIVERY),
)
# These need a refusal, a miss or an outage to be reached at all, so a quiet run has none of them.
RARE_KILL_POINTS: Final = (
    _point("delivery, after a retry was sent", "mainframe-updates.send", When.AFTER, _DELIVERY),
    _point("delivery, failure kept but not told", "mainframe-updates-poison.send", When.BEFORE, _DELIVERY),
    _point("after the outbox row", "outbox.write", When.AFTER, _WRITERS),
    _point("after an identifier was reserved", "identifiers.write", When.AFTER, _WRITERS),
)
KILLED_SENDING: Final = Point(
    "killed when some of a slice was sent",
    Trap(call="mainframe-updates.send", when=When.AFTER, functions=("run_replays",), skip=2),
)
KILLED_SENT: Final = Point(
    "killed when a slice was sent and not kept",
    Trap(call="replays.write", when=When.BEFORE, functions=("run_replays",), skip=2),
)
STOPPED_WRITER: Final = Point(
    "writer stopped between promise and commit",
    Trap(call="customers.commit", when=When.BEFORE, functions=_WRITERS, signal="SIGSTOP"),
)
STOPPED_DELIVERY: Final = Point(
    "delivery stopped between note and call",
    Trap(call="mainframe.update", when=When.BEFORE, functions=_DELIVERY, signal="SIGSTOP"),
)
