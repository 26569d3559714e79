"""Turns what Pydantic says about a body into field problems: where and why, never the rejected value."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from lib.errors import FieldProblem
from lib.parts import VARIANT

_MAXIMUM_PROBLEMS: Final = 50
_PLAIN: Final = {
    "extra_forbidden": "is not a field here",
    "missing": "is required",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "tuple_type": "must be an array",
    "list_type": "must be an array",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "dict_type": "must be an object",
}


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """Return the problems of a failed validation, at most fifty."""
    return problems_in(error.errors(include_url=False, include_context=False, include_input=False))


def problems_in(errors: Sequence[Any], *, skip: int = 0) -> tuple[FieldProblem, ...]:
    """Return the problems among Pydantic's error entries, leaving out the first parts of each location."""
    return tuple(
        FieldProblem(pointer(entry["loc"][skip:]), _PLAIN.get(entry["type"]) or _sentence(str(entry["msg"])))
        for entry in errors[:_MAXIMUM_PROBLEMS]
    )


def pointer(location: Sequence[Any]) -> str:
    """Return a location as a JSON pointer (RFC 6901). Names of variants (`lib.parts.VARIANT`) are no part of it."""
    parts = (str(part) for part in location if not str(part).startswith(VARIANT))
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")
