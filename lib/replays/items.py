"""One failure in a replay: is it superseded, send it again, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lib.changes.subjects import SubjectSource
from lib.clock import Clock
from lib.failures.models import Failure, FailureKind, FailureState
from lib.failures.service import FailureService
from lib.failures.store import FailureStore, KeptFailure
from lib.mainframe.ledger import Ledger, LedgerStore
from lib.messaging.catalogue import QueueName, Subject
from lib.messaging.envelope import WakeUp
from lib.replays.models import ItemState, Replay, ReplayItem
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Storage

_TRIES: Final = 6


class ItemContendedError(Exception):
    """Others wrote the failure or its delivery row at every try; the host runs the slice again."""


@dataclass(frozen=True, slots=True)
class Items:
    """Works on the failures of a replay."""

    failures: FailureStore
    service: FailureService
    sources: Mapping[Subject, SubjectSource]
    ledgers: LedgerStore
    storage: Storage
    clock: Clock
    window_seconds: float

    async def standing(self, failure: Failure) -> tuple[int, bool]:
        """Return the current version of a failure's subject, and whether that supersedes the failed one."""
        subject, entity_id, version = _named(failure)
        snapshot = await self.sources[subject].snapshot(entity_id, failure.customer_id or entity_id)
        return snapshot.version, snapshot.version > version

    async def send(self, failure_id: str, replay: Replay) -> ItemState:
        """Send a failure again, unless a newer version took its place, and return what it is then.

        Doing it twice sends the same wake-up twice, which does no harm.

        Raises:
            ItemContendedError: the host shall run the slice again.
        """
        kept = await self._claimed(failure_id, replay)
        if kept is None:
            return ItemState.SUPERSEDED
        failure = kept.failure
        if failure.state is FailureState.RESOLVED:
            return ItemState.REPLAYED  # delivered since it was selected, perhaps by a slice that died afterwards
        subject, entity_id, version = _named(failure)
        snapshot_version, superseded = await self.standing(failure)
        if superseded or snapshot_version < version:
            await self.service.settle(kept, FailureState.SUPERSEDED)
            return ItemState.SUPERSEDED
        await self._reopen(failure)
        now = self.clock.now()
        wake_up = WakeUp(
            subject=subject,
            id=entity_id,
            owner=failure.owner or "",
            version=version,
            accepted_at=now,
            deadline=now + timedelta(seconds=self.window_seconds),
            waited=True,
        )
        await self.storage.queue(QueueName(failure.queue)).send(wake_up.body())
        return ItemState.SENT

    async def outcome(self, failure_id: str) -> ItemState:
        """Return what became of a failure that was sent.

        Raises:
            ItemContendedError: the host shall run the slice again.
        """
        kept = await self.failures.get(failure_id)
        if kept is None or kept.failure.state is FailureState.SUPERSEDED:
            return ItemState.SUPERSEDED
        failure = kept.failure
        if failure.state is FailureState.RESOLVED:
            return ItemState.REPLAYED
        subject, entity_id, version = _named(failure)
        ledger = await self.ledgers.read(subject, entity_id, partition=failure.customer_id or entity_id)
        if ledger.state.acknowledged == version:
            await self.service.settle(kept, FailureState.RESOLVED)
            return ItemState.REPLAYED
        if ledger.state.done <= version and (ledger.state.failed == version or _listed_again(failure)):
            await self._open_again(kept)
            return ItemState.REJECTED_AGAIN
        current, _ = await self.standing(failure)
        if max(ledger.state.done, current) > version:
            await self.service.settle(kept, FailureState.SUPERSEDED)
            return ItemState.SUPERSEDED
        return ItemState.SENT

    async def give_back(self, item: ReplayItem, replay: Replay) -> ItemState:
        """Make a failure open again that a replay held when it ended early, and return what it is then."""
        if item.state is ItemState.SENT:
            became = await self.outcome(item.failure_id)
            if became is ItemState.SENT:
                await self._open_again(await self.failures.get(item.failure_id))
            return became
        kept = await self.failures.get(item.failure_id)
        if kept is not None and kept.failure.replay_id == replay.id:
            # Claimed, and perhaps not sent: sending twice does no harm, but not sent it would be nowhere on its way.
            await self.send(item.failure_id, replay)
            await self._open_again(kept)
        return item.state

    async def _claimed(self, failure_id: str, replay: Replay) -> KeptFailure | None:
        for _ in range(_TRIES):
            kept = await self.failures.get(failure_id)
            if kept is None:
                return None
            failure = kept.failure
            if failure.replay_id == replay.id or failure.state is FailureState.RESOLVED:
                return kept
            # What another replay holds was left behind by it: only one has the turn.
            if failure.state not in {FailureState.OPEN, FailureState.REPLAYING}:
                return None  # superseded or dismissed since it was selected
            claimed = failure.model_copy(
                update={"state": FailureState.REPLAYING, "replay_id": replay.id, "replays": failure.replays + 1}
            )
            await self.failures.swap(kept, claimed)
        raise ItemContendedError

    async def _reopen(self, failure: Failure) -> None:
        subject, entity_id, version = _named(failure)
        for _ in range(_TRIES):
            partition = failure.customer_id or entity_id
            ledger: Ledger = await self.ledgers.read(subject, entity_id, partition=partition)
            if ledger.state.failed != version:
                return
            try:
                await self.ledgers.write(ledger, ledger.state.reopened())
            except (RowChangedError, RowExistsError, OutcomeUnknownError):
                continue
            return
        raise ItemContendedError

    async def _open_again(self, kept: KeptFailure | None) -> None:
        current = kept
        for _ in range(_TRIES):
            if current is None or current.failure.state is not FailureState.REPLAYING:
                return
            after = current.failure.model_copy(update={"state": FailureState.OPEN, "replay_id": None})
            if await self.failures.swap(current, after):
                return
            current = await self.failures.get(current.failure.id)
        raise ItemContendedError


def _listed_again(failure: Failure) -> bool:
    """Tell whether a message that processes failed or died under was poisoned once more."""
    return failure.kind is FailureKind.PROGRAMMING_ERROR and failure.state is FailureState.OPEN


def _named(failure: Failure) -> tuple[Subject, str, int]:
    if failure.subject is None or failure.entity_id is None or failure.version is None:
        raise ValueError("the failure names no subject")
    return failure.subject, failure.entity_id, failure.version
