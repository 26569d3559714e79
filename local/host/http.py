"""The HTTP side of the host: a raw ASGI app that finds the function, checks the key and carries request and reply."""

import asyncio
import html
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from local.host.console import Console
from local.host.context import InvocationContext, trace_of
from local.host.invoke import FunctionTimeoutError, Invoker
from local.host.keys import Keys
from local.host.request import BadPathError, build_request, first_query_value, read_headers, read_path
from local.host.response import Reply, ResponseError, empty_reply, encode_response
from local.host.routes.router import Route, Router

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_NO_FUNCTION = "-"
# Kestrel's MinRequestBodyDataRate: after a grace of five seconds, slower bodies are refused.
_BODY_GRACE_SECONDS = 5.0
_BODY_BYTES_PER_SECOND = 240


class BodyTooLargeError(Exception):
    """The body is longer than the host takes."""


class BodyTooSlowError(Exception):
    """The body came too slowly."""


class ClientGoneError(Exception):
    """The caller hung up before its body was complete."""


class AdminApi(Protocol):
    """What answers under /admin."""

    async def answer(self, method: str, path: str, headers: dict[str, str], query: str, body: bytes) -> Reply:
        """Return the reply to one admin request."""
        ...


@dataclass
class HttpFront:
    """The ASGI app of the host: `uvicorn.Config(HttpFront(...))`."""

    router: Router
    keys: Keys
    invoker: Invoker
    console: Console
    admin: AdminApi
    body_limit_bytes: int = 104_857_600
    homepage_disabled: bool = False
    app_name: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write its line."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        headers = read_headers(scope["headers"])
        trace, name, url_path = trace_of(headers.get("traceparent")) or _NO_FUNCTION, _NO_FUNCTION, "/"
        try:
            path, url_path = read_path(scope["raw_path"])
            found = self.router.find(scope["method"], path[1:])
            if found is None:
                reply = await self._without_function(scope, receive, headers, path)
            else:
                name = found[0].function.name
                refusal = self._refusal(found[0], scope, headers)
                if refusal:
                    reply = empty_reply(refusal)
                else:
                    context = InvocationContext(
                        name=name,
                        directory=found[0].function.directory,
                        traceparent=headers.get("traceparent"),
                        tracestate=headers.get("tracestate"),
                    )
                    trace = context.trace_context.trace_id
                    body = await self._body(headers, receive)
                    request = build_request(
                        scope,
                        url_path=url_path,
                        query=scope["query_string"].decode("latin-1"),
                        headers=headers,
                        route_values=found[1],
                        body=body,
                    )
                    reply = await self._run(found[0], request, context)
        except BadPathError:
            reply = empty_reply(400)
        except BodyTooLargeError:
            reply = 413, [(b"content-length", b"0"), (b"connection", b"close")], b""
        except BodyTooSlowError:
            reply = 408, [(b"content-length", b"0"), (b"connection", b"close")], b""
        except ClientGoneError:
            self.console.debug(f"{scope['method']} {url_path}: the caller hung up while sending.")
            return
        status, fields, content = reply
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": content})
        self.console.request(
            trace=trace,
            method=scope["method"],
            path=url_path,
            status=status,
            elapsed_seconds=time.perf_counter() - started,
            function=name,
        )

    def _refusal(self, route: Route, scope: Scope, headers: dict[str, str]) -> int:
        """Return the status to refuse with, or 0. Only a route that matched is ever asked for a key."""
        function = route.function
        required = str(function.trigger.get("authLevel", "FUNCTION")).lower()
        if required == "anonymous" and not function.disabled:
            return 0
        query = scope["query_string"].decode("latin-1")
        header, code = headers.get("x-functions-key"), first_query_value(query, "code")
        if function.disabled and self.keys.level(header, code) != "admin":
            return 404
        return 0 if self.keys.allows(required, header, code) else 401

    async def _run(self, route: Route, request: Any, context: InvocationContext) -> Reply:
        try:
            result = await self.invoker.run(route.function, request, context)
            return encode_response(result, is_head=request.method == "HEAD")
        except FunctionTimeoutError:
            pass  # the invoker has said it
        except ResponseError as error:
            self.console.error(f"{route.function.name}: {error}", error.__cause__)
        except Exception as error:  # noqa: BLE001 - the host's edge: the stack goes to the log, the caller learns nothing
            self.console.error(f"{route.function.name} failed ({context.invocation_id})", error)
        return empty_reply(500)

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        """Read the body, when its length was announced: chunked ones arrive empty, as in Azure."""
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) == 0:
            return b""
        if int(length) > self.body_limit_bytes:
            raise BodyTooLargeError
        try:
            async with asyncio.timeout(_BODY_GRACE_SECONDS + int(length) / _BODY_BYTES_PER_SECOND):
                return await self._received(receive)
        except TimeoutError:
            raise BodyTooSlowError from None

    async def _received(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return bytes(message["body"])
        parts: list[bytes] = []
        while message["type"] == "http.request":
            parts.append(message["body"])
            if not message.get("more_body"):
                return b"".join(parts)
            message = await receive()
        raise ClientGoneError

    async def _without_function(self, scope: Scope, receive: Receive, headers: dict[str, str], path: str) -> Reply:
        if path.lower().startswith("/admin/"):
            query = scope["query_string"].decode("latin-1")
            body = await self._body(headers, receive)
            return await self.admin.answer(scope["method"], path, headers, query, body)
        if path == "/":
            return self._homepage()
        return empty_reply(404)

    def _homepage(self) -> Reply:
        if self.homepage_disabled:
            return 204, [], b""
        title = html.escape(self.app_name or "Functions app")
        page = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>The local Functions host is running.</p>"
        body = page.encode()
        return 200, [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))], body
