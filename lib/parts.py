"""What every model on the wire has in common."""

from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

VARIANT: Final = ":"
"""What the tag of a union's variant begins with, so that it can be told from a field in an error's location."""


class Part(BaseModel):
    """A frozen model whose JSON is camelCase and which refuses fields that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )
