"""How failures come in: rejections told by the delivery, and whatever the host poisoned, byte for byte.

A message that is one of ours and left no trace of a defect was poisoned because processes died under it: it is woken
again, each time later, and not listed. Only one under which processes go on dying for minutes is taken for their cause.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from lib.clock import Clock, rfc3339
from lib.failures.defects import Defects
from lib.failures.models import Failure, FailureKind, FailureState
from lib.failures.store import FailureStore
from lib.mainframe.ledger import LedgerStore
from lib.mainframe.rejections import Rejection
from lib.messaging.catalogue import CONSUMERS, QueueName
from lib.messaging.envelope import UnreadableMessageError, WakeUp
from lib.storage.ports import Storage
from lib.telemetry import Trace, event_log

_EXHAUSTED: Final = "exhausted"
_REVIVALS: Final = 20
_LONGEST_REST_SECONDS: Final = 30.0
_SHOWN_BYTES: Final = 64 * 1024
_WITH_WAKE_UPS: Final = frozenset({QueueName.CHANGES, *(queue for queues in CONSUMERS.values() for queue in queues)})

_log = event_log("failures")


class Imported(StrEnum):
    """What became of a poisoned message."""

    LISTED = "listed"
    WOKEN = "woken"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Intake:
    """Imports what ended on a poison queue. The host deletes the message only after this has returned."""

    store: FailureStore
    defects: Defects
    ledgers: LedgerStore
    storage: Storage
    clock: Clock
    window_seconds: float
    rejection_queue: QueueName = field(default=QueueName.MAINFRAME_UPDATES)

    async def take(self, queue: QueueName, body: bytes) -> Imported:
        """Import one poisoned message. The same message twice is one record.

        Raises:
            StorageError: nothing is lost; the host shows the message again.
        """
        if queue is self.rejection_queue:
            rejection = _rejection(body)
            if rejection is not None:
                await self._list_rejection(rejection)
                return Imported.LISTED
        wake_up = _wake_up(body)
        if wake_up is not None:
            return await self._revive_or_list(queue, wake_up, body)
        if queue not in _WITH_WAKE_UPS:
            return await self._revive_other(queue, body)
        return await self.list_unreadable(queue, body)

    async def list_unreadable(self, queue: QueueName, body: bytes) -> Imported:
        """List a message that its function cannot read, byte for byte.

        Raises:
            StorageError: nothing is lost; the host shows the message again.
        """
        now = self.clock.now()
        digest = hashlib.sha256(body).hexdigest()
        failure = Failure(
            id=await self.store.identify(f"{queue}~body~{digest}", first_millisecond=_milliseconds(now)),
            kind=FailureKind.UNDELIVERABLE_MESSAGE,
            state=FailureState.OPEN,
            code="UnreadableMessage",
            text=f"The message on {queue} is not one that its function can read; {len(body)} bytes.",
            queue=queue.value,
            first_failed_at=now,
            last_failed_at=now,
            message=_kept(body),
        )
        await self.store.keep(failure)
        _log.warning("poison.listed", queue=queue, bytes=len(body), at=rfc3339(now))
        return Imported.LISTED

    async def _list_rejection(self, rejection: Rejection) -> None:
        identity = identity_of(rejection.subject, rejection.id, rejection.version)
        failure = Failure(
            id=await self.store.identify(identity, first_millisecond=_milliseconds(rejection.first_failed_at)),
            kind=FailureKind.EXHAUSTED if rejection.code == _EXHAUSTED else FailureKind.REJECTED,
            code=rejection.code,
            text=rejection.text,
            queue=self.rejection_queue.value,
            subject=rejection.subject,
            entity_id=rejection.id,
            owner=rejection.owner or None,
            version=rejection.version,
            first_failed_at=rejection.first_failed_at,
            last_failed_at=rejection.last_failed_at,
            attempts=rejection.attempts,
            trace_id=_trace_id(rejection.trace),
        )
        await self.store.keep(failure)

    async def _revive_or_list(self, queue: QueueName, wake_up: WakeUp, body: bytes) -> Imported:
        defect = await self.defects.of(queue, wake_up)
        if defect.name is None and defect.revivals < _REVIVALS:
            await self.defects.count_revival(queue, wake_up)
            again = wake_up.model_copy(
                update={"deadline": max(wake_up.deadline, self.clock.now() + timedelta(seconds=self.window_seconds))}
            )
            rest_seconds = min(2.0**defect.revivals, _LONGEST_REST_SECONDS)
            await self.storage.queue(queue).send(again.body(), delay_seconds=rest_seconds)
            _log.warning("poison.woken", queue=queue, subject=wake_up.subject, id=wake_up.id, version=wake_up.version)
            return Imported.WOKEN
        if defect.name is None and await self._is_done(wake_up):
            return Imported.DONE
        now = self.clock.now()
        name = defect.name or "processes died under it, over and over"
        failure = Failure(
            id=await self.store.identify(
                f"{queue}~{identity_of(wake_up.subject, wake_up.id, wake_up.version)}",
                first_millisecond=_milliseconds(now),
            ),
            kind=FailureKind.PROGRAMMING_ERROR,
            code=defect.name or "ProcessDied",
            text=f"The handler failed: {name}.",
            queue=queue.value,
            subject=wake_up.subject,
            entity_id=wake_up.id,
            owner=wake_up.owner or None,
            version=wake_up.version,
            first_failed_at=defect.first_at or now,
            last_failed_at=now,
            attempts=defect.count,
            trace_id=_trace_id(wake_up.trace),
            message=_kept(body),
        )
        await self.store.keep(failure)
        await self.defects.forget(queue, wake_up)
        return Imported.LISTED

    async def _revive_other(self, queue: QueueName, body: bytes) -> Imported:
        # What its function cannot read is listed by the function itself, so this one died with its process.
        digest = hashlib.sha256(body).hexdigest()
        defect = await self.defects.of(queue, digest)
        if defect.revivals >= _REVIVALS:
            listed = await self.list_unreadable(queue, body)
            await self.defects.forget(queue, digest)
            return listed
        await self.defects.count_revival(queue, digest)
        rest_seconds = min(2.0**defect.revivals, _LONGEST_REST_SECONDS)
        await self.storage.queue(queue).send(body.decode("utf-8", "replace"), delay_seconds=rest_seconds)
        _log.warning("poison.woken", queue=queue, bytes=len(body))
        return Imported.WOKEN

    async def _is_done(self, wake_up: WakeUp) -> bool:
        """Tell whether another message of the same subject has done meanwhile what this one asks for."""
        ledger = await self.ledgers.read(wake_up.subject, wake_up.id, partition=wake_up.partition)
        return ledger.state.announced and ledger.state.done >= wake_up.version


def identity_of(subject: str, entity_id: str, version: int) -> str:
    """Return what makes a failed delivery one and the same."""
    return f"{subject}~{entity_id}~{version}"


def _rejection(body: bytes) -> Rejection | None:
    try:
        rejection = Rejection.model_validate_json(body)
    except ValidationError:
        return None
    return rejection if rejection.kind == "rejection" else None


def _wake_up(body: bytes) -> WakeUp | None:
    try:
        return WakeUp.read(body)
    except UnreadableMessageError:
        return None


def _kept(body: bytes) -> str:
    return base64.b64encode(body[:_SHOWN_BYTES]).decode()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _trace_id(traceparent: str) -> str:
    return Trace.join(traceparent).trace_id if traceparent else ""
