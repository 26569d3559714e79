"""What fits storage, checked before the wire, so that both keepers refuse the same things with the same words.

The emulator accepts much that Azure refuses (rows over 1 MiB, 260 properties, the year 1600); without these checks
such rows would first fail in production. What is wrong by its form raises ValueError: that is a defect of the caller.
What is only too large raises an error of `lib.storage.errors`: customers can cause that.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil

from lib.storage.errors import MessageTooLargeError, RowTooLargeError
from lib.storage.ports import Delete, Insert, Replace, Upsert, Value, Values, Write

KEY_UNITS = 512
PROPERTY_BYTES = 64 * 1024
ROW_BYTES = 1024 * 1024
ROW_PROPERTIES = 252
BATCH_WRITES = 100
BATCH_BYTES = 4 * 1024 * 1024
BATCH_PART_BYTES = 2 * 1024  # the address and headers around each row of a transaction, generously
PAGE_ROWS = 1000
MESSAGE_BYTES = 64 * 1024
RECEIVE_MESSAGES = 32
APPEND_BYTES = 1024 * 1024
WEEK_SECONDS = 7 * 24 * 3600

_KEY_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_NAME = re.compile(r"[^\W\d]\w{0,254}")
_NAMES_TAKEN = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_BLOB_NAME = re.compile(r"(?=.{1,1024}$)[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_XML_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_EARLIEST = datetime(1601, 1, 1, tzinfo=UTC)
_INT64_END = 2**63


def utf16_units(text: str) -> int:
    """Return the length of a text as storage counts it. Raises ValueError for a lone surrogate, which is no text."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair") from None


def is_legal_key(key: str) -> bool:
    """Say whether storage keeps rows under this key: 1 to 512 UTF-16 units, no slash, backslash, # or ?, no control."""
    try:
        check_key(key)
    except ValueError:
        return False
    return True


def check_key(key: str) -> None:
    """Raise ValueError when storage would refuse the key (or when it is empty, which is always a mistake)."""
    if not 0 < utf16_units(key) <= KEY_UNITS:
        raise ValueError(f"a key needs 1 to {KEY_UNITS} UTF-16 units")
    if _KEY_FORBIDDEN.search(key):
        raise ValueError("a key holds one of / \\ # ? or a control character")


def check_table_name(name: str) -> None:
    """Raise ValueError when no table can have this name."""
    if not _TABLE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a table")


def check_queue_name(name: str) -> None:
    """Raise ValueError when no queue can have this name."""
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a queue")


def check_container_name(name: str) -> None:
    """Raise ValueError when no container can have this name; the rule is that of queues."""
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a container")


def check_blob_name(name: str) -> None:
    """Raise ValueError for a name that would have to be escaped on its way, or that Azure refuses."""
    if not _BLOB_NAME.fullmatch(name) or name.endswith("."):
        raise ValueError("a blob's name is made of letters, digits, . _ ~ - and single slashes between them")


def check_range(start: int, length: int) -> None:
    """Raise ValueError when no such part of a blob can be asked for."""
    if start < 0 or length < 1:
        raise ValueError("a range begins at 0 or later and has a length")


def check_append(body: bytes, at: int) -> None:
    """Raise ValueError for what cannot be added at once."""
    if not 0 < len(body) <= APPEND_BYTES or at < 0:
        raise ValueError("1 byte to 1 MiB are added at once, behind 0 or more")


def check_writes(partition: str, writes: Iterable[Write]) -> None:
    """Raise ValueError for writes that no storage takes, RowTooLargeError for those that are only too large."""
    check_key(partition)
    keys: set[str] = set()
    for write in writes:
        check_key(write.key)
        if write.key in keys:
            raise ValueError("one row is written twice in one transaction")
        keys.add(write.key)
        if isinstance(write, Replace | Delete):
            _check_etag(write.etag)
        if isinstance(write, Insert | Replace | Upsert):
            _check_row(partition, write.key, write.values)
    if not keys:
        raise ValueError("there is nothing to write")
    if len(keys) > BATCH_WRITES:
        raise RowTooLargeError(f"a transaction holds at most {BATCH_WRITES} rows")


