"""Rows as Table Storage writes them in JSON: every Python type under one fixed Edm type, so that all come back whole.

Integers are always Edm.Int64: left to guess, storage takes Int32 and refuses the first number beyond it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import Any

from lib.storage.ports import Row, Value, Values

_SYSTEM = frozenset({"PartitionKey", "RowKey", "Timestamp"})


def encode(partition: str, key: str, values: Values) -> bytes:
    """Return the row as the JSON entity that storage takes."""
    entity: dict[str, Any] = {"PartitionKey": partition, "RowKey": key}
    for name, value in values.items():
        if isinstance(value, str | bool):
            entity[name] = value
        else:
            entity[f"{name}@odata.type"], entity[name] = _typed(value)
    # In ASCII: the emulator reads a body piece by piece and tears characters that lie across two pieces.
    return json.dumps(entity, separators=(",", ":")).encode()


def decode(entity: dict[str, Any], *, etag: str) -> Row:
    """Return the row that a JSON entity holds."""
    values: dict[str, Value] = {}
    for name, value in entity.items():
        if name in _SYSTEM or "odata." in name:
            continue
        edm = entity.get(f"{name}@odata.type")
        values[name] = value if edm is None else _DECODERS[edm](value)
    return Row(partition=entity["PartitionKey"], key=entity["RowKey"], values=values, etag=etag)


def _typed(value: float | bytes | datetime) -> tuple[str, str | float]:
    if isinstance(value, int):
        return "Edm.Int64", str(int(value))
    if isinstance(value, float):
        return "Edm.Double", value if isfinite(value) else _not_finite(value)
    if isinstance(value, datetime):
        return "Edm.DateTime", value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return "Edm.Binary", b64encode(value).decode()


def _not_finite(value: float) -> str:
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _same(value: Value) -> Value:
    return value


_DECODERS: dict[str, Callable[[Any], Value]] = {
    "Edm.Int64": int,
    "Edm.Int32": int,
    "Edm.Double": float,
    "Edm.DateTime": datetime.fromisoformat,
    "Edm.Binary": b64decode,
    "Edm.Boolean": bool,
    "Edm.String": _same,
    "Edm.Guid": _same,
}
