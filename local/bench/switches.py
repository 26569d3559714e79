"""Switches functions of a running copy off and on, by what sets them off."""

from typing import Literal, TypeAlias

import azure.functions as func

Trigger: TypeAlias = Literal["queueTrigger", "timerTrigger"]


def switched(*triggers: Trigger, on: bool) -> dict[str, str]:
    """Return the environment that switches all functions with these triggers off, or on again."""
    from functions.assembly import assemble  # takes half a second

    state = "false" if on else "true"
    return {
        f"AzureWebJobs.{function.get_function_name()}.Disabled": state
        for function in assemble().get_functions()
        if _trigger_of(function) in triggers
    }


def _trigger_of(function: func.Function) -> str:
    trigger = function.get_trigger()
    return "" if trigger is None else str(trigger.get_dict_repr()["type"])
