"""One timer trigger: runs its function when it is due, one run at a time, whatever happens to a run."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import azure.functions as func
from azure.functions import meta
from azure.functions.timer import TimerRequestConverter

from local.host.console import Console
from local.host.context import InvocationContext
from local.host.invoke import FunctionTimeoutError, Invoker
from local.host.loading import LoadedFunction
from local.host.timers.schedule import Schedule
from local.host.timers.status import ScheduleStatus, StatusFile, status_at_start

# The wall clock may be set; no sleep is longer than this before it is read again.
_LONGEST_SLEEP_SECONDS = 30.0


@dataclass
class Timer:
    """`run()` until `stop()`; a run under way is let finish. `status_file` is None when runs are not monitored."""

    function: LoadedFunction
    schedule: Schedule
    invoker: Invoker
    console: Console
    run_on_startup: bool = False
    status_file: StatusFile | None = None
    _status: ScheduleStatus | None = field(default=None, init=False, repr=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    async def run(self) -> None:
        """Run what was missed or wanted at the start, then by the schedule."""
        if self._is_past_due():
            self.console.warning(f"timer {self.function.name} is past due: it runs now")
            await self._invoke(past_due=True)
        elif self.run_on_startup:
            await self._invoke(past_due=False)
        while await self._until(self.schedule.next_after(_now())):
            await self._invoke(past_due=False)

    def stop(self) -> None:
        """Start no more runs."""
        self._stopping.set()

    def request(self, *, past_due: bool) -> func.TimerRequest:
        """Return what the function gets."""
        return timer_request(self._status, past_due=past_due)

    def _is_past_due(self) -> bool:
        if self.status_file is None:
            return False
        self._status, past_due = status_at_start(self.status_file.read(), self.schedule, _now())
        self._keep_status(self._status)
        return past_due

    async def _until(self, moment: datetime) -> bool:
        """Wait; False when stopped instead."""
        while (seconds := (moment - _now()).total_seconds()) > 0 and not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(seconds, _LONGEST_SLEEP_SECONDS))
        return not self._stopping.is_set()

    async def _invoke(self, *, past_due: bool) -> None:
        started_at = _now()
        context = InvocationContext(name=self.function.name, directory=self.function.directory)
        outcome = "done"
        try:
            await self.invoker.run(self.function, self.request(past_due=past_due), context)
        except FunctionTimeoutError:
            outcome = "timed out"  # the invoker has said it
        except Exception as error:  # noqa: BLE001 - a failed run does not stop the schedule; the log has the stack
            outcome = "failed"
            self.console.error(f"timer {self.function.name} failed ({context.invocation_id})", error)
        elapsed_seconds = (_now() - started_at).total_seconds()
        # A run that went well says nothing new every few seconds; one that failed has said so above.
        self.console.debug(f"timer {self.function.name} {outcome} {elapsed_seconds * 1000:.1f}ms")
        if self.status_file is not None:
            next_at = self.schedule.next_after(started_at)
            self._keep_status(ScheduleStatus(last_at=started_at, next_at=next_at, updated_at=started_at))

    def _keep_status(self, status: ScheduleStatus) -> None:
        self._status = status
        if self.status_file is None:
            return
        try:
            self.status_file.write(status)
        except OSError as error:
            # Without a status a missed run goes unnoticed, but the schedule itself needs no disk.
            self.console.error(f"timer {self.function.name}: its status cannot be kept: {error.strerror}")


def timer_request(status: ScheduleStatus | None, *, past_due: bool) -> func.TimerRequest:
    """Return what a timer function gets, made by the library's own converter."""
    info = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.as_json() if status else None,
        "IsPastDue": past_due,
    }
    return TimerRequestConverter.decode(meta.Datum(json.dumps(info), "json"), trigger_metadata=None)


def _now() -> datetime:
    # UTC, as on the plan this app is deployed to; there a schedule knows no other zone either.
    return datetime.now(UTC)
