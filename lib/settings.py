"""Every setting the code reads, declared once: its name, its meaning, its safe absence.

`local.settings.sample.json`, the Bicep templates and the table in the README are held to this list by fleet tests.
"""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

_INSECURE_LOCAL_SECRET = "local-development-only"  # noqa: S105 - a marker that production refuses, not a secret


class SettingError(ValueError):
    """A setting is missing or cannot be read as what it should be; the message names the setting, never its value."""


def setting(name: str, meaning: str, *, default: Any = MISSING, secret: bool = False) -> Any:
    """Declare a setting: the environment name, what it decides, and what holds when it is absent."""
    return field(default=default, metadata={"name": name, "meaning": meaning, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The platform's configuration."""

    data_storage: str = setting(
        "DataStorage", "Connection string of the storage account for data (one machine)", default="", secret=True
    )
    data_table_uri: str = setting(
        "DataStorage__tableServiceUri",
        "Table endpoint of the storage account for data (Azure, by identity)",
        default="",
    )
    data_queue_uri: str = setting(
        "DataStorage__queueServiceUri",
        "Queue endpoint of the storage account for data (Azure, by identity)",
        default="",
    )
    data_blob_uri: str = setting(
        "DataStorage__blobServiceUri",
        "Blob endpoint of the storage account for data (Azure, by identity)",
        default="",
    )
    data_client_id: str = setting(
        "DataStorage__clientId", "Client id of the user-assigned identity that reads and writes data", default=""
    )
    platform_secret: str = setting(
        "PLATFORM_SECRET",
        "Key material for ids made from idempotency keys, cursors and the digests of sensitive values",
        secret=True,
    )
    gateway_key: str = setting(
        "GATEWAY_KEY",
        "When set, public operations but health demand it in the header X-Gateway-Key, which the gateway adds",
        default="",
        secret=True,
    )
    mainframe_host: str = setting("MAINFRAME_HOST", "Host name of the mainframe's listener", default="127.0.0.1")
    mainframe_port: int = setting("MAINFRAME_PORT", "TCP port of the mainframe's listener", default=7080)
    mainframe_tls: bool = setting("MAINFRAME_TLS", "Speak TLS to the mainframe", default=False)
    mainframe_connect_timeout_seconds: float = setting(
        "MAINFRAME_CONNECT_TIMEOUT_SECONDS", "How long to wait for a connection to the mainframe", default=2.0
    )
    mainframe_call_timeout_seconds: float = setting(
        "MAINFRAME_CALL_TIMEOUT_SECONDS", "How long to wait for the mainframe's answer to one call", default=10.0
    )
    wake_up_delay_seconds: float = setting(
        "WAKE_UP_DELAY_SECONDS", "How long a wake-up stays hidden, which gathers bursts of changes", default=2.0
    )
    commit_window_seconds: float = setting(
        "COMMIT_WINDOW_SECONDS",
        "How long after its promise a write may still commit; after that the relay fences it and lets go",
        default=75.0,
    )
    retry_base_seconds: float = setting(
        "DELIVERY_RETRY_BASE_SECONDS", "First back-off after a failed delivery; doubles, with full jitter", default=2.0
    )
    retry_cap_seconds: float = setting(
        "DELIVERY_RETRY_CAP_SECONDS", "Longest back-off between two attempts of a delivery", default=300.0
    )
    max_attempts: int = setting(
        "DELIVERY_MAX_ATTEMPTS",
        "Attempts without success, with the mainframe up, after which a delivery is a failure",
        default=50,
    )
    breaker_failures: int = setting(
        "BREAKER_FAILURES", "Failed calls in a row that open the circuit breaker", default=5
    )
    breaker_open_seconds: float = setting(
        "BREAKER_OPEN_SECONDS", "How long the open breaker waits before one probe is let through", default=30.0
    )
    wake_rate_per_second: float = setting(
        "WAKE_RATE_PER_SECOND",
        "How many parked deliveries are woken per second once the mainframe answers",
        default=20.0,
    )
    bulk_rate_per_second: float = setting(
        "MAINFRAME_BULK_RATE_PER_SECOND",
        "How many changes made by bulk imports go to the mainframe per second; whatever else changes goes first",
        default=20.0,
    )
    reconciliation_rate_per_second: float = setting(
        "RECONCILIATION_RATE_PER_SECOND",
        "How many questions per second the nightly reconciliation asks the mainframe; each answers for up to 50 keys",
        default=10.0,
    )
    reconciliation_repair: bool = setting(
        "RECONCILIATION_REPAIR", "Whether the nightly reconciliation wakes up what is behind or missing", default=False
    )

    overview_section_seconds: float = setting(
        "OVERVIEW_SECTION_SECONDS",
        "How long an overview waits for each of its sections, which are read side by side",
        default=0.5,
    )

    def __post_init__(self) -> None:
        if not self.data_storage and not (self.data_table_uri and self.data_queue_uri and self.data_blob_uri):
            raise SettingError(
                "Set DataStorage, or DataStorage__tableServiceUri, DataStorage__queueServiceUri and "
                "DataStorage__blobServiceUri."
            )
        if self.platform_secret == _INSECURE_LOCAL_SECRET and not self.data_storage:
            raise SettingError("PLATFORM_SECRET still has its local development value; give this environment its own.")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process, from its environment unless another mapping is given.

    Raises:
        SettingError: a setting is missing or not readable.
    """
    source = os.environ if environment is None else environment  # noqa: TID251 - the one place that reads it
    given: dict[str, Any] = {}
    for declared in fields(Settings):
        name = declared.metadata["name"]
        text = source.get(name)
        if text is None or text == "":
            if declared.default is MISSING:
                raise SettingError(f"The setting {name} is missing.")
            continue
        given[declared.name] = _read(name, text, type_name=str(declared.type))
    return Settings(**given)


def _read(name: str, text: str, *, type_name: str) -> str | int | float | bool:
    try:
        if "bool" in type_name:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if "int" in type_name:
            return int(text)
        if "float" in type_name:
            return float(text)
    except (KeyError, ValueError):
        raise SettingError(f"The setting {name} cannot be read as {type_name}.") from None
    return text
