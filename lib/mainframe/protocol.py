"""What is said over the wire: requests and replies as our copybooks lay them out, checked on the way in.

Both sides are here, the asking one for the client and the answering one for stand-ins, because a protocol is one idea.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any, TypeAlias

from lib.mainframe.errors import GarbledReplyError, RecordError
from lib.mainframe.layout import Layout
from lib.mainframe.layouts import BROWSE_REPLY, BROWSE_REQUEST, INQUIRY_REPLY, REPLY_HEADER, REQUEST_HEADER

PROTOCOL_VERSION = 1
MAX_BROWSE_KEYS = 50
MAX_TRACE_LENGTH = 55


class ReturnCode(IntEnum):
    """What became of a request."""

    APPLIED = 0
    ALREADY_HELD = 4
    REJECTED = 8
    BUSY = 12
    ABENDED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """UPD: hold this state, unless this version or a later one is held already."""

    subject: str
    key: str
    version: int
    trace: str = ""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """INQ: which version of this subject is held?"""

    subject: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Browse:
    """BRW: which keys stand after this one, and with which versions?"""

    subject: str
    after: str
    limit: int


Request: TypeAlias = UpdateRequest | Inquiry | Browse
_TRANSACTIONS: dict[type, str] = {UpdateRequest: "UPD", Inquiry: "INQ", Browse: "BRW"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a request; `held_version` is what the mainframe holds now, 0 for nothing."""

    code: ReturnCode
    reason_code: str = ""
    reason_text: str = ""
    held_version: int = 0
    body: bytes = b""


def transaction_of(request: Request) -> str:
    """Return the transaction code that a request runs under."""
    return _TRANSACTIONS[type(request)]


def key_of(request: Request) -> str:
    """Return the key that a request carries in its header, which its reply repeats."""
    return request.after if isinstance(request, Browse) else request.key


def collation_key(key: str) -> bytes:
    """Return what puts keys into the mainframe's order: EBCDIC bytes, letters before digits."""
    return key.encode("cp037")


def encode_request(request: Request) -> bytes:
    """Return a request as header and body. Raises RecordError for a key or subject that does not fit."""
    version, trace, body = 0, "", b""
    if isinstance(request, UpdateRequest):
        version, body = request.version, request.body
        trace = request.trace if _fits_trace(request.trace) else ""
    elif isinstance(request, Browse):
        body = BROWSE_REQUEST.encode({"AFTER-KEY": request.after, "MAX-KEYS": min(request.limit, MAX_BROWSE_KEYS)})
    header = REQUEST_HEADER.encode(
        {
            "TRANSACTION": transaction_of(request),
            "PROTOCOL-VERSION": PROTOCOL_VERSION,
            "SUBJECT": request.subject,
            "SUBJECT-KEY": key_of(request),
            "SUBJECT-VERSION": version,
            "TRACE": trace,
            "BODY-LENGTH": len(body),
        }
    )
    return header + body


def _fits_trace(trace: str) -> bool:
    """A trace that does not fit is left out: it must never stop a delivery."""
    return len(trace) <= MAX_TRACE_LENGTH and trace.isascii()


def parse_request(payload: bytes) -> Request:
    """Return the request that a payload holds. Raises RecordError for anything else."""
    header, body = _split(REQUEST_HEADER, payload)
    subject, key = header["SUBJECT"], header["SUBJECT-KEY"]
    match header["TRANSACTION"]:
        case "UPD":
            return UpdateRequest(
                subject=subject, key=key, version=header["SUBJECT-VERSION"], trace=header["TRACE"], body=body
            )
        case "INQ":
            return Inquiry(subject=subject, key=key)
        case "BRW":
            wanted = BROWSE_REQUEST.decode(body)
            return Browse(subject=subject, after=wanted["AFTER-KEY"], limit=wanted["MAX-KEYS"])
        case _:
            raise RecordError("TRANSACTION", "unknown")


def encode_reply(request: Request, reply: Reply) -> bytes:
    """Return the reply to a request as header and body."""
    header = REPLY_HEADER.encode(
        {
            "TRANSACTION": transaction_of(request),
            "PROTOCOL-VERSION": PROTOCOL_VERSION,
            "RETURN-CODE": int(reply.code),
            "REASON-CODE": reply.reason_code,
            "REASON-TEXT": reply.reason_text,
            "SUBJECT": request.subject,
            "SUBJECT-KEY": key_of(request),
            "HELD-VERSION": reply.held_version,
            "BODY-LENGTH": len(reply.body),
        }
    )
    return header + reply.body


