"""What we decide about customers: what a patch makes of one, what changed, and which identifiers it holds. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from lib.customers.models import Customer, CustomerDetails, ExternalId
from lib.customers.patch import CustomerPatch
from lib.errors import FieldProblem, InvalidError
from lib.fields import MASK, masked
from lib.identifiers.models import Identifier, IdentifierType
from lib.identifiers.rules import IdentifierInvalidError, chosen, external, normalised
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
    changes = patch.changes()
    _unmask(current, changes)
    return _valid(merged(current.details(), changes), today=today, why="The patch would not leave a valid customer.")


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
    held = {str(external(one.system, one.id)) for one in details.external_ids}
    if details.loyalty is not None:
        held.add(str(normalised(IdentifierType.LOYALTY, details.loyalty.number)))
    return frozenset(held)


def indexed_of(details: CustomerDetails) -> tuple[Identifier, ...]:
    """Return the identifiers that customers may share and are found by: those that are blocked are left out."""
    given = (
        (IdentifierType.PASSPORT, details.passport.number if details.passport else None),
        (IdentifierType.EMAIL, details.email),
        (IdentifierType.PHONE, details.phone),
    )
    held: list[Identifier] = []
    for kind, value in given:
        # What was taken once may be refused by a newer list of dialling plans: then it is just not found by it.
        with suppress(IdentifierInvalidError):
            held += [normalised(kind, value)] if value is not None else []
    return chosen(held)


def replaced(current: Customer, details: CustomerDetails, *, through: ExternalId, today: date) -> CustomerDetails:
    """Return the details that a full replacement through one of the customer's external ids makes of it.

    Everything is as the caller says, but external ids: those of systems that the caller does not name are kept, and so
    is the one that the customer was found by. A passport number that equals the mask of the current one is unchanged.

    Raises:
        CustomerInvalidError: the result is not a valid customer.
    """
    stated = details.model_dump(mode="json", by_alias=True, exclude_none=True)
    _unmask(current, stated)
    stated["externalIds"] = [
        one.model_dump(by_alias=True) for one in united(current.external_ids, details.external_ids, through)
    ]
    return _valid(stated, today=today, why="The body would not leave a valid customer.")


def named_by(details: CustomerDetails, through: ExternalId, *, today: date) -> CustomerDetails:
    """Return the details of a new customer that shall have this external id too.

    Raises:
        CustomerInvalidError: the result is not a valid customer.
    """
    stated = details.model_dump(mode="json", by_alias=True, exclude_none=True)
    stated["externalIds"] = [one.model_dump(by_alias=True) for one in united((), details.external_ids, through)]
    return _valid(stated, today=today, why="The body would not make a valid customer.")


def united(kept: Sequence[ExternalId], given: Sequence[ExternalId], through: ExternalId) -> tuple[ExternalId, ...]:
    """Return the external ids after a replacement: those given, those of systems not named, and the one it was by."""
    named = {one.system for one in given}
    stated = {external(one.system, one.id): one for one in given}
    held = {external(one.system, one.id): one for one in kept}
    stay = {key: one for key, one in held.items() if one.system not in named or key in stated}
    # In the order in which they were kept, so that saying the same again changes nothing.
    found = stated | {external(through.system, through.id): through}
    return tuple((stay | {key: one for key, one in found.items() if key not in stay}).values())


def _unmask(current: Customer, stated: dict[str, Any]) -> None:
    kept = current.passport.number if current.passport else None
    sent = (stated.get("passport") or {}).get("number")
    if sent is not None and MASK in sent:
        if kept is None or sent != masked(kept):
            raise _masked_number()
        stated["passport"]["number"] = kept


def _valid(stated: Any, *, today: date, why: str) -> CustomerDetails:
    try:
        details = CustomerDetails.model_validate(stated)
    except ValidationError as error:
        raise CustomerInvalidError(why, problems_of(error)) from None
    _check_birth(details, today=today)
    return details


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
