"""A stored message as the function sees it: decoded body, metadata through the library's own converter."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Literal

import azure.functions as func
from azure.functions import meta
from azure.functions.queue import QueueMessageInConverter
from azure.storage.queue import QueueMessage as StoredMessage

_NEVER = datetime.max.replace(tzinfo=UTC)


class UndecodableError(Exception):
    """The text in the queue is not what messageEncoding says it is; no retry can change that."""


def decode_body(text: str, encoding: Literal["base64", "none"]) -> str | bytes:
    """Return the body: text, or bytes when it is no UTF-8. Raises UndecodableError when it is not base64."""
    if encoding == "none":
        return text
    try:
        octets = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableError from error
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets


def trigger_message(stored: StoredMessage, encoding: Literal["base64", "none"]) -> func.QueueMessage:
    """Return what the function gets for a stored message."""
    return _message(
        body=decode_body(str(stored.content), encoding),
        message_id=str(stored.id),
        dequeue_count=stored.dequeue_count or 0,
        pop_receipt=stored.pop_receipt or "",
        inserted_at=stored.inserted_on,
        expires_at=stored.expires_on,
        next_visible_at=stored.next_visible_on,
    )


def message_by_hand(text: str) -> func.QueueMessage:
    """Return a message that never was in a queue, for a run asked for at the admin API."""
    now = datetime.now(UTC)
    return _message(
        body=text,
        message_id="by-hand",
        dequeue_count=1,
        pop_receipt="",
        inserted_at=now,
        expires_at=now + timedelta(days=7),
        next_visible_at=None,
    )


def _message(
    *,
    body: str | bytes,
    message_id: str,
    dequeue_count: int,
    pop_receipt: str,
    inserted_at: datetime | None,
    expires_at: datetime | None,
    next_visible_at: datetime | None,
) -> func.QueueMessage:
    metadata = {
        "Id": meta.Datum(message_id, "string"),
        "DequeueCount": meta.Datum(str(dequeue_count), "json"),
        "PopReceipt": meta.Datum(pop_receipt, "string"),
        "InsertionTime": _time(inserted_at),
        "ExpirationTime": _time(expires_at),
        "NextVisibleTime": _time(next_visible_at),
    }
    kind = "string" if isinstance(body, str) else "bytes"
    return QueueMessageInConverter.decode(meta.Datum(body, kind), trigger_metadata=metadata)


def _time(moment: datetime | None) -> meta.Datum:
    # The service's "never" is the last moment of year 9999, and the host says the same for a missing time.
    return meta.Datum(json.dumps((moment or _NEVER).astimezone(UTC).isoformat()), "json")
