"""How statements are kept: one row each, in the order in which they were stated, newest first."""

import json
from collections.abc import Sequence
from typing import Any, Final

from lib.clock import rfc3339
from lib.preferences.rules import Statement
from lib.storage.documents import joined, split
from lib.storage.ports import Insert, Row

HISTORY_PREFIX: Final = "prefhistory~"
_CEILING: Final = 10**15 - 1
_VERSION_CEILING: Final = 10**12


def statement_writes(statements: Sequence[Statement], *, actor: str) -> list[Insert]:
    """Return the writes that keep statements, for the transaction of the version that they make."""
    return [Insert(_key(statement), _values(statement, actor)) for statement in statements]


def read_statement(row: Row) -> dict[str, Any]:
    """Return a statement as it is listed."""
    found: dict[str, Any] = json.loads(joined("statement", row.values))
    return found


def _key(statement: Statement) -> str:
    by = statement.provenance
    moment = _CEILING - round(by.stated_at.timestamp() * 1000)
    return f"{HISTORY_PREFIX}{moment:015d}~{_VERSION_CEILING - by.version:013d}~{statement.kind}"


def _values(statement: Statement, actor: str) -> dict[str, str]:
    by = statement.provenance
    shown: dict[str, Any] = {
        "kind": statement.kind.value,
        "statedAt": rfc3339(by.stated_at),
        "recordedAt": rfc3339(by.recorded_at),
        "version": by.version,
        "source": by.source.model_dump(mode="json", by_alias=True, exclude_none=True),
        "confirmed": by.confirmed,
        "withdrawn": by.withdrawn,
        "held": statement.held,
        "actor": actor,
        **({"consent": by.consent.model_dump(mode="json", by_alias=True, exclude_none=True)} if by.consent else {}),
        **({"value": statement.value} if statement.value is not None else {}),
    }
    return {"kind": statement.kind.value, **split("statement", json.dumps(shown, ensure_ascii=False))}
