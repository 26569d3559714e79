"""What callers see of preferences beside the preferences themselves."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.customers.views import NextPage
from functions.host.models import Time, Version
from lib.preferences.models import Agreed, PreferenceKind, Source


class StatementView(BaseModel):
    """What somebody stated about one kind of preference."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    kind: PreferenceKind
    value: Annotated[Any, Field(description="As in the preferences themselves; absent when it was withdrawn")] = None
    stated_at: Time
    recorded_at: Time
    version: Version
    source: Source
    consent: Agreed | None = None
    confirmed: bool
    withdrawn: bool
    held: Annotated[bool, Field(description="Whether it became the current statement when it was recorded")]
    actor: Annotated[str, Field(max_length=100, description="Who recorded it")]


class StatementList(BaseModel):
    """A page of statements, last stated first."""

    items: Annotated[list[StatementView], Field(max_length=200)]
    next: NextPage


EXAMPLE: dict[str, Any] = {
    "seat": {"position": "window", "zone": "front"},
    "meal": {"code": "VGML"},
    "drink": "tomato juice",
    "language": "en-GB",
    "accessibility": ["WCHR"],
    "consent": {"textVersion": "preferences-2026-03", "language": "en-GB"},
}
STATED_EXAMPLE: dict[str, Any] = {
    "seat": {"position": "aisle"},
    "drink": None,
    "stated": {
        "source": {"kind": "agent", "system": "contact-centre"},
        "at": "2026-05-04T09:30:00Z",
        "confirmed": True,
    },
}
