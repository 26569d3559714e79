"""Several writes as one request: the multipart body of an entity group transaction, and the parts of its answer."""

import re
import secrets
from collections.abc import Mapping, Sequence

from lib.storage.azure.transport import Reply, Request
from lib.storage.errors import OutcomeUnknownError

_HEAD = re.compile(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)")


def batch_request(requests: Sequence[Request], *, origin: str, root: str) -> Request:
    """Return the one request that asks for all of these, or none, of a service at `origin`."""
    # Drawn anew each time: nothing that a customer wrote into a row can look like the end of its part.
    mark = secrets.token_hex(8)
    lines: list[bytes] = [f"--batch_{mark}\r\nContent-Type: multipart/mixed; boundary=changeset_{mark}\r\n".encode()]
    for request in requests:
        lines.append(
            f"--changeset_{mark}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            f"{request.method} {origin}{root}{request.path} HTTP/1.1".encode()
        )
        lines.extend(f"{name}: {value}".encode() for name, value in request.headers.items())
        lines.extend((b"", request.body or b""))
    lines.append(f"--changeset_{mark}--\r\n--batch_{mark}--\r\n".encode())
    return Request(
        method="POST",
        path="/$batch",
        headers={
            "Content-Type": f"multipart/mixed; boundary=batch_{mark}",
            "Accept": "application/json;odata=minimalmetadata",
            "DataServiceVersion": "3.0",
            "MaxDataServiceVersion": "3.0;NetFx",
        },
        body=b"\r\n".join(lines),
    )


def batch_replies(reply: Reply, *, expected: int) -> Sequence[Reply]:
    """Return the answer to each request in order; a refused transaction has one answer, the refusal.

    Raises:
        OutcomeUnknownError: the answer is not whole.
    """
    parts = [part for part in map(_part, reply.body.split(b"\r\n--")) if part]
    refused = [part for part in parts if part.status >= 400]  # noqa: PLR2004 - where HTTP's refusals begin
    if refused:
        return refused[:1]
    if len(parts) != expected:
        raise OutcomeUnknownError("storage's answer to a transaction was not whole")
    return parts


def _part(part: bytes) -> Reply | None:
    head = _HEAD.search(part)
    if head is None:
        return None
    return Reply(status=int(head[1]), headers=_headers(head[2]), body=part[head.end() :].strip())


def _headers(lines: bytes) -> Mapping[str, str]:
    pairs = (line.split(":", 1) for line in lines.decode("latin-1").splitlines() if ":" in line)
    return {name.strip().title(): value.strip() for name, value in pairs}
