"""How lookups are asked and answered."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from lib.customers.lookup import Match
from lib.fields import BirthDate, ShortText, Text, Title
from lib.identifiers.index import Holder
from lib.identifiers.models import MOST_CUSTOMERS, IdentifierType
from lib.identifiers.rules import MAXIMUM_TEXT_LENGTH
from lib.messaging.catalogue import Subject
from lib.parts import Part

CUSTOMERS = "/api/private/v1/customers"


class LookupRequest(Part):
    """Whom to find, in a body, which is not logged on its way."""

    identifier: Annotated[
        str,
        Field(
            min_length=3,
            max_length=MAXIMUM_TEXT_LENGTH,
            description="`type:value`, or `<system>:<external id>`",
            examples=["passport:533380006"],
        ),
    ]


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class MatchedOnView(_View):
    """What holds the identifier: the customer's own profile, or something of the customer's."""

    type: IdentifierType
    subject: Subject
    id: Annotated[str, Field(max_length=64)]

    @classmethod
    def of(cls, identifier_type: IdentifierType, holder: Holder) -> Self:
        """Return how a holder is shown."""
        return cls(type=identifier_type, subject=holder.subject, id=holder.source_id)


class MatchView(_View):
    """A customer who holds the identifier: enough to tell the members of a family apart. `href` has the whole."""

    id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    href: Annotated[str, Field(max_length=200)]
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    title: Title | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text
    date_of_birth: BirthDate | None = None
    loyalty_tier: ShortText | None = None
    matched_on: Annotated[list[MatchedOnView], Field(max_length=100)]

    @classmethod
    def of(cls, match: Match) -> Self:
        """Return how a match is shown."""
        customer = match.customer
        return cls(
            id=customer.id,
            href=f"{CUSTOMERS}/{customer.id}",
            version=customer.version,
            title=customer.title,
            first_name=customer.first_name,
            middle_name=customer.middle_name,
            last_name=customer.last_name,
            date_of_birth=customer.date_of_birth,
            loyalty_tier=customer.loyalty.tier if customer.loyalty else None,
            matched_on=[MatchedOnView.of(match.identifier_type, holder) for holder in match.holders],
        )


class MatchList(BaseModel):
    """A page of customers who hold an identifier."""

    items: Annotated[list[MatchView], Field(max_length=200)]
    next: NextPage
    truncated: Annotated[
        bool, Field(description=f"More than {MOST_CUSTOMERS} customers share the value, and no more are listed")
    ]
