"""What we decide about customers: what a patch makes of one, what changed, and which identifiers it holds. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from lib.customers.models import Customer, CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.errors import FieldProblem, InvalidError
from lib.fields import MASK, masked
from lib.ids import Seal
from lib.merging import merged
from lib.text import same_text
from lib.validation import problems_of

SENSITIVE_FIELDS: Final = frozenset({"/passport/number"})
_PASSPORT_NUMBER: Final = "/passport/number"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One changed field: its JSON pointer, and what it was and became; sensitive values as keyed digests."""

    field: str
    old: Any
    new: Any

    def as_json(self) -> dict[str, Any]:
        """Return the change as the change log keeps it."""
        return {"field": self.field, "old": self.old, "new": self.new}


class CustomerInvalidError(InvalidError):
    """What was sent would not make a valid customer."""

    kind = "customer-invalid"
    title = "Not a valid customer"


def check_new(details: CustomerDetails, *, today: date) -> None:
    """Refuse details that cannot become a new customer.

    Raises:
        CustomerInvalidError: a date of birth to come, or a masked value where there is nothing yet to keep.
    """
    _check_birth(details, today=today)
    if details.passport is not None and MASK in details.passport.number:
        raise _masked_number()


def amended(current: Customer, patch: CustomerPatch, *, today: date) -> CustomerDetails:
    """Return the details that a merge patch makes of a customer.

    A passport number that equals the mask of the current one means unchanged.

    Raises:
        CustomerInvalidError: the result is not a valid customer; pointers are into the patched document.
    """
    kept = current.passport.number if current.passport else None
    changes = patch.changes()
    sent = (changes.get("passport") or {}).get("number")
    if sent is not None and MASK in sent:
        if kept is None or sent != masked(kept):
            raise _masked_number()
        changes["passport"]["number"] = kept
    try:
        details = CustomerDetails.model_validate(merged(current.details(), changes))
    except ValidationError as error:
        raise CustomerInvalidError("The patch would not leave a valid customer.", problems_of(error)) from None
    _check_birth(details, today=today)
    return details


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any], *, seal: Seal) -> tuple[FieldChange, ...]:
    """Return what differs between two sets of details, field by field; lists count as one field each."""
    changes: list[FieldChange] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) or isinstance(new, dict):
            changes.extend(_inner_changes(name, old or {}, new or {}))
        elif not _same(old, new):
            changes.append(FieldChange(f"/{name}", old, new))
    return tuple(_veiled(change, seal) for change in changes)


def identifiers_of(details: CustomerDetails) -> frozenset[str]:
    """Return the identifiers that belong to one customer each, normalised: loyalty number and external ids."""
    held = {
        f"external:{external.system}:{unicodedata.normalize('NFC', external.id)}" for external in details.external_ids
    }
    if details.loyalty is not None:
        held.add(f"loyalty:{details.loyalty.number.upper()}")
    return frozenset(held)


def _masked_number() -> CustomerInvalidError:
    return CustomerInvalidError(
        "The passport number is masked, and is not the mask of the one that is kept.",
        [FieldProblem(_PASSPORT_NUMBER, "send the number itself, or the mask that was read to leave it unchanged")],
    )


def _check_birth(details: CustomerDetails, *, today: date) -> None:
    if details.date_of_birth is not None and details.date_of_birth > today:
        raise CustomerInvalidError(
            "The date of birth is still to come.", [FieldProblem("/dateOfBirth", "must not be in the future")]
        )


def _inner_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    return [
        FieldChange(f"/{name}/{inner}", old.get(inner), new.get(inner))
        for inner in sorted({*old, *new})
        if not _same(old.get(inner), new.get(inner))
    ]


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, str) and isinstance(new, str):
        return same_text(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_same(one, other) for one, other in zip(old, new, strict=True))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    return (old or None) == (new or None)


def _veiled(change: FieldChange, seal: Seal) -> FieldChange:
    if change.field not in SENSITIVE_FIELDS:
        return change
    return FieldChange(change.field, _digest(change.old, seal), _digest(change.new, seal))


def _digest(value: Any, seal: Seal) -> str | None:
    return None if value is None else f"hmac-sha256:{seal.digest(str(value)).hex()}"
