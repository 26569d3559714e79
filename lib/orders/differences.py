"""What changed between two versions of an order, for its change log: field by field, items by their ids. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from lib.orders.models import Order

_MAXIMUM: Final = 100
_BESIDE: Final = frozenset({"items", "version", "updatedAt"})


def changed_fields(before: Order | None, after: Order) -> list[dict[str, Any]]:
    """Return the changes as the log keeps them: a JSON pointer (items by id), what was there, and what is there now.

    When too many fields changed for one entry, the items that did are told whole.
    """
    old = before.json_values() if before else {}
    new = after.json_values()
    plain = [
        _change(f"/{name}", old.get(name), new.get(name))
        for name in sorted({*old, *new} - _BESIDE)
        if old.get(name) != new.get(name)
    ]
    items_before = {item["id"]: item for item in old.get("items", ())}
    items_after = {item["id"]: item for item in new["items"]}
    changed = [key for key in {**items_before, **items_after} if items_before.get(key) != items_after.get(key)]
    fine = [change for key in changed for change in _inside(key, items_before.get(key), items_after.get(key))]
    whole = [_change(f"/items/{key}", items_before.get(key), items_after.get(key)) for key in changed]
    return plain + (fine if len(plain) + len(fine) <= _MAXIMUM else whole)


def _inside(key: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if old is None or new is None:
        return [_change(f"/items/{key}", old, new)]
    return [
        _change(f"/items/{key}/{name}", old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _change(field: str, old: Any, new: Any) -> dict[str, Any]:
    return {"field": field, "old": old, "new": new}