def check_batch_bytes(entities: Sequence[bytes]) -> None:
    """Raise RowTooLargeError when the rows of one transaction, as JSON, weigh more than storage takes at once."""
    if len(entities) > 1 and sum(map(len, entities)) + BATCH_PART_BYTES * len(entities) > BATCH_BYTES:
        raise RowTooLargeError("a transaction holds at most 4 MiB")


def check_page(partition: str, limit: int, from_key: str, below_key: str, where: Mapping[str, str]) -> None:
    """Raise ValueError when a page cannot be asked for."""
    check_key(partition)
    for text in (from_key, below_key, *where.values()):
        utf16_units(text)
    for name in where:
        if not _NAME.fullmatch(name) or name in _NAMES_TAKEN:
            raise ValueError(f"{name!r} cannot name a value")
    check_page_rows(limit)


def check_page_rows(limit: int) -> None:
    """Raise ValueError when no page has so many rows."""
    if not 1 <= limit <= PAGE_ROWS:
        raise ValueError(f"a page holds 1 to {PAGE_ROWS} rows")


def message_xml(body: str) -> bytes:
    """Return a message as the XML text that travels, or refuse it.

    Other letters than ASCII are written as references: the emulator reads a request piece by piece and tears characters
    that lie across two pieces. A carriage return is too, as parsers turn a bare one into a line feed.

    Raises:
        MessageTooLargeError: this text is over 64 KiB.
        ValueError: a character is none that XML knows.
    """
    if _XML_FORBIDDEN.search(body):
        raise ValueError("a message holds a character that queues cannot carry")
    text = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    content = text.encode("ascii", "xmlcharrefreplace")
    if len(content) > MESSAGE_BYTES:
        raise MessageTooLargeError("a message holds at most 64 KiB")
    return content


def check_receive(limit: int) -> None:
    """Raise ValueError when so many messages cannot be had at once."""
    if not 1 <= limit <= RECEIVE_MESSAGES:
        raise ValueError(f"1 to {RECEIVE_MESSAGES} messages at once")


def whole_seconds(seconds: float, *, least: int) -> int:
    """Return a delay or a lease in the whole seconds that queues count in, never shorter than asked for."""
    whole = ceil(seconds)
    if not least <= whole <= WEEK_SECONDS:
        raise ValueError(f"queues wait {least} s to 7 days")
    return whole


def _check_etag(etag: str) -> None:
    # "*" would mean "whatever is there": that is what Upsert says aloud.
    if not etag or etag == "*" or not etag.isascii() or not etag.isprintable():
        raise ValueError("an etag is what a read or a write returned")


def _check_row(partition: str, key: str, values: Values) -> None:
    if len(values) > ROW_PROPERTIES:
        raise RowTooLargeError(f"a row holds at most {ROW_PROPERTIES} values")
    if _row_bytes(partition, key, values) > ROW_BYTES:
        raise RowTooLargeError("a row holds at most 1 MiB")


def _row_bytes(partition: str, key: str, values: Mapping[str, Value]) -> int:
    # Storage's own sum: 4, then the keys in UTF-16, then per value 8, its name in UTF-16 and its data.
    # The timestamp, which storage adds, is a value like the others.
    total = 4 + 2 * (utf16_units(partition) + utf16_units(key)) + 8 + 2 * len("Timestamp") + 8
    for name, value in values.items():
        if not _NAME.fullmatch(name) or name in _NAMES_TAKEN:
            raise ValueError(f"{name!r} cannot name a value")
        total += 8 + 2 * utf16_units(name) + _value_bytes(name, value)
    return total


def _value_bytes(name: str, value: object) -> int:
    size = 8
    if isinstance(value, str):
        size = 2 * utf16_units(value)
    elif isinstance(value, bytes):
        size = len(value)
    elif isinstance(value, datetime):
        _check_moment(name, value)
    elif not isinstance(value, int | float):
        raise ValueError(f"{name} is of a type that rows cannot hold")  # noqa: TRY004 - one kind for what cannot be kept
    elif isinstance(value, int) and not -_INT64_END <= value < _INT64_END:
        raise ValueError(f"{name} is beyond 64 bits")
    if size > PROPERTY_BYTES:
        raise RowTooLargeError(f"{name} holds more than 64 KiB")
    return size + 4 if isinstance(value, str | bytes) else size


def _check_moment(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{name} is a time without an offset")
    if value < _EARLIEST:
        raise ValueError(f"{name} is a time before 1601")
