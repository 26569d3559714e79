"""Where a case can stand, and from where to where it may go: one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CaseState(StrEnum):
    """Where a case stands."""

    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waitingCustomer"
    ON_HOLD = "onHold"
    RESOLVED = "resolved"
    CLOSED = "closed"


def _to(*states: CaseState) -> frozenset[CaseState]:
    return frozenset(states)


CASE_MOVES: Final[Mapping[CaseState, frozenset[CaseState]]] = {
    CaseState.NEW: _to(
        CaseState.OPEN, CaseState.WAITING_CUSTOMER, CaseState.ON_HOLD, CaseState.RESOLVED, CaseState.CLOSED
    ),
    CaseState.OPEN: _to(CaseState.WAITING_CUSTOMER, CaseState.ON_HOLD, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.WAITING_CUSTOMER: _to(CaseState.OPEN, CaseState.ON_HOLD, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.ON_HOLD: _to(CaseState.OPEN, CaseState.WAITING_CUSTOMER, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.RESOLVED: _to(CaseState.OPEN, CaseState.CLOSED),
    CaseState.CLOSED: _to(),
}
SETTLED: Final = _to(CaseState.RESOLVED, CaseState.CLOSED)
"""What needs a resolution: nobody has to look after it any more. Only what is resolved can be reopened."""
ANSWERED: Final = _to(CaseState.WAITING_CUSTOMER, CaseState.RESOLVED)
"""Where what the customer says takes a case back to those who look after it."""
