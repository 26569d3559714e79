"""How a row says whose it is: by the customer's id here, or by an id that another system has for the customer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from lib.customers.models import ExternalId, SystemName
from lib.customers.upsert import CustomerUpserts
from lib.errors import FieldProblem, InvalidError
from lib.fields import Text
from lib.imports.loaders import RULES, validated
from lib.parts import Part

_MEMBER = "customer"


class CustomerReference(Part):
    """Whose a row is: `{"id": "cus_…"}`, or `{"system": "crm", "id": "4711"}`."""

    id: Text
    system: Annotated[SystemName | None, Field(description="Absent for the customer's id on this platform")] = None


def owner_key(value: Any) -> str | None:
    """Return what rows of one customer share, or None for a row that says nothing of whose it is."""
    reference = value.get(_MEMBER) if isinstance(value, Mapping) else None
    return json.dumps(reference, sort_keys=True) if isinstance(reference, dict) else None


def parted(value: Any) -> tuple[CustomerReference, dict[str, Any]]:
    """Return whose a row is, and the rest of it.

    Raises:
        InvalidError: it does not say whose it is.
    """
    if not isinstance(value, dict) or _MEMBER not in value:
        problem = FieldProblem(f"/{_MEMBER}", "is required")
        raise InvalidError(RULES, [problem])
    reference = validated(CustomerReference, value[_MEMBER], at=f"/{_MEMBER}")
    return reference, {name: member for name, member in value.items() if name != _MEMBER}


def owner_keys(value: Any) -> tuple[str, ...]:
    """Return what rows of one customer share, as loaders tell it."""
    key = owner_key(value)
    return () if key is None else (key,)


@dataclass(frozen=True, slots=True)
class Owners:
    """Finds whose rows are."""

    upserts: CustomerUpserts

    async def of(self, reference: CustomerReference) -> str:
        """Return the id of a customer; one given by id is not looked up here.

        Raises:
            CustomerNotFoundError: nobody has this external id.
            IdentifierBlockedError: the external id is a placeholder.
        """
        if reference.system is None:
            return reference.id
        found = await self.upserts.read(external_id=ExternalId(system=reference.system, id=reference.id))
        return found.entity_id
