"""Builds the platform once per process from its settings: every service with its collaborators."""

from dataclasses import dataclass
from typing import Final

from lib.changes.once import OPERATIONS_TABLE
from lib.changes.outbox import OUTBOX_TABLE
from lib.changes.owned_source import ENTITY_INDEX_TABLE
from lib.clock import SystemClock
from lib.consents.groups import GROUPS_TABLE
from lib.customers.claims import IDENTIFIERS_TABLE
from lib.customers.store import CUSTOMERS_TABLE, INDEX_TABLE
from lib.failures.store import FAILURES_TABLE
from lib.identifiers.differences import IDENTIFIER_REBUILDS_TABLE
from lib.identifiers.index import IDENTIFIER_INDEX_TABLE
from lib.ids import UlidIds
from lib.imports.files import IMPORTS_CONTAINER
from lib.imports.store import IMPORTS_TABLE
from lib.mainframe.breaker import MAINFRAME_TABLE
from lib.mainframe.client import MainframeClient
from lib.mainframe.undelivered import UNDELIVERED_TABLE
from lib.orders.flights.store import FLIGHTS_TABLE
from lib.reconciliation.drifts import RECONCILIATIONS_TABLE
from lib.replays.store import REPLAYS_TABLE
from lib.settings import Settings
from lib.wiring.operations import Operations

ALL_TABLES: Final = (
    CUSTOMERS_TABLE,
    INDEX_TABLE,
    IDENTIFIERS_TABLE,
    OUTBOX_TABLE,
    MAINFRAME_TABLE,
    UNDELIVERED_TABLE,
    OPERATIONS_TABLE,
    FAILURES_TABLE,
    REPLAYS_TABLE,
    RECONCILIATIONS_TABLE,
    ENTITY_INDEX_TABLE,
    FLIGHTS_TABLE,
    IDENTIFIER_INDEX_TABLE,
    GROUPS_TABLE,
    IMPORTS_TABLE,
    IDENTIFIER_REBUILDS_TABLE,
)
ALL_CONTAINERS: Final = (IMPORTS_CONTAINER,)


@dataclass(frozen=True)
class Platform(Operations):
    """Everything the platform does, wired to one storage and one mainframe. Parts are built when first asked for."""


def build(settings: Settings) -> Platform:
    """Return the platform of this process on its configured storage."""
    from lib.storage.azure import AzureStorage, ConnectionString, IdentityConnection

    clock = SystemClock()
    connection = (
        ConnectionString.parse(settings.data_storage)
        if settings.data_storage
        else IdentityConnection(
            table_service_uri=settings.data_table_uri,
            queue_service_uri=settings.data_queue_uri,
            blob_service_uri=settings.data_blob_uri,
            client_id=settings.data_client_id or None,
        )
    )
    link = MainframeClient(
        host=settings.mainframe_host,
        port=settings.mainframe_port,
        tls=settings.mainframe_tls,
        connect_timeout_seconds=settings.mainframe_connect_timeout_seconds,
        call_timeout_seconds=settings.mainframe_call_timeout_seconds,
    )
    return Platform(settings=settings, storage=AzureStorage(connection), link=link, clock=clock, ids=UlidIds(clock))
