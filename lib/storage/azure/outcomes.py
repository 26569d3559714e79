"""What an answer of the service means to the caller: one table from its error codes to our errors."""

import json
import re
from collections.abc import Mapping, Sequence

from lib.storage.azure.transport import Reply
from lib.storage.errors import (
    MessageTooLargeError,
    OutcomeUnknownError,
    RowChangedError,
    RowExistsError,
    RowTooLargeError,
    StorageError,
    StorageRequestError,
    StorageSetupError,
    StorageUnavailableError,
)

_EXISTS = frozenset({"EntityAlreadyExists"})
_CHANGED = frozenset({"UpdateConditionNotSatisfied", "ConditionNotMet", "ResourceNotFound", "EntityNotFound"})
_TOO_LARGE = frozenset({"EntityTooLarge", "PropertyValueTooLarge", "TooManyProperties", "RequestBodyTooLarge"})
_SETUP = frozenset({"TableNotFound", "QueueNotFound", "AccountIsDisabled"})
_NOT_YET = frozenset({"ServerBusy", "TableBeingDeleted", "QueueBeingDeleted"})
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")
_FAILED_INDEX = re.compile(r"(\d{1,3}):")
_UNAUTHORIZED, _FORBIDDEN, _CHANGED_STATUS, _TOO_LARGE_STATUS, _THROTTLED, _SERVER = 401, 403, 412, 413, 429, 500


def code_of(reply: Reply) -> str:
    """Return the service's own word for what went wrong, or "" when the answer holds none."""
    code = _odata_error(reply).get("code") or reply.headers.get("x-ms-error-code")
    if code:
        return str(code)
    found = _XML_CODE.search(reply.body)
    return found[1].decode() if found else ""


def refusal(reply: Reply, *, keys: Sequence[str] = ()) -> StorageError:
    """Return the error that an answer means; `keys` are those of the rows that the request was to write, in order."""
    code, status = code_of(reply), reply.status
    if keys and (code in _EXISTS or code in _CHANGED or status == _CHANGED_STATUS):
        return _conflict(code, keys[_failed_index(reply, len(keys))])
    if code in _TOO_LARGE or status == _TOO_LARGE_STATUS:
        kind = RowTooLargeError if keys else MessageTooLargeError
        return kind(f"storage's limits on size were passed ({code or status})")
    if code in _SETUP or status in {_UNAUTHORIZED, _FORBIDDEN}:
        return StorageSetupError(f"storage is not set up for this ({code or status})")
    if code in _NOT_YET or status == _THROTTLED:
        return StorageUnavailableError(f"storage is busy ({code or status})")
    if status >= _SERVER:
        # Without the service's word that it was only busy, somebody on the way may have answered for it.
        return OutcomeUnknownError(f"storage failed ({code or status})")
    return StorageRequestError(f"storage refused the request ({status} {code})")


def _conflict(code: str, key: str) -> StorageError:
    if code in _EXISTS:
        return RowExistsError("a row with this key is already there", key=key)
    return RowChangedError("the row is not the one that was read", key=key)


def _failed_index(reply: Reply, count: int) -> int:
    # In a transaction the message begins with the number of the write that failed: "1:The specified entity ...".
    message = _odata_error(reply).get("message")
    text = message.get("value") if isinstance(message, Mapping) else None
    found = _FAILED_INDEX.match(text) if isinstance(text, str) else None
    index = int(found[1]) if found else 0
    return index if index < count else 0


def _odata_error(reply: Reply) -> Mapping[str, object]:
    if not reply.body.startswith(b"{"):
        return {}
    try:
        error = json.loads(reply.body).get("odata.error")
    except ValueError:
        return {}
    return error if isinstance(error, Mapping) else {}
