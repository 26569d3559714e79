"""The timer that watches over a rebuild of the index of identifiers."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("watch_identifier_rebuild")
@blueprint.timer_trigger(arg_name="timer", schedule="40 */5 * * * *", use_monitor=False)
async def watch_identifier_rebuild(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Wake a rebuild that stands still because its message was lost."""
    await platform().identifier_rebuilds.watch()
