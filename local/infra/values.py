"""What an expression can be: as much of its value as can be known without deploying."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Alternatives: TypeAlias = tuple["Value", ...]
"""Everything an expression may turn out to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One thing that an expression may be."""

    kind: str
    """string, int, bool, null, object, array, resource, module, outputs; or any, of which nothing is known."""
    line: int = 0
    literal: str | int | bool | None = None
    """The scalar itself, where it is known."""
    members: Mapping[str, Alternatives] | None = None
    """What an object holds; None when that is not known."""
    open: bool = False
    """Whether an object holds more than `members`."""
    items: tuple[Alternatives, ...] | None = None
    """What an array holds; None when that is not known."""
    declared: str = ""
    """The symbol behind a resource, module or outputs."""


ANY: Final = Value(kind="any")


def from_json(data: Any, line: int = 0) -> Value:
    """Return a JSON document as a value."""
    if isinstance(data, dict):
        return Value(kind="object", line=line, members={str(key): (from_json(data[key], line),) for key in data})
    if isinstance(data, list):
        return Value(kind="array", line=line, items=tuple((from_json(item, line),) for item in data))
    if data is None:
        return Value(kind="null", line=line)
    kinds = {bool: "bool", str: "string", int: "int", float: "any"}
    return Value(kind=kinds[type(data)], line=line, literal=data)


def elements_of(alternatives: Alternatives) -> Alternatives:
    """Return everything that an element of these arrays may be."""
    found: list[Value] = []
    for value in alternatives:
        if value.items is None:
            return (ANY,)
        found.extend(element for item in value.items for element in item)
    return tuple(found)


def merged(parts: list[Alternatives], line: int) -> Value:
    """Return what `union` makes of objects."""
    members: dict[str, Alternatives] = {}
    unknown = False
    for part in parts:
        for value in part:
            unknown = unknown or value.members is None or value.open
            members.update(value.members or {})
    return Value(kind="object", line=line, members=members, open=unknown)


def joined(parts: list[Alternatives], line: int) -> Value:
    """Return what `concat` makes of arrays: every element that any of them may hold."""
    if any(value.items is None for part in parts for value in part):
        return Value(kind="array", line=line)
    return Value(
        kind="array", line=line, items=tuple(item for part in parts for value in part for item in value.items or ())
    )