def holding_body(version: int, applied_at: str = "") -> bytes:
    """Return the body of an answered inquiry; version 0 says that nothing is held."""
    return INQUIRY_REPLY.encode({"FOUND": "Y" if version else "N", "HELD-VERSION": version, "APPLIED-AT": applied_at})


def listing_body(entries: Sequence[tuple[str, int]]) -> bytes:
    """Return the body of an answered browse."""
    rows = [{"ENTRY-KEY": key, "ENTRY-VERSION": version} for key, version in entries]
    return BROWSE_REPLY.encode({"ENTRY-COUNT": len(rows), "ENTRY": rows})


def parse_reply(request: Request, payload: bytes) -> Reply:
    """Return the reply to this very request.

    Raises:
        GarbledReplyError: it is no reply, or one to another request, or it contradicts itself; the outcome is unknown.
    """
    try:
        header, body = _split(REPLY_HEADER, payload)
        code = ReturnCode(header["RETURN-CODE"])
    except RecordError as error:
        raise GarbledReplyError(f"the reply does not fit its copybook: {error}") from None
    except ValueError:
        raise GarbledReplyError("the reply has an unknown return code") from None
    expected = (transaction_of(request), request.subject, key_of(request))
    if (header["TRANSACTION"], header["SUBJECT"], header["SUBJECT-KEY"]) != expected:
        raise GarbledReplyError("the reply belongs to another request")
    reply = Reply(
        code=code,
        reason_code=header["REASON-CODE"],
        reason_text=header["REASON-TEXT"],
        held_version=header["HELD-VERSION"],
        body=body,
    )
    if isinstance(request, UpdateRequest) and not _plausible(request.version, reply):
        raise GarbledReplyError("the reply's return code and held version contradict each other")
    return reply


def _plausible(version: int, reply: Reply) -> bool:
    match reply.code:
        case ReturnCode.APPLIED:
            return reply.held_version == version
        case ReturnCode.ALREADY_HELD:
            return reply.held_version >= version
        case _:
            return True


def held_version(reply: Reply) -> int | None:
    """Return the version that an answered inquiry tells, or None when nothing is held."""
    values = _body(INQUIRY_REPLY, reply)
    version: int = values["HELD-VERSION"]
    if (values["FOUND"], version > 0) not in {("Y", True), ("N", False)} or version != reply.held_version:
        raise GarbledReplyError("the inquiry's answer contradicts itself")
    return version or None


def listed_keys(request: Browse, reply: Reply) -> list[tuple[str, int]]:
    """Return the keys and versions that an answered browse lists, in the mainframe's order."""
    values = _body(BROWSE_REPLY, reply)
    count: int = values["ENTRY-COUNT"]
    if count > min(request.limit, MAX_BROWSE_KEYS):
        raise GarbledReplyError("the browse's answer lists more than was asked for")
    entries = [(entry["ENTRY-KEY"], entry["ENTRY-VERSION"]) for entry in values["ENTRY"][:count]]
    order = [collation_key(request.after), *(collation_key(key) for key, _ in entries)]
    if any(key <= before for before, key in pairwise(order)):
        raise GarbledReplyError("the browse's answer is out of order")
    return entries


def _body(layout: Layout, reply: Reply) -> dict[str, Any]:
    try:
        return layout.decode(reply.body)
    except RecordError as error:
        raise GarbledReplyError(f"the reply's body does not fit its copybook: {error}") from None


def _split(layout: Layout, payload: bytes) -> tuple[dict[str, Any], bytes]:
    header = layout.decode(payload[: layout.length])
    body = payload[layout.length :]
    if header["PROTOCOL-VERSION"] != PROTOCOL_VERSION:
        raise RecordError("PROTOCOL-VERSION", f"not {PROTOCOL_VERSION}")
    if header["BODY-LENGTH"] != len(body):
        raise RecordError("BODY-LENGTH", f"a body of {len(body)} bytes does not match")
    return header, body
