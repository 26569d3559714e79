"""The host's own settings and the app's: environment first, then local.settings.json."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import HostError

DEFAULT_PORT = 7071


@dataclass(frozen=True)
class HostSettings:
    """How this host runs; every field has an environment variable named beside it."""

    app_dir: Path
    port: int = DEFAULT_PORT  # APP_PORT
    script_file: str = "function_app.py"  # PYTHON_SCRIPT_FILE_NAME
    function_key: str = "local-key"  # LOCAL_FUNCTION_KEY
    master_key: str = "local-master-key"  # LOCAL_MASTER_KEY
    homepage_disabled: bool = False  # AzureWebJobsDisableHomepage
    body_limit_bytes: int = 104_857_600  # FUNCTIONS_REQUEST_BODY_SIZE_LIMIT
    queue_lease_seconds: int = 600  # LOCAL_QUEUE_LEASE_SECONDS; Azure's length is fixed at 10 minutes
    drain_seconds: float = 30.0  # LOCAL_DRAIN_SECONDS
    data_dir: Path = Path(".local/host")  # LOCAL_HOST_DATA
    thread_count: int | None = None  # PYTHON_THREADPOOL_THREAD_COUNT
    development: bool = True  # AZURE_FUNCTIONS_ENVIRONMENT
    processors: int = 1  # LOCAL_PROCESSORS; a consumption instance counts as one
    log: str = "info"  # LOG


def load_app_settings(app_dir: Path) -> None:
    """Put the app's settings where the app reads them, without touching what the environment already says."""
    path, sample = app_dir / "local.settings.json", app_dir / "local.settings.sample.json"
    if not path.exists():
        if not sample.exists():
            return
        shutil.copyfile(sample, path)
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        values: Any = content.get("Values") or {}
        pairs = [(str(name), _setting_text(name, value)) for name, value in values.items()]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise HostError(f"{path} cannot be read as settings: {error}.") from error
    for name, text in pairs:
        os.environ.setdefault(name, text)


def host_settings(app_dir: Path, port: int | None = None, environment: Mapping[str, str] | None = None) -> HostSettings:
    """Return the host's settings. Raises HostError when one of them makes no sense."""
    env = os.environ if environment is None else environment
    script_file = env.get("PYTHON_SCRIPT_FILE_NAME") or HostSettings.script_file
    if not script_file.endswith(".py"):
        raise HostError(f"PYTHON_SCRIPT_FILE_NAME must name a .py file, not '{script_file}'.")
    threads = _number(env, "PYTHON_THREADPOOL_THREAD_COUNT", 0)
    return HostSettings(
        app_dir=app_dir,
        port=_number(env, "APP_PORT", DEFAULT_PORT) if port is None else port,
        script_file=script_file,
        function_key=env.get("LOCAL_FUNCTION_KEY") or HostSettings.function_key,
        master_key=env.get("LOCAL_MASTER_KEY") or HostSettings.master_key,
        homepage_disabled=is_true(env.get("AzureWebJobsDisableHomepage")),
        body_limit_bytes=_number(env, "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", HostSettings.body_limit_bytes),
        queue_lease_seconds=max(1, _number(env, "LOCAL_QUEUE_LEASE_SECONDS", HostSettings.queue_lease_seconds)),
        drain_seconds=float(_number(env, "LOCAL_DRAIN_SECONDS", int(HostSettings.drain_seconds))),
        data_dir=app_dir / (env.get("LOCAL_HOST_DATA") or HostSettings.data_dir),
        thread_count=threads or None,
        development=(env.get("AZURE_FUNCTIONS_ENVIRONMENT") or "Development") == "Development",
        processors=max(1, _number(env, "LOCAL_PROCESSORS", 1)),
        log=env.get("LOG") or HostSettings.log,
    )


def is_true(text: str | None) -> bool:
    """Read a switch as Azure does: `true` in any case, or `1`."""
    return (text or "").strip().lower() in ("true", "1")


def disabled_functions(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the lower-cased names switched off by `AzureWebJobs.<name>.Disabled`."""
    env = os.environ if environment is None else environment
    prefix, suffix = "azurewebjobs.", ".disabled"
    return frozenset(
        name.lower()[len(prefix) : -len(suffix)]
        for name, value in env.items()
        if name.lower().startswith(prefix) and name.lower().endswith(suffix) and is_true(value)
    )


def connection_string(setting: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Return what a binding's `connection` stands for: the named setting, or the same behind `AzureWebJobs`."""
    env = os.environ if environment is None else environment
    name = setting or "AzureWebJobsStorage"
    return env.get(name) or env.get(f"AzureWebJobs{name}") or env.get(f"ConnectionStrings:{name}") or None


def resolve_names(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Replace every `%SETTING%` by its value. Raises KeyError with the name of one that is missing."""
    env = os.environ if environment is None else environment
    parts = text.split("%")
    if len(parts) % 2 == 0:
        raise KeyError(text)
    return "".join(env[part] if at % 2 else part for at, part in enumerate(parts))


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal():
        raise HostError(f"{name} must be a whole number, not '{text}'.")
    return int(text)


def _setting_text(name: object, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"the value of {name} must be text")
