"""Queues over the Queue service's REST protocol. Bodies travel as plain text (host.json: messageEncoding none)."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

from lib.storage import limits
from lib.storage.azure.outcomes import code_of, refusal
from lib.storage.azure.transport import Reply, Request, Transport
from lib.storage.ports import Message, QueueDepth

_XML = {"Content-Type": "application/xml"}
_REFUSED = 400
# The message is gone, or somebody received it since: either way the receipt is no longer good.
_LOST_RECEIPT = frozenset({"MessageNotFound", "PopReceiptMismatch"})


class AzureQueue:
    """One queue."""

    def __init__(self, transport: Transport, name: str, *, send_seconds: float) -> None:
        """Name the queue; whether it exists shows in its use."""
        self._transport = transport
        self._path = f"/{name}"
        self._send_seconds = send_seconds

    async def send(self, body: str, *, delay_seconds: float = 0) -> None:
        """Keep a message, without expiry, that is seen after the delay."""
        delay = limits.whole_seconds(delay_seconds, least=0)
        content = b"<QueueMessage><MessageText>%b</MessageText></QueueMessage>" % limits.message_xml(body)
        request = Request(
            "POST",
            f"{self._path}/messages",
            query=f"visibilitytimeout={delay}&messagettl=-1",
            headers=_XML,
            body=content,
        )
        _accept(await self._transport.write(request, seconds=self._send_seconds))

    async def peek(self, limit: int = limits.RECEIVE_MESSAGES) -> Sequence[str]:
        """Return bodies of visible messages and leave them as they are."""
        limits.check_receive(limit)
        query = f"peekonly=true&numofmessages={limit}"
        reply = _accept(await self._transport.read(Request("GET", f"{self._path}/messages", query=query)))
        return [_text(message, "MessageText") for message in _messages(reply)]

    async def receive(self, limit: int, *, lease_seconds: float) -> Sequence[Message]:
        """Take visible messages for the lease."""
        limits.check_receive(limit)
        query = f"numofmessages={limit}&visibilitytimeout={limits.whole_seconds(lease_seconds, least=1)}"
        # A GET by name, a change by nature: it hides messages, so it is never repeated.
        reply = _accept(await self._transport.write(Request("GET", f"{self._path}/messages", query=query)))
        return [
            Message(
                message_id=_text(message, "MessageId"),
                body=_text(message, "MessageText"),
                receipt=_text(message, "PopReceipt"),
                dequeue_count=int(_text(message, "DequeueCount")),
                inserted_at=_moment(_text(message, "InsertionTime")),
                leased_until=_moment(_text(message, "TimeNextVisible")),
            )
            for message in _messages(reply)
        ]

    async def delete(self, message: Message) -> bool:
        """Remove the message, if its receipt is still good."""
        path = f"{self._path}/messages/{quote(message.message_id, safe='')}"
        reply = await self._transport.write(
            Request("DELETE", path, query=f"popreceipt={quote(message.receipt, safe='')}")
        )
        if reply.status >= _REFUSED and code_of(reply) in _LOST_RECEIPT:
            return False
        _accept(reply)
        return True

    async def depth(self) -> QueueDepth:
        """Return how many messages wait, about."""
        reply = _accept(await self._transport.read(Request("GET", self._path, comp="metadata")))
        return QueueDepth(messages=int(reply.headers["x-ms-approximate-messages-count"]))


async def create_queue(transport: Transport, name: str) -> None:
    """Create the queue, unless it is there."""
    limits.check_queue_name(name)
    reply = await transport.write(Request("PUT", f"/{name}"))
    if code_of(reply) != "QueueAlreadyExists":
        _accept(reply)


def _accept(reply: Reply) -> Reply:
    if reply.status >= _REFUSED:
        raise refusal(reply)
    return reply


def _messages(reply: Reply) -> list[ET.Element]:
    return ET.fromstring(reply.body.decode("utf-8-sig")).findall("QueueMessage")  # noqa: S314 - our own storage wrote it


def _text(message: ET.Element, name: str) -> str:
    return message.findtext(name) or ""


def _moment(text: str) -> datetime:
    return parsedate_to_datetime(text)
