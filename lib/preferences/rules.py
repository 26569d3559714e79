"""What we decide about preferences: what a patch states, and which statement holds. Pure.

The latest confirmed statement holds: a confirmed one outranks every unconfirmed one, among equals the one stated later
does, and of two stated at one moment the one recorded later. So the order of arrival decides nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from lib.clock import in_milliseconds
from lib.errors import FieldProblem, InvalidError
from lib.ids import Seal
from lib.merging import merged
from lib.preferences.models import PreferenceKind, Preferences, PreferenceValues, Provenance, Statements
from lib.preferences.patch import PreferencesPatch, Stated
from lib.validation import problems_of

# Systems' clocks differ a little; what claims to come from further ahead is a mistake.
_AHEAD: Final = timedelta(minutes=5)
# A special meal tells of faith or health, assistance tells of health: special categories of GDPR Art. 9(1).
SENSITIVE_KINDS: Final = frozenset({PreferenceKind.MEAL, PreferenceKind.ACCESSIBILITY})


class PreferencesInvalidError(InvalidError):
    """What was sent would not leave valid preferences."""

    kind = "preferences-invalid"
    title = "Not valid preferences"


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody stated about one kind; `held` says whether it became the current one when it was recorded."""

    kind: PreferenceKind
    value: Any | None
    provenance: Provenance
    held: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a patch makes of preferences: the next version, and every statement in it."""

    preferences: Preferences
    statements: Sequence[Statement]


def outranks(one: Provenance, holding: Provenance | None) -> bool:
    """Tell whether a newly recorded statement becomes the current one."""
    if holding is None:
        return True
    return (one.confirmed, one.stated_at) >= (holding.confirmed, holding.stated_at)


def stated(before: Preferences, patch: PreferencesPatch, by: Stated, *, now: datetime) -> Outcome:
    """Return what a patch makes of preferences.

    Raises:
        PreferencesInvalidError: a value would not be valid, or was stated in the future; pointers are into the result.
    """
    changes = patch.changes()
    current = before.as_json()
    provenance = Provenance(
        stated_at=_stated_at(by, now=now),
        source=by.source,
        confirmed=by.confirmed,
        recorded_at=now,
        version=before.version + 1,
        consent=patch.consent,
    )
    wanted = _checked({name: merged(current.get(name), value) for name, value in changes.items() if value is not None})
    statements = [
        _statement(kind, wanted.get(kind.value), provenance, before) for kind in PreferenceKind if kind.value in changes
    ]
    values, behind = dict(current), before.statements.model_copy()
    for statement in (found for found in statements if found.held):
        values.pop(statement.kind.value, None)
        if statement.value is not None:
            values[statement.kind.value] = statement.value
        behind = behind.model_copy(update={statement.kind.value: statement.provenance})
    return Outcome(_next(before, values, behind, now=now), statements)


def changed_fields(before: Preferences, outcome: Outcome, *, seal: Seal) -> list[dict[str, Any]]:
    """Return what the change log says: values that changed, and statements that did not become current."""
    old = before.as_json()
    return [_change(statement, old, seal) for statement in outcome.statements]


def _change(statement: Statement, old: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    name = statement.kind.value
    if statement.held:
        return {
            "field": f"/{name}",
            "old": _veiled(statement.kind, old.get(name), seal),
            "new": _veiled(statement.kind, statement.value, seal),
        }
    return {"field": f"/statements/{name}", "old": None, "new": _veiled(statement.kind, statement.value, seal)}


def _veiled(kind: PreferenceKind, value: Any, seal: Seal) -> Any:
    if value is None or kind not in SENSITIVE_KINDS:
        return value
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"hmac-sha256:{seal.digest(canonical).hex()}"


def _stated_at(by: Stated, *, now: datetime) -> datetime:
    if by.at is None:
        return now
    if by.at > now + _AHEAD:
        raise PreferencesInvalidError(
            "It was stated in the future.", [FieldProblem("/stated/at", "must not be in the future")]
        )
    return min(in_milliseconds(by.at), now)


def _checked(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return PreferenceValues.model_validate(wanted).as_json()
    except ValidationError as error:
        raise PreferencesInvalidError("The patch would not leave valid preferences.", problems_of(error)) from None


def _statement(kind: PreferenceKind, value: Any | None, by: Provenance, before: Preferences) -> Statement:
    provenance = by if value is not None else by.model_copy(update={"withdrawn": True})
    return Statement(kind, value, provenance, outranks(provenance, before.statements.of(kind)))


def _next(before: Preferences, values: Mapping[str, Any], behind: Statements, *, now: datetime) -> Preferences:
    kept = PreferenceValues.model_validate(values)
    given = {kind.value: getattr(kept, kind.value) for kind in PreferenceKind}
    return Preferences.model_construct(
        **given, customer_id=before.customer_id, version=before.version + 1, updated_at=now, statements=behind
    )
