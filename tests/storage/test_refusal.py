"""Answers that the emulator never gives, in the form in which Azure documents them."""

import json

import pytest

from lib.storage.azure.batches import batch_replies
from lib.storage.azure.outcomes import refusal
from lib.storage.azure.transport import Reply
from lib.storage.errors import (
    MessageTooLargeError,
    OutcomeUnknownError,
    RowChangedError,
    RowExistsError,
    RowTooLargeError,
    StorageRequestError,
    StorageSetupError,
    StorageUnavailableError,
)


def table_says(status: int, code: str, message: str = "Words.\nRequestId:1") -> Reply:
    error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}}
    return Reply(status, {}, json.dumps(error).encode())


def queue_says(status: int, code: str) -> Reply:
    return Reply(status, {"x-ms-error-code": code}, f"\ufeff<Error><Code>{code}</Code></Error>".encode())


class TestRefusal:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (409, "EntityAlreadyExists", RowExistsError),
            (412, "UpdateConditionNotSatisfied", RowChangedError),
            (412, "", RowChangedError),
            (404, "ResourceNotFound", RowChangedError),
            (404, "TableNotFound", StorageSetupError),
            (400, "EntityTooLarge", RowTooLargeError),
            (400, "PropertyValueTooLarge", RowTooLargeError),
            (400, "TooManyProperties", RowTooLargeError),
            (413, "RequestBodyTooLarge", RowTooLargeError),
            (413, "", RowTooLargeError),
            (403, "AuthorizationPermissionMismatch", StorageSetupError),
            (401, "InvalidAuthenticationInfo", StorageSetupError),
            (409, "TableBeingDeleted", StorageUnavailableError),
            (503, "ServerBusy", StorageUnavailableError),
            (429, "", StorageUnavailableError),
            (503, "", OutcomeUnknownError),
            (502, "", OutcomeUnknownError),
            (504, "", OutcomeUnknownError),
            (500, "OperationTimedOut", OutcomeUnknownError),
            (500, "InternalError", OutcomeUnknownError),
            (409, "SomethingNew", StorageRequestError),
            (400, "InvalidInput", StorageRequestError),
            (404, "", StorageRequestError),
        ],
    )
    def test_of_a_write_says_what_to_do_next(self, status: int, code: str, kind: type[Exception]) -> None:
        assert type(refusal(table_says(status, code), keys=["k"])) is kind

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "QueueNotFound", StorageSetupError),
            (413, "RequestBodyTooLarge", MessageTooLargeError),
            (409, "QueueBeingDeleted", StorageUnavailableError),
            (503, "ServerBusy", StorageUnavailableError),
            (500, "OperationTimedOut", OutcomeUnknownError),
        ],
    )
    def test_of_a_message_says_what_to_do_next(self, status: int, code: str, kind: type[Exception]) -> None:
        assert type(refusal(queue_says(status, code))) is kind

    @pytest.mark.parametrize(
        ("message", "key"), [("2:Words.", "c"), ("0:Words.", "a"), ("Words.", "a"), ("99:Words.", "a"), ("", "a")]
    )
    def test_names_the_row_that_the_service_counted(self, message: str, key: str) -> None:
        error = refusal(table_says(409, "EntityAlreadyExists", message), keys=["a", "b", "c"])

        assert isinstance(error, RowExistsError)
        assert error.key == key

    @pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"odata.error": 1}', b"<html>gateway</html>", b"\xff"])
    def test_makes_no_sense_of_nonsense(self, body: bytes) -> None:
        assert isinstance(refusal(Reply(400, {}, body), keys=["k"]), StorageRequestError)


class TestBatchReplies:
    @pytest.mark.parametrize("body", [b"", b"HTTP/1.1 204 No Content\r\n\r\n", b"garbage"])
    def test_an_answer_that_is_not_whole_is_an_unknown_outcome(self, body: bytes) -> None:
        with pytest.raises(OutcomeUnknownError):
            batch_replies(Reply(202, {}, body), expected=2)
