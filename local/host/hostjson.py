"""host.json, read as the real host reads it: same defaults, same ranges, same refusals."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from local.host.errors import HostError
from local.host.timespan import parse_timespan

_DEFAULT_POLLING_SECONDS = 60.0
_DEVELOPMENT_POLLING_SECONDS = 2.0
_MIN_POLLING_SECONDS = 0.1
_MAX_BATCH = 32


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues`: how queue triggers receive, retry and give up."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_seconds: float = 0.0
    max_polling_interval_seconds: float = _DEFAULT_POLLING_SECONDS
    message_encoding: Literal["base64", "none"] = "base64"


@dataclass(frozen=True)
class HostJson:
    """What host.json decides for the parts of the host that exist locally."""

    route_prefix: str = "api"
    function_timeout_seconds: float | None = 1800.0
    queues: QueueOptions = field(default_factory=QueueOptions)


def read_host_json(path: Path, *, development: bool, processors: int) -> HostJson:
    """Return the file's meaning. Raises HostError when the real host would refuse to start."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HostError(f"There is no {path}: this folder is not a Functions app.") from None
    except (OSError, ValueError) as error:
        raise HostError(f"{path} cannot be read: {error}.") from error
    try:
        if not isinstance(content, dict) or content.get("version") != "2.0":
            raise ValueError('it must be an object with "version": "2.0"')  # noqa: TRY301 - one place names the file
        return _host_json(cast("dict[str, Any]", content), development=development, processors=processors)
    except (TypeError, ValueError, AttributeError) as error:
        raise HostError(f"{path} is not valid: {error}") from error


def _host_json(content: dict[str, Any], *, development: bool, processors: int) -> HostJson:
    extensions: dict[str, Any] = content.get("extensions") or {}
    http: dict[str, Any] = extensions.get("http") or {}
    queues: dict[str, Any] = extensions.get("queues") or {}
    return HostJson(
        route_prefix=str(http.get("routePrefix", "api")).strip("/"),
        function_timeout_seconds=_function_timeout(content.get("functionTimeout")),
        queues=_queue_options(queues, development=development, processors=processors),
    )


def _function_timeout(text: str | None) -> float | None:
    if text is None:
        return HostJson.function_timeout_seconds
    if text in ("-1", "-00:00:01"):
        return None
    seconds = parse_timespan(text)
    if seconds < 1:
        raise ValueError("functionTimeout must be at least one second, or -1 for none.")
    return seconds


def _queue_options(content: dict[str, Any], *, development: bool, processors: int) -> QueueOptions:
    batch_size = _in_range(content, "batchSize", 16, 1, _MAX_BATCH)
    polling_seconds = parse_timespan(str(content.get("maxPollingInterval", "00:01:00")))
    if polling_seconds < _MIN_POLLING_SECONDS:
        raise ValueError("extensions.queues.maxPollingInterval must be at least 100 ms.")
    if development and polling_seconds == _DEFAULT_POLLING_SECONDS:
        polling_seconds = _DEVELOPMENT_POLLING_SECONDS
    encoding = str(content.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise ValueError("extensions.queues.messageEncoding is 'base64' or 'none'.")
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=_in_range(content, "newBatchThreshold", batch_size // 2 * processors, 0, None),
        max_dequeue_count=_in_range(content, "maxDequeueCount", 5, 1, None),
        visibility_timeout_seconds=parse_timespan(str(content.get("visibilityTimeout", "00:00:00"))),
        max_polling_interval_seconds=polling_seconds,
        message_encoding="none" if encoding == "none" else "base64",
    )


def _in_range(content: dict[str, Any], name: str, default: int, least: int, most: int | None) -> int:
    value: Any = content.get(name, default)
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        span = f"from {least} to {most}" if most is not None else f"at least {least}"
        raise ValueError(f"extensions.queues.{name} must be a whole number, {span}.")
    return value
