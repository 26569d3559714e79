"""What a timer remembers between two lives of the host: its last run and the next one it promised."""

import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.host.timers.schedule import Schedule

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ScheduleStatus:
    """The three times that the host keeps for a monitored timer."""

    last_at: datetime
    next_at: datetime
    updated_at: datetime

    def as_json(self) -> dict[str, str]:
        """Return it in the words the function knows."""
        return {
            "Last": self.last_at.isoformat(),
            "Next": self.next_at.isoformat(),
            "LastUpdated": self.updated_at.isoformat(),
        }


@dataclass(frozen=True)
class StatusFile:
    """One timer's status on disk, in place of the blob that Azure keeps."""

    path: Path

    def read(self) -> ScheduleStatus | None:
        """Return what was kept, or None when there is nothing or nothing readable: then the timer starts afresh."""
        try:
            content: Any = json.loads(self.path.read_text(encoding="utf-8"))
            return ScheduleStatus(
                last_at=datetime.fromisoformat(content["Last"]),
                next_at=datetime.fromisoformat(content["Next"]),
                updated_at=datetime.fromisoformat(content["LastUpdated"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, status: ScheduleStatus) -> None:
        """Keep it, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(status.as_json(), file)
        Path(temporary).replace(self.path)


def status_at_start(kept: ScheduleStatus | None, schedule: Schedule, now: datetime) -> tuple[ScheduleStatus, bool]:
    """Return the status to go on with and whether a run is past due.

    A first start promises the next run and runs nothing. After a change of the schedule nothing counts as missed.
    """
    if kept is None:
        return ScheduleStatus(last_at=NEVER, next_at=schedule.next_after(now), updated_at=now), False
    expected_at = schedule.next_after(kept.updated_at)
    if expected_at != kept.next_at:
        next_at = schedule.next_after(now) if now > expected_at else expected_at
        kept = ScheduleStatus(last_at=NEVER, next_at=next_at, updated_at=now)
    return kept, now > kept.next_at
