from typing import Any

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from local.host.response import ResponseError, encode_response


class TestEncodeResponse:
    @pytest.mark.parametrize(
        "made",
        [
            {"body": "x"},
            {"body": b"{}", "mimetype": "application/json"},
            {"body": "x", "status_code": 404, "headers": {"X-A": "1", "Content-Type": "text/csv"}},
            {"body": "x", "charset": "latin-1"},
        ],
    )
    def test_agrees_with_the_converter_of_the_library(self, made: dict[str, Any]) -> None:
        reference = HttpResponseConverter.encode(func.HttpResponse(**made), expected_type=None).value

        status, headers, body = encode_response(func.HttpResponse(**made))

        ours = {name.decode(): value.decode() for name, value in headers if name != b"content-length"}
        assert str(status) == reference["status_code"].value
        assert body == reference["body"].value
        assert ours == {name.lower(): datum.value for name, datum in reference["headers"].items()}

    def test_refuses_what_is_no_answer(self) -> None:
        with pytest.raises(ResponseError, match="not dict"):
            encode_response({"a": 1})

    def test_refuses_a_header_that_cannot_be_sent(self) -> None:
        with pytest.raises(ResponseError, match="no header can carry"):
            encode_response(func.HttpResponse("x", headers={"X-Name": "日本"}))
