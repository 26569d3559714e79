"""Field types that many views share."""

from typing import Annotated

from pydantic import Field

Time = Annotated[str, Field(max_length=30, json_schema_extra={"format": "date-time"})]
Version = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
