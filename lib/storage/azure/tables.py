"""Tables over the Table service's REST protocol."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lib.storage import limits
from lib.storage.azure.batches import batch_replies, batch_request
from lib.storage.azure.outcomes import code_of, refusal
from lib.storage.azure.transport import Reply, Request, Transport
from lib.storage.entities import decode, encode
from lib.storage.ports import Delete, Insert, Row, RowPage, Upsert, Write

_ACCEPT = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
}
_WRITE = {**_ACCEPT, "Content-Type": "application/json"}
_INSERT = {**_WRITE, "Prefer": "return-no-content"}
_MORE_PARTITION = "x-ms-continuation-NextPartitionKey"
_MORE_ROW = "x-ms-continuation-NextRowKey"
_OK, _NOT_FOUND, _CONFLICT, _REFUSED = 200, 404, 409, 400


class AzureTable:
    """One table."""

    def __init__(self, transport: Transport, name: str) -> None:
        """Name the table; whether it exists shows in its use."""
        self._transport = transport
        self._path = f"/{name}"

    async def get(self, partition: str, key: str) -> Row | None:
        """Return the row, or None when there is none."""
        limits.check_key(partition)
        limits.check_key(key)
        reply = await self._transport.read(Request("GET", self._row_path(partition, key), headers=_ACCEPT))
        if reply.status == _OK:
            return decode(json.loads(reply.body), etag=reply.headers["ETag"])
        if reply.status == _NOT_FOUND and code_of(reply) in {"ResourceNotFound", "EntityNotFound"}:
            return None
        raise refusal(reply)

    async def page(
        self,
        partition: str,
        *,
        from_key: str = "",
        below_key: str | None = None,
        limit: int = 200,
        resume: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> RowPage:
        """Return up to `limit` rows of the range, as many as the service gives in one answer."""
        limits.check_page(partition, limit, from_key, below_key or "", where or {})
        asked = f"PartitionKey eq {_literal(partition)}"
        if from_key:
            asked += f" and RowKey ge {_literal(from_key)}"
        if below_key is not None:
            asked += f" and RowKey lt {_literal(below_key)}"
        for name, value in (where or {}).items():
            asked += f" and {name} eq {_literal(value)}"
        return await self._rows(f"$filter={quote(asked, safe='')}&$top={limit}", resume)

    async def scan(self, *, limit: int = 200, resume: str | None = None) -> RowPage:
        """Return up to `limit` rows of all partitions, as many as the service gives in one answer."""
        limits.check_page_rows(limit)
        return await self._rows(f"$top={limit}", resume)

    async def _rows(self, query: str, resume: str | None) -> RowPage:
        query += _resume_query(resume)
        reply = await self._transport.read(Request("GET", f"{self._path}()", query=query, headers=_ACCEPT))
        if reply.status != _OK:
            raise refusal(reply)
        entities: list[dict[str, Any]] = json.loads(reply.body)["value"]
        return RowPage(
            rows=[decode(entity, etag=entity["odata.etag"]) for entity in entities],
            resume=_resume_of(reply),
        )

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        """Do all the writes, or none."""
        limits.check_writes(partition, writes)
        requests = [self._request(partition, write) for write in writes]
        if len(requests) == 1:
            reply = await self._transport.write(requests[0])
            replies: Sequence[Reply] = [reply]
        else:
            limits.check_batch_bytes([request.body or b"" for request in requests])
            reply = await self._transport.write(
                batch_request(requests, origin=self._transport.origin, root=self._transport.root)
            )
            replies = [reply] if reply.status >= _REFUSED else batch_replies(reply, expected=len(requests))
        if replies[0].status >= _REFUSED:
            raise refusal(replies[0], keys=[write.key for write in writes])
        return [part.headers.get("Etag", part.headers.get("ETag", "")) for part in replies]

    def _request(self, partition: str, write: Write) -> Request:
        if isinstance(write, Insert):
            return Request("POST", self._path, headers=_INSERT, body=encode(partition, write.key, write.values))
        path = self._row_path(partition, write.key)
        if isinstance(write, Upsert):
            return Request("PUT", path, headers=_WRITE, body=encode(partition, write.key, write.values))
        if isinstance(write, Delete):
            return Request("DELETE", path, headers={**_ACCEPT, "If-Match": write.etag})
        body = encode(partition, write.key, write.values)
        return Request("PUT", path, headers={**_WRITE, "If-Match": write.etag}, body=body)

    def _row_path(self, partition: str, key: str) -> str:
        return (
            f"{self._path}(PartitionKey={quote(_literal(partition), safe='')},RowKey={quote(_literal(key), safe='')})"
        )


async def create_table(transport: Transport, name: str) -> None:
    """Create the table, unless it is there."""
    limits.check_table_name(name)
    reply = await transport.write(
        Request("POST", "/Tables", headers=_INSERT, body=json.dumps({"TableName": name}).encode())
    )
    if reply.status >= _REFUSED and not (reply.status == _CONFLICT and code_of(reply) == "TableAlreadyExists"):
        raise refusal(reply)


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _resume_of(reply: Reply) -> str | None:
    partition = reply.headers.get(_MORE_PARTITION)
    if partition is None:
        return None
    return urlsafe_b64encode(json.dumps([partition, reply.headers.get(_MORE_ROW)]).encode()).decode()


def _resume_query(resume: str | None) -> str:
    if resume is None:
        return ""
    try:
        partition, row = json.loads(urlsafe_b64decode(resume.encode("ascii")))
        query = f"&NextPartitionKey={quote(partition, safe='')}"
        return query if row is None else f"{query}&NextRowKey={quote(row, safe='')}"
    except (ValueError, TypeError):
        raise ValueError("a resume is what a page returned") from None
