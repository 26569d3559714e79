"""Timeline entries: small rows in the customer's partition whose keys sort by when things happened, newest first.

An entry is written in the transaction of what it tells about, so the timeline is never behind and never ahead of it,
and a page is one range read however long the history is. Something that happened earlier but is told late takes its
place among what happened around it.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lib.clock import parse_rfc3339, rfc3339
from lib.storage.ports import Insert, Row, Value

TIMELINE_PREFIX: Final = "timeline~"
ITEM: Final = "item"
_CEILING: Final = 10**15 - 1
_SEQUENCES: Final = 10**12 - 1


class TimelineType(StrEnum):
    """What kind of thing an entry tells about."""

    PROFILE = "profile"
    PREFERENCE = "preference"
    CONSENT = "consent"
    INTERACTION = "interaction"
    FEEDBACK = "feedback"
    ORDER = "order"
    CASE = "case"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to a customer.

    `id` is unique among the entries of one type; `kind` says what happened in the room's own words (`call`, `placed`);
    `reference` is the id of what it is about; `summary` is a short plain sentence for people, without sensitive values,
    and `detail` the words of staff, which customers are not shown. Of several that happened in one millisecond the one
    with the higher `sequence` came later: the version that it tells of, where there is one.
    """

    id: str
    type: TimelineType
    kind: str
    happened_at: datetime
    recorded_at: datetime
    summary: str
    actor: str
    channel: str | None = None
    reference: str | None = None
    detail: str | None = None
    sequence: int = 0


def timeline_key(happened_at: datetime, entry_type: TimelineType, entry_id: str, *, sequence: int = 0) -> str:
    """Return the row key of an entry."""
    place = f"{_SEQUENCES - sequence:012d}~" if sequence else ""
    return f"{timeline_from(happened_at)}{entry_type}~{place}{entry_id}"


def timeline_from(moment: datetime) -> str:
    """Return where in the timeline a moment begins: its own entries and all older ones come after this key."""
    return f"{TIMELINE_PREFIX}{newest_first(moment)}~"


def newest_first(moment: datetime) -> str:
    """Return a moment as a part of row keys that sorts the latest first, to the millisecond."""
    return f"{_CEILING - round(moment.timestamp() * 1000):015d}"


def timeline_write(entry: TimelineEntry, *, item: str | None = None) -> Insert:
    """Return the write of an entry, for the transaction of what it tells about.

    `item` is the JSON text of what it tells about as its room's own list shows it, which then needs no other rows.
    """
    values: dict[str, Value] = {
        "type": entry.type.value,
        "kind": entry.kind,
        "entry": json.dumps(
            {
                "id": entry.id,
                "happenedAt": rfc3339(entry.happened_at),
                "recordedAt": rfc3339(entry.recorded_at),
                "summary": entry.summary,
                "actor": entry.actor,
                **({"reference": entry.reference} if entry.reference else {}),
                **({"detail": entry.detail} if entry.detail else {}),
            },
            ensure_ascii=False,
        ),
    }
    if entry.channel is not None:
        values["channel"] = entry.channel
    if item is not None:
        values[ITEM] = item
    return Insert(timeline_key(entry.happened_at, entry.type, entry.id, sequence=entry.sequence), values)


def read_entry(row: Row) -> TimelineEntry:
    """Return the entry that a row keeps."""
    kept = json.loads(str(row.values["entry"]))
    channel = row.values.get("channel")
    return TimelineEntry(
        id=kept["id"],
        type=TimelineType(str(row.values["type"])),
        kind=str(row.values["kind"]),
        happened_at=parse_rfc3339(kept["happenedAt"]),
        recorded_at=parse_rfc3339(kept["recordedAt"]),
        summary=kept["summary"],
        actor=kept["actor"],
        channel=str(channel) if channel is not None else None,
        reference=kept.get("reference"),
        detail=kept.get("detail"),
    )
