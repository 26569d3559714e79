"""The timer that watches over imports."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("watch_imports")
@blueprint.timer_trigger(arg_name="timer", schedule="50 */5 * * * *", use_monitor=False)
async def watch_imports(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Wake imports that stand still because their message was lost."""
    await platform().imports.watch()
