"""An HTTP proxy between the app and Azurite that does on purpose what networks and busy services do by chance.

In a test: `async with FaultProxy(azurite.connection_string) as proxy:`, give the app `proxy.connection_string`, and
add rules to `proxy.rules`. From other processes: `python -m local.faults.control`.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from lib.storage.azure import ConnectionString
from local.faults.rules import Fault, FaultRules, Operation, Rule, queue_operation, table_operation

_HOST = "127.0.0.1"
_LOOK_SECONDS = 0.05
_BODY_BYTES = 8 * 1024 * 1024
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_ANSWERS = {
    Fault.BUSY: (503, "ServerBusy", "The server is currently unable to receive requests."),
    Fault.FAIL: (500, "InternalError", "Server encountered an internal error."),
    Fault.FAIL_AFTER: (500, "OperationTimedOut", "Operation could not be completed within the permitted time."),
    Fault.EXISTS: (409, "EntityAlreadyExists", "The specified entity already exists."),
    Fault.CHANGED: (412, "UpdateConditionNotSatisfied", "The update condition specified was not satisfied."),
}
_BEFORE_STORAGE = frozenset({Fault.BUSY, Fault.FAIL, Fault.EXISTS, Fault.CHANGED})


class FaultProxy:
    """Stands before the table and the queue service of one account, on ports of its own."""

    def __init__(self, connection_string: str, *, rules: FaultRules | None = None) -> None:
        """Say whose storage to stand before, and by which rules; without any it only passes on."""
        self.rules = rules or FaultRules()
        self._text = connection_string
        upstream = ConnectionString.parse(connection_string)
        self._upstreams = {"Table": upstream.table_service_uri, "Queue": upstream.queue_service_uri}
        self._ports: dict[str, int] = {}
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self._stopping = asyncio.Event()

    @property
    def connection_string(self) -> str:
        """What to give the app, so that its storage is reached through here; known once started."""
        parts = dict(part.split("=", 1) for part in self._text.split(";") if part)
        for service, port in self._ports.items():
            path = urlsplit(self._upstreams[service]).path
            parts[f"{service}Endpoint"] = f"http://{_HOST}:{port}{path}"
        return ";".join(f"{name}={value}" for name, value in parts.items())

    async def start(self, *, ports: tuple[int, int] = (0, 0)) -> None:
        """Listen for tables and for queues on these ports (0: any free one)."""
        # No kept connections to storage: one that ends just then would look like a fault nobody asked for.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept", "Content-Type"),
            auto_decompress=False,
        )
        for service, port in zip(self._upstreams, ports, strict=True):
            application = web.Application(client_max_size=_BODY_BYTES)
            application.router.add_route("*", "/{path:.*}", _handler(self, service))
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, _HOST, port).start()
            self._ports[service] = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and end what hangs."""
        self._stopping.set()
        while self._runners:
            await self._runners.pop().cleanup()
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def pass_on(self, service: str, request: web.Request) -> web.StreamResponse:
        """Answer one request, with or without the fault that the rules have for it."""
        operation = _operation(service, request)
        rule = self.rules.decide(operation, request.method, request.raw_path)
        body = await request.read()
        if rule is None:
            return await self._forward(service, request, body)
        if rule.fault is Fault.RESET:
            return _break(request)
        if rule.fault is Fault.HANG:
            await self._hang(request)
            return _break(request)
        if rule.fault in _BEFORE_STORAGE:
            return _answer(service, operation, rule.fault)
        return await self._forward_with(rule, service, request, body, operation)

    async def _forward_with(
        self, rule: Rule, service: str, request: web.Request, body: bytes, operation: Operation
    ) -> web.StreamResponse:
        if rule.fault is Fault.DELAY:
            await asyncio.sleep(rule.delay_seconds)
        if rule.fault is Fault.TWICE:
            await self._forward(service, request, body)
        response = await self._forward(service, request, body)
        if rule.fault is Fault.LATE_REPLY:
            await asyncio.sleep(rule.delay_seconds)
        if rule.fault is Fault.DROP_REPLY:
            return _break(request)
        return _answer(service, operation, rule.fault) if rule.fault is Fault.FAIL_AFTER else response

    async def _forward(self, service: str, request: web.Request, body: bytes) -> web.Response:
        if self._session is None:
            raise RuntimeError("the proxy is not started")
        origin = URL(self._upstreams[service]).origin()
        async with self._session.request(
            request.method,
            URL(f"{origin}{request.raw_path}", encoded=True),
            headers=_end_to_end(request.headers),
            data=body or None,
            allow_redirects=False,
        ) as reply:
            return web.Response(status=reply.status, headers=_end_to_end(reply.headers), body=await reply.read())

    async def _hang(self, request: web.Request) -> None:
        # aiohttp has no event for a caller who left, so this looks every now and then.
        while request.transport is not None and not request.transport.is_closing():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_SECONDS)
                return


def _handler(proxy: FaultProxy, service: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await proxy.pass_on(service, request)

    return handle


def _operation(service: str, request: web.Request) -> Operation:
    if service == "Queue":
        return queue_operation(request.method, request.raw_path)
    return table_operation(request.method, request.raw_path, request.headers)


def _break(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)


def _answer(service: str, operation: Operation, fault: Fault) -> web.Response:
    status, code, words = _ANSWERS[fault]
    if service == "Queue":
        text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{words}</Message></Error>'
        return web.Response(status=status, text=text, content_type="application/xml", headers={"x-ms-error-code": code})
    transaction = operation is Operation.TRANSACTION
    message = {"lang": "en-US", "value": f"0:{words}" if transaction else words}
    error = json.dumps({"odata.error": {"code": code, "message": message}})
    if transaction and fault in {Fault.EXISTS, Fault.CHANGED}:
        return _transaction_answer(status, error)
    return web.Response(status=status, text=error, content_type="application/json")


def _transaction_answer(status: int, error: str) -> web.Response:
    # A transaction that was refused is answered 202; the refusal is inside.
    text = "\r\n".join(
        (
            "--batchresponse_fault",
            "Content-Type: multipart/mixed; boundary=changesetresponse_fault",
            "",
            "--changesetresponse_fault",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            f"HTTP/1.1 {status} Refused",
            "Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
            "",
            error,
            "--changesetresponse_fault--",
            "--batchresponse_fault--",
            "",
        )
    )
    return web.Response(
        status=202, body=text.encode(), headers={"Content-Type": "multipart/mixed; boundary=batchresponse_fault"}
    )
