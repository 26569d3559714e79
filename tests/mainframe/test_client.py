import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.mainframe.client import MainframeClient
from lib.mainframe.errors import (
    GarbledReplyError,
    MainframeRefusedError,
    MainframeUnreachableError,
    NoAnswerError,
)
from lib.mainframe.frames import framed, read_frame
from lib.mainframe.protocol import (
    Browse,
    Inquiry,
    Reply,
    ReturnCode,
    UpdateRequest,
    encode_reply,
    holding_body,
    listing_body,
    parse_request,
)


@dataclass
class Peer:
    """The other side of the wire: answers every frame through `answer`, and counts."""

    answer: Callable[["Peer", bytes, asyncio.StreamWriter], Awaitable[None]]
    connections: int = 0
    frames: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while (payload := await read_frame(reader)) is not None:
                self.frames += 1
                self.arrived.set()
                await self.answer(self, payload, writer)
        except OSError:
            pass  # the client broke off, which is what the test is about
        finally:
            self.ended.set()
            writer.transport.abort()


async def apply(_: Peer, payload: bytes, writer: asyncio.StreamWriter) -> None:
    request = parse_request(payload)
    match request:
        case UpdateRequest():
            reply = Reply(code=ReturnCode.APPLIED, held_version=request.version)
        case Inquiry():
            reply = Reply(code=ReturnCode.APPLIED, held_version=5, body=holding_body(5))
        case Browse():
            reply = Reply(code=ReturnCode.APPLIED, body=listing_body([("b", 1), ("c", 2)]))
    writer.write(framed(encode_reply(request, reply)))


