"""Azure Storage behind the ports of this room: tables and queues over their REST protocol, blobs through the SDK.

Owns: addresses, signatures, time limits, and what each answer of the service means. Never decides what a row means,
and never repeats a write. Why it speaks REST itself instead of through the SDK: docs/decisions/0001-storage-gateway.md;
why blobs do not: docs/decisions/0007-blobs-through-the-sdk.md.
"""

from lib.storage.azure.connection import Connection, ConnectionString, IdentityConnection
from lib.storage.azure.keeper import AzureStorage
from lib.storage.azure.transport import StorageTimeouts

__all__ = ["AzureStorage", "Connection", "ConnectionString", "IdentityConnection", "StorageTimeouts"]
