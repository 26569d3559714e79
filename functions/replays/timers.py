"""A timer: the watch over the replay that runs."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("watch_replay")
@blueprint.timer_trigger(arg_name="timer", schedule="40 */5 * * * *", use_monitor=False)
async def watch_replay(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Wake a replay that stands still because its message was lost."""
    await platform().replays.watch()
