import asyncio

import pytest

from local.bench.load import Counting, http_request, load


class Echo(asyncio.Protocol):
    """Keeps what it is asked, and answers it all the same."""

    asked: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.asked.append(data)
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


class TestLoad:
    async def test_counts_for_each_connection_on_its_own(self) -> None:
        protocol = type("Recording", (Echo,), {"asked": []})
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        templates = [http_request("GET", f"/{name}", headers={"if-match": '"%(n)d"'}) for name in "ab"]

        async with server:
            result = await load(server.sockets[0].getsockname()[1], Counting(templates), connections=2, seconds=0.05)

        for name in (b"/a", b"/b"):
            numbers = [int(one.split(b'"')[1]) for one in protocol.asked if name in one]
            assert numbers == list(range(1, len(numbers) + 1))
            assert numbers
        assert result.statuses == {"200": len(protocol.asked)}

    async def test_wants_a_request_for_every_connection(self) -> None:
        with pytest.raises(ValueError, match="of its own"):
            await load(1, Counting([b"one"]), connections=2, seconds=0.05)
