"""Loads function_app.py exactly as the deployed worker does, and says of every function whether it can be served."""

import importlib
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias, cast

import azure.functions as func

from local.host.errors import AppImportError, FunctionLoadError, HostError

TriggerKind: TypeAlias = Literal["http", "queue", "timer"]

_TRIGGERS: dict[str, TriggerKind] = {"httptrigger": "http", "queuetrigger": "queue", "timertrigger": "timer"}


@dataclass(frozen=True)
class LoadedFunction:
    """One function of the app with the one binding that triggers it."""

    name: str
    kind: TriggerKind
    call: Callable[..., Any]
    argument: str
    trigger: dict[str, Any]
    bindings: list[dict[str, Any]]
    is_async: bool
    wants_context: bool
    returns_value: bool
    directory: str
    disabled: bool = False


@dataclass
class LoadedApp:
    """What was found: functions in the host's order, and why others are left out."""

    functions: list[LoadedFunction] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def leave_out(self, name: str, reason: str) -> None:
        """Skip one function and keep the reason; the rest of the app goes on."""
        self.errors[name] = reason
        self.functions = [one for one in self.functions if one.name != name]


def name_order(name: str) -> str:
    """Return the key of the host's order: ordinal, ignoring case. It compares capitals, so `_` comes after letters."""
    return name.upper()


def load_app(app_dir: Path, script_file: str, *, disabled: frozenset[str] = frozenset()) -> LoadedApp:
    """Import the app and return its functions. Raises HostError when the worker could not index the app at all."""
    module = _import(app_dir, script_file)
    app = _only_app(module, script_file)
    try:
        # Once and never again: a second call to get_functions() reports every name as a duplicate.
        built = cast("list[Any]", app.get_functions())
    except ValueError as error:
        raise HostError(f"The app cannot be indexed: {error}") from error
    loaded = LoadedApp()
    for one in sorted(built, key=lambda each: name_order(str(each.get_function_name()))):
        name = str(one.get_function_name())
        try:
            loaded.functions.append(_loaded(one, name, str(app_dir), is_disabled=name.lower() in disabled))
        except FunctionLoadError as error:
            loaded.errors[name] = str(error)
    return loaded


def _import(app_dir: Path, script_file: str) -> ModuleType:
    if not (app_dir / script_file).is_file():
        raise HostError(f"There is no {script_file} in {app_dir}.")
    if str(app_dir) not in sys.path:
        sys.path.insert(0, str(app_dir))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(script_file.removesuffix(".py"))
    except Exception as error:
        raise AppImportError(f"{script_file} could not be imported: {type(error).__name__}.") from error


def _only_app(module: ModuleType, script_file: str) -> Any:
    # A second name for the same object counts twice, as it does in the worker.
    found = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(found) != 1:
        raise HostError(
            f"{script_file} must hold exactly one FunctionApp at its top level; it holds {len(found) or 'none'}."
        )
    return found[0]


def _loaded(one: Any, name: str, directory: str, *, is_disabled: bool) -> LoadedFunction:
    bindings = cast("list[dict[str, Any]]", json.loads(one.get_function_json())["bindings"])
    triggers = [binding for binding in bindings if str(binding["type"]).lower().endswith("trigger")]
    if len(triggers) != 1:
        raise FunctionLoadError("it has no trigger.")
    trigger = triggers[0]
    kind = _TRIGGERS.get(str(trigger["type"]).lower())
    if kind is None:
        raise FunctionLoadError(f"the local host does not serve {trigger['type']}.")
    others = [binding for binding in bindings if binding is not trigger and binding["name"] != "$return"]
    if others:
        raise FunctionLoadError(f"the local host does not serve the binding {others[0]['type']}.")
    call = one.get_user_function()
    parameters = set(inspect.signature(call).parameters)
    argument = str(trigger["name"])
    if argument not in parameters:
        raise FunctionLoadError(f"its binding '{argument}' is no parameter of the function.")
    if unknown := sorted(parameters - {argument, "context"}):
        raise FunctionLoadError(f"its parameter '{unknown[0]}' has no binding.")
    return LoadedFunction(
        name=name,
        kind=kind,
        call=call,
        argument=argument,
        trigger=trigger,
        bindings=bindings,
        is_async=inspect.iscoroutinefunction(call),
        wants_context="context" in parameters,
        returns_value=any(binding["name"] == "$return" for binding in bindings),
        directory=directory,
        disabled=is_disabled,
    )
