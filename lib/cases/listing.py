"""The lists in which a case stands: one row in its customer's, one in its order's, in the case's own transaction. Pure.

Both list the latest opened first. The time of opening never changes, so a row is written over with every version, and
goes away only when a case is no longer about its order.
"""

from collections.abc import Mapping
from typing import Final

from lib.cases.models import Case, CaseSummary
from lib.storage.ports import Values
from lib.timeline.entries import newest_first
from lib.timeline.ranges import KeyRange

_OF_CUSTOMER: Final = "caselist~"
_OF_ORDER: Final = "ordercase~"
_SETTLED: Final = "settled"
_UNSETTLED: Final = "unsettled"


def list_rows(case: Case) -> Mapping[str, Values]:
    """Return the rows, by key, that show a case in its lists."""
    shown: Values = {
        "state": case.state.value,
        "standing": _SETTLED if case.settled else _UNSETTLED,
        "version": case.version,
        "summary": CaseSummary.of(case).model_dump_json(by_alias=True, exclude_none=True),
    }
    place = f"{newest_first(case.opened_at)}~{case.id}"
    keys = [f"{_OF_CUSTOMER}{place}", *([f"{_OF_ORDER}{case.order_id}~{place}"] if case.order_id else [])]
    return dict.fromkeys(keys, shown)


def of_customer(*, state: str | None, settled: bool | None) -> KeyRange:
    """Return where a customer's cases stand, or those of them that are asked for."""
    asked = {"state": state, "standing": None if settled is None else _SETTLED if settled else _UNSETTLED}
    return KeyRange.of_prefix(_OF_CUSTOMER, where={name: value for name, value in asked.items() if value is not None})


def of_order(order_id: str) -> KeyRange:
    """Return where the cases about an order stand."""
    return KeyRange.of_prefix(f"{_OF_ORDER}{order_id}~")