def answer_with(code: ReturnCode) -> Callable[[Peer, bytes, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(_: Peer, payload: bytes, writer: asyncio.StreamWriter) -> None:
        reply = Reply(code=code, reason_code="R1", reason_text="because")
        writer.write(framed(encode_reply(parse_request(payload), reply)))

    return answer


def answer_bytes(data: bytes) -> Callable[[Peer, bytes, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(_: Peer, __: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


async def stay_silent(_: Peer, __: bytes, ___: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def hang_up(_: Peer, __: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def talking_to(
    answer: Callable[[Peer, bytes, asyncio.StreamWriter], Awaitable[None]],
    server_tls: ssl.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[tuple[MainframeClient, Peer]]:
    peer = Peer(answer)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=server_tls)
    peer.port = server.sockets[0].getsockname()[1]
    async with server, MainframeClient(host="127.0.0.1", port=peer.port, **options) as client:
        yield client, peer
    for writer in peer.writers:
        writer.transport.abort()
    await asyncio.sleep(0)


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 with its key, and return where."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mainframe")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mainframe.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem) + secret)
    return path


async def update(client: MainframeClient, version: int = 7) -> Reply:
    return await client.update(subject="CUSTOMER", key="cus_1", version=version, trace="", body=b"state")


class TestUpdate:
    @pytest.mark.parametrize("code", [ReturnCode.REJECTED, ReturnCode.BUSY, ReturnCode.ABENDED])
    async def test_returns_every_answer_as_it_came(self, code: ReturnCode) -> None:
        async with talking_to(answer_with(code)) as (client, _):
            reply = await update(client)

        assert reply == Reply(code=code, reason_code="R1", reason_text="because")

    async def test_uses_a_connection_again(self) -> None:
        async with talking_to(apply) as (client, peer):
            replies = [await update(client, version) for version in range(1, 6)]

            assert [reply.held_version for reply in replies] == [1, 2, 3, 4, 5]
            assert peer.connections == 1

    async def test_opens_as_many_connections_as_calls_at_once_and_keeps_a_few(self) -> None:
        async with talking_to(apply, max_idle_connections=2) as (client, peer):
            await asyncio.gather(*(update(client) for _ in range(5)))
            await asyncio.gather(*(update(client) for _ in range(2)))

            assert peer.connections == 5

    async def test_replaces_an_idle_connection_that_the_peer_closed(self) -> None:
        async with talking_to(apply) as (client, peer):
            await update(client)
            peer.writers[0].close()
            await peer.writers[0].wait_closed()

            assert (await update(client)).code is ReturnCode.APPLIED
            assert (peer.connections, peer.frames) == (2, 2)

    async def test_replaces_an_idle_connection_on_which_more_arrived(self) -> None:
        async def say_too_much(peer: Peer, payload: bytes, writer: asyncio.StreamWriter) -> None:
            await apply(peer, payload, writer)
            writer.write(b"more")

        async with talking_to(say_too_much) as (client, peer):
            await update(client)
            await update(client)

            assert peer.connections == 2

    async def test_replaces_a_connection_that_was_idle_too_long(self) -> None:
        async with talking_to(apply, max_idle_seconds=-1) as (client, peer):
            await update(client)
            await update(client)

            assert peer.connections == 2

    async def test_is_unreachable_when_nobody_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            client = MainframeClient(host="127.0.0.1", port=unused.getsockname()[1])

            with pytest.raises(MainframeUnreachableError):
                await update(client)

    async def test_is_unreachable_when_the_connection_takes_too_long(self) -> None:
        # A listening socket whose queue is full answers no connection attempt.
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for filler in (first, second):
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            client = MainframeClient(host="127.0.0.1", port=full.getsockname()[1], connect_timeout_seconds=0.05)

            with pytest.raises(MainframeUnreachableError, match="within"):
                await update(client)

    async def test_is_unreachable_when_the_peer_speaks_no_tls(self) -> None:
        async with talking_to(apply) as (_, peer):
            client = MainframeClient(host="127.0.0.1", port=peer.port, tls=True)

            with pytest.raises(MainframeUnreachableError):
                await update(client)

            await asyncio.wait_for(peer.ended.wait(), 5)

    async def test_speaks_tls_to_a_peer_it_trusts_and_to_no_other(self, tmp_path: Path) -> None:
        certificate = self_signed(tmp_path)
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(certificate)
        trusting = ssl.create_default_context(cafile=str(certificate))

        async with talking_to(apply, server_tls=server_side, tls=True, tls_context=trusting) as (client, peer):
            assert (await update(client)).code is ReturnCode.APPLIED
            assert (await update(client)).code is ReturnCode.APPLIED
            stranger = MainframeClient(host="127.0.0.1", port=peer.port, tls=True)
            with pytest.raises(MainframeUnreachableError):
                await update(stranger)

        assert peer.frames == 2

    async def test_has_an_unknown_outcome_when_no_answer_comes_in_time(self) -> None:
        async with talking_to(stay_silent, call_timeout_seconds=0.05) as (client, peer):
            with pytest.raises(NoAnswerError, match="within"):
                await update(client)

            await asyncio.wait_for(peer.ended.wait(), 5)
            assert (peer.connections, peer.frames) == (1, 1)

    async def test_has_an_unknown_outcome_when_the_peer_hangs_up(self) -> None:
        async with talking_to(hang_up) as (client, peer):
            with pytest.raises(NoAnswerError):
                await update(client)

            assert (peer.connections, peer.frames) == (1, 1)

    @pytest.mark.parametrize(
        "data",
        [b"HTTP/1.1 400 Bad Request\r\n\r\n", framed(b"short"), framed(b"\x00" * 160), b"\xff\xff\x00\x00" + b"x" * 99],
    )
    async def test_has_an_unknown_outcome_when_the_answer_is_garbage(self, data: bytes) -> None:
        async with talking_to(answer_bytes(data)) as (client, peer):
            with pytest.raises(GarbledReplyError):
                await update(client)

            await asyncio.wait_for(peer.ended.wait(), 5)

    async def test_closes_its_connection_when_cancelled(self) -> None:
        async with talking_to(stay_silent) as (client, peer):
            call = asyncio.create_task(update(client))
            await asyncio.wait_for(peer.arrived.wait(), 5)

            call.cancel()

            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.wait_for(peer.ended.wait(), 5)


class TestInquire:
    async def test_tells_the_version_held(self) -> None:
        async with talking_to(apply) as (client, _):
            assert await client.inquire(subject="CUSTOMER", key="cus_1") == 5

    @pytest.mark.parametrize(
        "code", [ReturnCode.BUSY, ReturnCode.ABENDED, ReturnCode.REJECTED, ReturnCode.ALREADY_HELD]
    )
    async def test_raises_what_is_no_answer_to_a_question(self, code: ReturnCode) -> None:
        async with talking_to(answer_with(code)) as (client, _):
            with pytest.raises(MainframeRefusedError) as caught:
                await client.inquire(subject="CUSTOMER", key="cus_1")

        assert (caught.value.return_code, caught.value.reason_code) == (code, "R1")


class TestBrowse:
    async def test_lists_keys_and_versions(self) -> None:
        async with talking_to(apply) as (client, _):
            assert await client.browse(subject="CUSTOMER", after="a", limit=2) == [("b", 1), ("c", 2)]


class TestClose:
    async def test_closes_what_is_idle_and_what_comes_back(self) -> None:
        async with talking_to(apply) as (client, peer):
            await update(client)

            await client.close()
            await asyncio.wait_for(peer.ended.wait(), 5)
            peer.ended.clear()
            await update(client)

            await asyncio.wait_for(peer.ended.wait(), 5)
            assert peer.connections == 2
