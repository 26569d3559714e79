"""The lists of a customer's orders: extra rows in the order's transaction, whose keys sort as the lists do. Pure.

An order is coming until the last of it is over. It has one row in `coming` for each time at which something of it is
over, and shows at the first of these that is still ahead: so the soonest comes first, without a timer that moves rows
as time goes by. In `latest` it has one row, at its last such time. What has no time yet is coming until it is closed.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from lib.orders.models import Order, OrderSummary
from lib.storage.ports import Row, Values

LIST_PREFIX: Final = "orderlist~"
_CEILING: Final = 10**15
_SOME_DAY: Final = _CEILING - 1
_COMING: Final = f"{LIST_PREFIX}coming~"
_LATEST: Final = f"{LIST_PREFIX}latest~"


class When(StrEnum):
    """Which orders, by time."""

    COMING = "coming"
    PAST = "past"


def list_rows(order: Order) -> Mapping[str, Values]:
    """Return the rows, by key, that show an order in its customer's lists."""
    shown: dict[str, str | int] = {
        "state": order.state.value,
        "version": order.version,
        "summary": OrderSummary.of(order).model_dump_json(by_alias=True, exclude_none=True),
    }
    times = [_milliseconds(moment) for moment in order.ends()] or [_SOME_DAY]
    rows: dict[str, Values] = {
        f"{_COMING}{time:015d}~{order.id}": {**shown, "after": before}
        for before, time in zip([0, *times], times, strict=False)
    }
    rows[f"{_LATEST}{_CEILING - times[-1]:015d}~{order.id}"] = shown
    return rows


def key_range(when: When | None, now: datetime) -> tuple[str, str]:
    """Return the first key of a list at a moment, and the key below which it ends."""
    if when is When.COMING:
        return f"{_COMING}{_milliseconds(now) + 1:015d}~", _end(_COMING)
    if when is When.PAST:
        return f"{_LATEST}{_CEILING - _milliseconds(now):015d}~", _end(_LATEST)
    return _LATEST, _end(_LATEST)


def is_shown(row: Row, when: When | None, now: datetime) -> bool:
    """Tell whether a row of a list stands for its order at this moment, or an earlier one does."""
    return when is not When.COMING or int(str(row.values["after"])) <= _milliseconds(now)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _end(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
