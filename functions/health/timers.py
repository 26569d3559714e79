"""The minute-by-minute observation that alerts read."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("observe_platform")
@blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", use_monitor=False)
async def observe_platform(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Log how old the oldest undelivered change is and what lies on the poison queues, for alerts."""
    await platform().health.observe()
