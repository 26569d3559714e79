"""What callers see of customers beside the customer itself."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lib.changes.writer import Change
from lib.customers.models import Customer

NextPage = Annotated[str | None, Field(max_length=4096, description="The address of the next page; null at the end")]


class CustomerList(BaseModel):
    """A page of customers."""

    items: Annotated[list[Customer], Field(max_length=200)]
    next: NextPage


class FieldChangeView(BaseModel):
    """One changed field. Sensitive values are shown as keyed digests: equal values, equal digests."""

    field: Annotated[str, Field(max_length=200, description="JSON pointer (RFC 6901)")]
    old: Any = None
    new: Any = None


class ChangeView(BaseModel):
    """Who changed what, when, and why if a reason was given."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    at: Annotated[str, Field(max_length=30, json_schema_extra={"format": "date-time"})]
    actor: Annotated[str, Field(max_length=100)]
    operation: Annotated[str, Field(max_length=100)]
    trace_id: Annotated[str, Field(max_length=32)]
    reason: Annotated[str | None, Field(max_length=500)] = None
    fields: Annotated[list[FieldChangeView], Field(max_length=100)]

    @classmethod
    def of(cls, change: Change) -> "ChangeView":
        """Return how a change is shown."""
        return cls(
            version=change.version,
            at=change.at,
            actor=change.actor,
            operation=change.operation,
            trace_id=change.trace_id,
            reason=change.reason or None,
            fields=[FieldChangeView.model_validate(field) for field in change.fields],
        )


class ChangeList(BaseModel):
    """A page of a change log, newest first."""

    items: Annotated[list[ChangeView], Field(max_length=200)]
    next: NextPage
