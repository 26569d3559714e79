"""All timer triggers of an app."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import azure.functions as func

from local.host.console import Console
from local.host.invoke import Invoker
from local.host.loading import LoadedApp, LoadedFunction
from local.host.settings import HostSettings, resolve_names
from local.host.timers.schedule import is_too_frequent_to_monitor, parse_schedule
from local.host.timers.status import StatusFile
from local.host.timers.timer import Timer, timer_request


@dataclass
class TimerListeners:
    """Starts, stops and drains a timer for every timer-triggered function."""

    app: LoadedApp
    settings: HostSettings
    invoker: Invoker
    console: Console
    _timers: list[Timer] = field(default_factory=list, init=False, repr=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, init=False, repr=False)

    def prepare(self) -> None:
        """Read every schedule; a function whose schedule means nothing leaves the app with its reason."""
        for function in [one for one in self.app.functions if one.kind == "timer" and not one.disabled]:
            try:
                self._timers.append(self._timer(function))
            except KeyError as error:
                self.app.leave_out(function.name, f"its schedule needs the setting {error}, which is missing.")
            except ValueError as error:
                self.app.leave_out(function.name, f"its schedule is not valid: {error}")

    def start(self) -> None:
        """Begin to wait for what is due."""
        self._tasks = [asyncio.create_task(timer.run(), name=f"timer {timer.function.name}") for timer in self._timers]

    async def drain(self) -> None:
        """Start no more runs and wait for those under way."""
        for timer in self._timers:
            timer.stop()
        await asyncio.gather(*self._tasks)

    def request_by_hand(self, function: LoadedFunction) -> func.TimerRequest:
        """Return what the function gets when a person runs it: its status if it has one, and never past due."""
        timer = next((one for one in self._timers if one.function is function), None)
        return timer.request(past_due=False) if timer else timer_request(None, past_due=False)

    def _timer(self, function: LoadedFunction) -> Timer:
        schedule = parse_schedule(resolve_names(str(function.trigger["schedule"])))
        too_frequent = is_too_frequent_to_monitor(schedule, datetime.now(UTC))
        monitored = function.trigger.get("useMonitor") is not False and not too_frequent
        return Timer(
            function=function,
            schedule=schedule,
            invoker=self.invoker,
            console=self.console,
            run_on_startup=bool(function.trigger.get("runOnStartup")),
            status_file=StatusFile(self.settings.data_dir / "timers" / f"{function.name}.json") if monitored else None,
        )
