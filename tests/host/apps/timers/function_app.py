"""Timers of every kind; each run leaves a line in the file that the test reads."""

import json
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()
seen = Path(os.environ["SEEN"])  # noqa: TID251 - where the test looks


def note(name: str, timer: func.TimerRequest, **more: float) -> None:
    entry = {
        "name": name,
        "past_due": timer.past_due,
        "schedule": timer.schedule,
        "status": timer.schedule_status,
        "at": time.time(),
        **more,
    }
    with seen.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
def each_second(timer: func.TimerRequest) -> None:
    started = time.time()
    time.sleep(1.2)
    note("each_second", timer, started=started)


@app.timer_trigger(arg_name="timer", schedule="%EVERY%")
async def each_span(timer: func.TimerRequest) -> None:
    note("each_span", timer)
    raise RuntimeError("a failure that stops nothing")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
async def each_year(timer: func.TimerRequest) -> None:
    note("each_year", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", use_monitor=False)
async def unmonitored(timer: func.TimerRequest) -> None:
    note("unmonitored", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def at_startup(timer: func.TimerRequest) -> None:
    note("at_startup", timer)


@app.timer_trigger(arg_name="timer", schedule="0 0 0 31 2 *")
async def never(timer: func.TimerRequest) -> None:
    note("never", timer)


@app.timer_trigger(arg_name="timer", schedule="61 * * * * *")
async def wrong(timer: func.TimerRequest) -> None:
    note("wrong", timer)


@app.timer_trigger(arg_name="timer", schedule="%NO_SUCH_SCHEDULE%")
async def unset(timer: func.TimerRequest) -> None:
    note("unset", timer)
