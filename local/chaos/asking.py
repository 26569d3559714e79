"""Asking for a write as a careful client does: with a key again until it is known what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Final, TypeAlias

from local.chaos.api import DEFECT_KIND, Reply
from local.chaos.history import History, Kind, Outcome, Write

Ask: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[Reply]]
"""Sends one and the same write with a body."""
Made: TypeAlias = Callable[[Mapping[str, Any]], tuple[str, int | None]]
"""Tells from an answer which entity was written, and as which version when it says so."""

_KEYED_SHARE: Final = 0.6
_SETTLE_TRIES: Final = 6
_SETTLE_PAUSE_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class _Answered:
    write: Write
    body: Mapping[str, Any]
    other: Mapping[str, Any]
    ask: Ask


@dataclass
class Asking:
    """Asks for writes and records each."""

    history: History
    random: Random
    _answered: list[_Answered] = field(default_factory=list[_Answered])

    def write(self, kind: Kind, **more: Any) -> Write:
        """Return a write that is about to be asked, with a mark of its own and mostly with a key."""
        mark = f"m{len(self.history.writes) + 1}"
        key = f"key-{mark}" if self.random.random() < _KEYED_SHARE else None
        return self.history.add(Write(mark=mark, kind=kind, key=key, **more))

    async def ask(
        self,
        write: Write,
        body: Mapping[str, Any],
        other: Mapping[str, Any],
        ask: Ask,
        *,
        made: Made = lambda shown: (str(shown["id"]), int(shown["version"])),
    ) -> bool:
        """Ask, and with a key ask again until it is known what became of it; return whether it was answered well.

        `other` is a body that must not pass with the same key.
        """
        for round_number in range(_SETTLE_TRIES):
            reply = await ask(body)
            write.statuses.append(reply.short)
            self.history.counts[f"answered {reply.short}"] += 1
            self.history.counts["defects met"] += DEFECT_KIND in reply.text
            if reply.outcome is Outcome.OK:
                write.outcome, write.answer = Outcome.OK, reply.text
                write.entity_id, write.version = made(reply.json())
                if len(write.statuses) > 1:
                    self.history.counts["settled by asking again"] += 1
                if write.key is not None:
                    self._answered.append(_Answered(write, body, other, ask))
                return True
            # A later refusal says nothing about an earlier try whose answer was lost, but that the key was not used.
            refused = reply.outcome is Outcome.FAILED and reply.status == HTTPStatus.PRECONDITION_FAILED
            if reply.outcome is Outcome.FAILED and (round_number == 0 or (write.key is not None and refused)):
                write.outcome = Outcome.FAILED
                return False
            if write.key is None:
                return False
            await asyncio.sleep(_SETTLE_PAUSE_SECONDS)
        return False

    async def repeat(self) -> None:
        """Ask an answered request again, with the same body and with another one (I13)."""
        if not self._answered:
            return
        answered = self.random.choice(self._answered)
        mark = answered.write.mark
        same = await answered.ask(answered.body)
        if same.outcome is Outcome.OK:
            self.history.counts["repeats answered"] += 1
            if same.text != answered.write.answer or same.headers.get("idempotency-replayed") != "true":
                self.history.breaches.append(f"I13 {mark}: a repeat was answered otherwise")
        other = await answered.ask(answered.other)
        if other.outcome is Outcome.OK:
            self.history.breaches.append(f"I13 {mark}: its key was taken with another body")
        elif other.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            self.history.counts["other bodies refused"] += 1
