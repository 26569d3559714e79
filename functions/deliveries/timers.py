"""Timers: the outbox sweep, and the waking of parked deliveries."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("sweep_outbox")
@blueprint.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", use_monitor=False)
async def sweep_outbox(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Send the wake-ups that were kept as rows while the queue could not be reached."""
    await platform().outbox.sweep()


@blueprint.function_name("wake_deliveries")
@blueprint.timer_trigger(arg_name="timer", schedule="*/5 * * * * *", use_monitor=False)
async def wake_deliveries(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Wake parked deliveries at a bounded rate, and retries whose message never came."""
    await platform().waker.wake()
