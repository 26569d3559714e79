"""Timers: the nightly reconciliation, and a watch over the one that runs."""

import azure.functions as func

from functions.host.serving import platform

blueprint = func.Blueprint()


@blueprint.function_name("reconcile_nightly")
@blueprint.timer_trigger(arg_name="timer", schedule="0 30 2 * * *", use_monitor=True)
async def reconcile_nightly(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Start tonight's reconciliation; while another runs, nothing is started."""
    settings = platform().settings
    await platform().reconciliations.start_nightly(
        repair=settings.reconciliation_repair, rate_per_second=settings.reconciliation_rate_per_second
    )


@blueprint.function_name("watch_reconciliation")
@blueprint.timer_trigger(arg_name="timer", schedule="20 */5 * * * *", use_monitor=False)
async def watch_reconciliation(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
    """Wake a reconciliation that stands still because its message was lost."""
    await platform().reconciliations.watch()
