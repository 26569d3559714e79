"""What storage can answer instead of doing what it was asked, named by what the caller can do next.

No message carries a key or a value: both may be personal data. The key of a conflicting row is an attribute.
"""


class StorageError(Exception):
    """Storage did not do what it was asked."""


class RowConflictError(StorageError):
    """One row of the write was not as the writer expected; nothing was written. `key` says which row."""

    def __init__(self, message: str, *, key: str) -> None:
        """Say what happened, and to the row of which key (of several, the first in the order of the writes)."""
        super().__init__(message)
        self.key = key


class RowExistsError(RowConflictError):
    """A row with this key is already there; nothing was written."""


class RowChangedError(RowConflictError):
    """The row is no longer the one that was read, or it is gone; nothing was written."""


class RowTooLargeError(StorageError):
    """The rows do not fit storage's limits; nothing was written."""


class BlobMissingError(StorageError):
    """There is no blob of this name."""


class BlobChangedError(StorageError):
    """The blob is not as long as the writer knew it; nothing was added."""


class MessageTooLargeError(StorageError):
    """The message does not fit a queue; nothing was kept."""


class StorageUnavailableError(StorageError):
    """Storage refused or could not be reached; nothing was written, and trying again later may work."""


class OutcomeUnknownError(StorageError):
    """The request left and no clear answer came back: it may or may not have been done. Settle it by reading back."""


class StorageSetupError(StorageError):
    """A table, queue or container is missing, or we may not use it; nothing was written. Only a deployment mends it."""


class StorageRequestError(StorageError):
    """Storage did not understand the request, or we not its answer: a defect of this room, for people to look at."""
