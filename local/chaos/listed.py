"""What the platform lists as failed, as a colleague in operations sees it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.chaos.api import Api
from local.chaos.messages import SENT_GARBAGE

_STATES: Final = ("open", "replaying", "resolved", "superseded", "dismissed")
_PATH: Final = "/api/private/v1/failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The list of failures. `garbage` names those pieces that are kept there byte for byte."""

    failures: Sequence[Mapping[str, Any]] = ()
    garbage: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    async def read(cls, api: Api) -> "Listed":
        """Return everything that is or was on the list."""
        failures = [one for state in _STATES for one in await api.pages(f"{_PATH}?limit=200&state={state}")]
        kept: set[tuple[str, str]] = set()
        for one in failures:
            if one["kind"] == "undeliverableMessage":
                details = (await api.get(f"{_PATH}/{one['id']}")).json()
                kept.add((one["queue"], base64.b64decode(details["message"]).decode("utf-8", "replace")))
        return cls(failures=failures, garbage=frozenset(kept))

    @property
    def garbage_missing(self) -> list[str]:
        """What was sent as garbage and is not listed as it was."""
        return [f"{what} on {queue}" for what, queue, body in SENT_GARBAGE if (queue, body) not in self.garbage]

    @property
    def unexplained(self) -> list[str]:
        """What is listed and is neither a rejection nor garbage that was sent."""
        sent = {(queue, body) for _, queue, body in SENT_GARBAGE}
        strange = [f"an unreadable message on {queue}" for queue, body in self.garbage if (queue, body) not in sent]
        return strange + [
            f"{one['kind']} {one['code']} of {one.get('entityId')} version {one.get('version')}: {one['text']}"
            for one in self.failures
            if one["kind"] in {"programmingError", "exhausted"}
        ]
