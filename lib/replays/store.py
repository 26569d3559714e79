"""How replays are kept: one partition each, so that a step, its counts and its audit entry are one transaction.

The partition `replays` lists them newest first, and its row `active` says which one runs: one at a time, so that two
can never work on the same failures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from lib.clock import parse_rfc3339, rfc3339
from lib.replays.models import AuditEntry, Replay, ReplayItem
from lib.storage.documents import joined, split
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Delete, Insert, Replace, Row, Table, Upsert, Write

REPLAYS_TABLE: Final = "replays"
REPLAY_PREFIX: Final = "rpl"
_KEY: Final = "replay"
_LIST: Final = "replays"
_ACTIVE: Final = "active"
_MOST_WRITES: Final = 100
_PAGE: Final = 500

AT_ONCE: Final = 90
"""How many items fit a step, beside the replay itself and an audit entry."""


class ReplayChangedError(Exception):
    """The replay was changed by another step; look at it again."""


@dataclass(frozen=True, slots=True)
class KeptReplay:
    """A replay with the etag it was read at."""

    replay: Replay
    row: Row

    def now(self, replay: Replay) -> "KeptReplay":
        """Return it as it will be written with the next step."""
        return KeptReplay(replay, self.row)


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item of a replay as it was read."""

    item: ReplayItem
    row: Row


@dataclass(frozen=True, slots=True)
class Turn:
    """Which replay runs, and since when."""

    replay_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ReplayStore:
    """Keeps replays, their items and their audit."""

    table: Table

    async def get(self, replay_id: str) -> KeptReplay | None:
        """Return a replay."""
        row = await self.table.get(replay_id, _KEY)
        return KeptReplay(Replay.model_validate_json(joined("document", row.values)), row) if row else None

    async def insert(self, replay: Replay, audit: AuditEntry) -> bool:
        """Keep a new replay and list it; False when it is there already."""
        # Listed first: a list entry without a replay is passed over, a replay without one would never be seen.
        await self.table.write(_LIST, Upsert(f"list~{_newest_first(replay)}", {"replayId": replay.id}))
        try:
            await self.table.write(
                replay.id, Insert(_KEY, _values(replay)), Insert(_audit_key(replay), _audit_values(audit))
            )
        except (RowExistsError, OutcomeUnknownError):
            if await self.get(replay.id) is None:
                raise
            return False
        return True

    async def step(
        self,
        kept: KeptReplay,
        after: Replay,
        *,
        items: Sequence[tuple[ReplayItem, Row | None]] = (),
        audit: AuditEntry | None = None,
    ) -> KeptReplay:
        """Write a replay over the one that was read, together with items and an audit entry.

        Raises:
            ReplayChangedError: another step came first; nothing was written.
        """
        if audit is not None:
            after = after.with_(steps=after.steps + 1)
        writes: list[Write] = [Replace(_KEY, _values(after), kept.row.etag)]
        writes += [_item_write(item, row) for item, row in items]
        if audit is not None:
            writes.append(Insert(_audit_key(after), _audit_values(audit)))
        if len(writes) > _MOST_WRITES:
            raise ValueError("too many items for one step")
        try:
            etags = await self.table.write(after.id, *writes)
        except (RowChangedError, RowExistsError, OutcomeUnknownError):
            raise ReplayChangedError from None
        return KeptReplay(after, replace(kept.row, values=_values(after), etag=etags[0]))

    async def items(self, replay_id: str, *, from_number: int, below: int) -> list[KeptItem]:
        """Return the items with these numbers, in order."""
        found: list[KeptItem] = []
        resume: str | None = None
        while True:
            page = await self.table.page(
                replay_id, from_key=_item_key(from_number), below_key=_item_key(below), limit=_PAGE, resume=resume
            )
            found += [_kept_item(row) for row in page.rows]
            resume = page.resume
            if resume is None:
                return found

    async def unsettled(self, replay_id: str, *, from_number: int, below: int) -> tuple[list[KeptItem], int]:
        """Return some items without an outcome, in order, and the number to go on from, reading no more than a page."""
        found: list[KeptItem] = []
        following = from_number
        resume: str | None = None
        while True:
            page = await self.table.page(
                replay_id, from_key=_item_key(from_number), below_key=_item_key(below), limit=_PAGE, resume=resume
            )
            for one in map(_kept_item, page.rows):
                if len(found) == AT_ONCE:
                    return found, following
                following = one.item.number + 1
                if not one.item.state.settled:
                    found.append(one)
            resume = page.resume
            if resume is None:
                return found, below
            if page.rows:
                return found, following

    async def audit(self, replay_id: str, *, limit: int = 200) -> list[AuditEntry]:
        """Return the steps of a replay, oldest first."""
        found: list[AuditEntry] = []
        resume: str | None = None
        while len(found) < limit:
            page = await self.table.page(
                replay_id, from_key="audit~", below_key="audit~\x7f", limit=limit - len(found), resume=resume
            )
            found += [AuditEntry.model_validate_json(str(row.values["document"])) for row in page.rows]
            resume = page.resume
            if resume is None:
                break
        return found

    async def listed(self, *, limit: int, resume: str | None) -> tuple[list[str], str | None]:
        """Return ids of replays, newest first."""
        page = await self.table.page(_LIST, from_key="list~", below_key="list~\x7f", limit=limit, resume=resume)
        return [str(row.values["replayId"]) for row in page.rows], page.resume

    async def turn(self) -> Turn | None:
        """Return whose turn it is, if anybody's."""
        row = await self.table.get(_LIST, _ACTIVE)
        return Turn(str(row.values["replayId"]), parse_rfc3339(str(row.values["at"]))) if row else None

    async def take_turn(self, replay_id: str, *, now: datetime) -> Turn:
        """Make this the replay that runs, if none does, and return whose turn it is then."""
        try:
            await self.table.write(_LIST, Insert(_ACTIVE, {"replayId": replay_id, "at": rfc3339(now)}))
        except (RowExistsError, OutcomeUnknownError):
            return await self.turn() or await self.take_turn(replay_id, now=now)
        return Turn(replay_id, now)

    async def end_turn(self, replay_id: str) -> None:
        """Let the next replay run; nothing when another one runs already."""
        row = await self.table.get(_LIST, _ACTIVE)
        if row is not None and row.values["replayId"] == replay_id:
            try:
                await self.table.write(_LIST, Delete(_ACTIVE, row.etag))
            except RowChangedError:
                return


def _values(replay: Replay) -> dict[str, str]:
    return split("document", replay.model_dump_json(by_alias=True))


def _item_key(number: int) -> str:
    return f"item~{number:08d}"


def _kept_item(row: Row) -> KeptItem:
    return KeptItem(ReplayItem.model_validate_json(str(row.values["document"])), row)


def _item_write(item: ReplayItem, row: Row | None) -> Write:
    values = {"state": item.state.value, "document": item.model_dump_json(by_alias=True)}
    return Insert(_item_key(item.number), values) if row is None else Replace(row.key, values, row.etag)


def _audit_key(replay: Replay) -> str:
    return f"audit~{replay.steps:06d}"


def _audit_values(audit: AuditEntry) -> dict[str, str]:
    return {"document": audit.model_dump_json(by_alias=True), "at": rfc3339(audit.at)}


def _newest_first(replay: Replay) -> str:
    return f"{10**14 - int(replay.created_at.timestamp() * 1000):015d}~{replay.id}"
