"""What storage can answer instead of doing what it was asked, named by what the caller can do next."""


class StorageError(Exception):
    """Storage did not do what it was asked."""


class RowExistsError(StorageError):
    """A row with this key is already there; nothing was written."""


class RowChangedError(StorageError):
    """The row is no longer the one that was read, or it is gone; nothing was written."""


class RowTooLargeError(StorageError):
    """The rows do not fit storage's limits; nothing was written."""


class StorageUnavailableError(StorageError):
    """Storage refused or could not be reached; nothing was written, and trying again later may work."""


class OutcomeUnknownError(StorageError):
    """The request left and no answer came back: it may or may not have been done. Settle it by reading back."""
