import pytest

from lib.storage.azure import ConnectionString, IdentityConnection


class TestParse:
    def test_reads_an_account_in_azure(self) -> None:
        connection = ConnectionString.parse(
            "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=c2VjcmV0PT09;EndpointSuffix=core.example.net"
        )

        assert connection.account == "acct"
        assert connection.key == b"secret==="
        assert connection.table_service_uri == "https://acct.table.core.example.net"
        assert connection.queue_service_uri == "https://acct.queue.core.example.net"

    def test_takes_endpoints_that_are_written_out(self) -> None:
        connection = ConnectionString.parse(
            "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:7/a;QueueEndpoint=http://127.0.0.1:8/a;"
        )

        assert connection.table_service_uri == "http://127.0.0.1:7/a"
        assert connection.queue_service_uri == "http://127.0.0.1:8/a"

    @pytest.mark.parametrize(
        "text", ["", "UseDevelopmentStorage=true", "AccountName=acct", "AccountKey=c2VjcmV0", "no equals sign"]
    )
    def test_refuses_what_names_no_account_and_key(self, text: str) -> None:
        with pytest.raises(ValueError, match="AccountName and AccountKey"):
            ConnectionString.parse(text)

    def test_refuses_a_key_that_is_none_without_quoting_it(self) -> None:
        with pytest.raises(ValueError, match="base64") as refusal:
            ConnectionString.parse("AccountName=acct;AccountKey=hunter2!")

        assert "hunter2" not in str(refusal.value)

    def test_never_shows_the_key(self) -> None:
        assert "secret" not in repr(ConnectionString.parse("AccountName=acct;AccountKey=c2VjcmV0"))


class TestIdentityConnection:
    def test_sends_tokens_over_https_only(self) -> None:
        with pytest.raises(ValueError, match="https"):
            IdentityConnection(
                "http://a.table.example.net", "https://a.queue.example.net", "https://a.blob.example.net"
            )
