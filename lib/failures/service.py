"""What we do for those who watch failures: list, group, explain, dismiss, restore, and note what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.changes.subjects import SubjectSource
from lib.clock import Clock
from lib.errors import ConflictError, NotFoundError, UnavailableError
from lib.failures.intake import identity_of
from lib.failures.models import Failure, FailureAction, FailureFilter, FailureGroup, FailureState
from lib.failures.store import FAILURE_PREFIX, FailureStore, KeptFailure
from lib.ids import is_id
from lib.mainframe.ledger import LedgerStore
from lib.mainframe.rejections import Resolution
from lib.messaging.catalogue import Subject
from lib.paging import Cursors, Page
from lib.telemetry import event_log

_SCAN_PAGE: Final = 500
_SCAN_PAGES: Final = 4
_GROUP_PAGES: Final = 40
_TRIES: Final = 6

_log = event_log("failures")


class FailureNotFoundError(NotFoundError):
    """There is no failure with this id."""

    kind = "failure-not-found"
    title = "No such failure"

    def __init__(self) -> None:
        super().__init__("There is no failure with this id.")


class FailureMoveError(ConflictError):
    """The failure is in a state from which this cannot be done."""

    kind = "failure-state"
    title = "Not possible in this state"


@dataclass(frozen=True, slots=True)
class FailureDetails:
    """A failure and what was done about it."""

    failure: Failure
    actions: Sequence[FailureAction]


@dataclass(frozen=True, slots=True)
class FailureGroups:
    """Failures by cause. `complete` is False when there were more than are counted here."""

    groups: Sequence[FailureGroup]
    complete: bool


@dataclass(frozen=True, slots=True)
class FailureService:
    """The operations on failures."""

    store: FailureStore
    sources: dict[Subject, SubjectSource]
    ledgers: LedgerStore
    clock: Clock
    cursors: Cursors

    async def list_page(self, *, wanted: FailureFilter, limit: int, cursor: str | None) -> Page[Failure]:
        """Return failures that are meant, newest first. A page may be short, with more to come.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        listing = f"failures:{wanted.model_dump_json()}"
        resume = self.cursors.take(cursor, listing=listing) if cursor else None
        found: list[Failure] = []
        for _ in range(_SCAN_PAGES):
            rows, resume = await self.store.page(limit=limit - len(found), resume=resume)
            found += [failure for failure in rows if wanted.meets(failure)]
            if resume is None or len(found) >= limit:
                break
        return Page(found, self.cursors.give(resume, listing=listing) if resume else None)

    async def groups(self, *, wanted: FailureFilter) -> FailureGroups:
        """Return failures that are meant by their cause, the largest group first."""
        groups: dict[tuple[str, str, str], FailureGroup] = {}
        resume: str | None = None
        for _ in range(_GROUP_PAGES):
            rows, resume = await self.store.page(limit=_SCAN_PAGE, resume=resume)
            for failure in rows:
                if wanted.meets(failure):
                    key = (failure.kind, failure.code, failure.queue)
                    groups[key] = _counted(groups.get(key), failure)
            if resume is None:
                break
        return FailureGroups(sorted(groups.values(), key=lambda group: -group.count), complete=resume is None)

    async def read(self, *, failure_id: str) -> FailureDetails:
        """Return a failure and what was done about it.

        Raises:
            FailureNotFoundError: there is none.
        """
        kept = await self._kept(failure_id)
        return FailureDetails(kept.failure, await self.store.actions(failure_id))

    async def dismiss(self, *, failure_id: str, reason: str, actor: str) -> Failure:
        """Take a failure off the list of what is open; twice is once.

        Raises:
            FailureNotFoundError: there is none.
            FailureMoveError: it is being replayed, or it was delivered.
        """
        return await self._move(failure_id, FailureState.DISMISSED, action="dismissed", reason=reason, actor=actor)

    async def restore(self, *, failure_id: str, reason: str, actor: str) -> Failure:
        """Put a dismissed failure back on the list of what is open; twice is once.

        Raises:
            FailureNotFoundError: there is none.
            FailureMoveError: it is not dismissed.
        """
        return await self._move(failure_id, FailureState.OPEN, action="restored", reason=reason, actor=actor)

    async def note_outcome(self, resolution: Resolution) -> None:
        """Mark what a delivery settled: the delivered version as resolved, older ones as superseded."""
        for version in await self._failed_versions(resolution):
            kept = await self.store.find(identity_of(resolution.subject, resolution.id, version))
            if kept is None:
                continue  # its rejection was never told; the newer version is there, so nothing is open
            state = FailureState.RESOLVED if version == resolution.version else FailureState.SUPERSEDED
            await self.settle(kept, state)

    async def settle(self, kept: KeptFailure, state: FailureState) -> None:
        """Mark a failure as delivered or superseded, whatever else happened to it."""
        current: KeptFailure | None = kept
        for _ in range(_TRIES):
            if current is None or current.failure.state is state:
                return
            after = current.failure.model_copy(update={"state": state, "replay_id": None})
            if await self.store.swap(current, after):
                _log.info("failure.settled", failure=after.id, state=state)
                return
            current = await self.store.get(kept.failure.id)
        raise UnavailableError("The failure could not be marked now.")

    async def _failed_versions(self, resolution: Resolution) -> list[int]:
        return await self.ledgers.failed_versions(
            resolution.subject, resolution.id, partition=resolution.partition, up_to=resolution.version
        )

    async def _move(self, failure_id: str, state: FailureState, *, action: str, reason: str, actor: str) -> Failure:
        for _ in range(_TRIES):
            kept = await self._kept(failure_id)
            failure = kept.failure
            if failure.state is state:
                return failure
            if not failure.may_become(state) or (action == "restored" and failure.state is not FailureState.DISMISSED):
                raise FailureMoveError(f"The failure is {failure.state}; it cannot be {action}.")
            dismissed = state is FailureState.DISMISSED
            after = failure.model_copy(
                update={
                    "state": state,
                    "dismissed_reason": reason if dismissed else None,
                    "dismissed_by": actor if dismissed else None,
                }
            )
            record = FailureAction(at=self.clock.now(), actor=actor, action=action, reason=reason)
            if await self.store.swap(kept, after, record):
                return after
        raise UnavailableError("The failure could not be changed now.")

    async def _kept(self, failure_id: str) -> KeptFailure:
        kept = await self.store.get(failure_id) if is_id(failure_id, prefix=FAILURE_PREFIX) else None
        if kept is None:
            raise FailureNotFoundError
        return kept


def _counted(group: FailureGroup | None, failure: Failure) -> FailureGroup:
    if group is None:
        return FailureGroup(
            kind=failure.kind,
            code=failure.code,
            queue=failure.queue,
            count=1,
            first_seen=failure.first_failed_at,
            last_seen=failure.last_failed_at,
            sample=failure,
        )
    return group.model_copy(
        update={
            "count": group.count + 1,
            "first_seen": min(group.first_seen, failure.first_failed_at),
            "last_seen": max(group.last_seen, failure.last_failed_at),
        }
    )
