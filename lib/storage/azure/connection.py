"""Where storage is and as whom we come: with an account key on one machine, with a managed identity in Azure."""

from base64 import b64decode
from dataclasses import dataclass, field
from typing import Self, TypeAlias
from urllib.parse import urlsplit

_TABLE = "table"
_QUEUE = "queue"
_BLOB = "blob"


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """An account and its key, as one text. `UseDevelopmentStorage=true` is refused: it says no ports."""

    account: str
    key: bytes = field(repr=False)
    table_service_uri: str
    queue_service_uri: str
    blob_service_uri: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a connection string says. Raises ValueError, without quoting it, when something is missing."""
        parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
        if "AccountName" not in parts or "AccountKey" not in parts:
            raise ValueError("a storage connection string needs AccountName and AccountKey, written out")
        return cls(
            account=parts["AccountName"],
            key=b64decode(parts["AccountKey"], validate=True),
            table_service_uri=_endpoint(parts, _TABLE),
            queue_service_uri=_endpoint(parts, _QUEUE),
            blob_service_uri=_endpoint(parts, _BLOB),
        )


@dataclass(frozen=True, slots=True)
class IdentityConnection:
    """The app's managed identity, which holds roles on the account; no secret is kept anywhere.

    `client_id` names a user-assigned identity; without it the app's own (system-assigned) identity is used.
    """

    table_service_uri: str
    queue_service_uri: str
    blob_service_uri: str
    client_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse addresses over which a token would travel in the clear."""
        for uri in (self.table_service_uri, self.queue_service_uri, self.blob_service_uri):
            if urlsplit(uri).scheme != "https":
                raise ValueError("an identity's token travels over https only")


Connection: TypeAlias = ConnectionString | IdentityConnection


def _endpoint(parts: dict[str, str], service: str) -> str:
    written = parts.get(f"{service.capitalize()}Endpoint")
    if written:
        return written
    protocol = parts.get("DefaultEndpointsProtocol", "https")
    suffix = parts.get("EndpointSuffix", "core.windows.net")
    return f"{protocol}://{parts['AccountName']}.{service}.{suffix}"
