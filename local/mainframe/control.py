"""The control port: what a test may look at and set, over HTTP, on loopback only."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.mainframe.listener import bound_socket

if TYPE_CHECKING:
    from local.mainframe.server import MockMainframe

_MAX_ROWS = 1000


class _RefusedError(Exception):
    """What was asked makes no sense; the text says why."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


def control_app(mainframe: "MockMainframe") -> Starlette:
    """Return the control port's application."""
    ask = _Endpoints(mainframe)
    return Starlette(
        routes=[
            Route("/master/{key}", _checked(ask.master)),
            Route("/journal", _checked(ask.journal)),
            Route("/stats", _checked(ask.stats)),
            Route("/faults", _checked(ask.faults)),
            Route("/faults", _checked(ask.set_faults), methods=["PUT"]),
            Route("/faults", _checked(ask.clear_faults), methods=["DELETE"]),
            Route("/settings", _checked(ask.settings)),
            Route("/settings", _checked(ask.change_settings), methods=["PUT"]),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Endpoints:
    mainframe: "MockMainframe"

    async def master(self, request: Request) -> Response:
        subject = request.query_params.get("subject")
        held = await self.mainframe.held(request.path_params["key"], subject)
        if held is None:
            raise _RefusedError(404, "Not held", f"The master file holds no {subject or 'subject'} under this key.")
        # Amounts are decimals: they go out as text, because JSON's numbers would not stay exact.
        return Response(
            json.dumps(held, default=str, ensure_ascii=False, separators=(",", ":")), media_type="application/json"
        )

    async def journal(self, request: Request) -> Response:
        after = _number(request, "after", 0, 0, 2**62)
        limit = _number(request, "limit", 100, 1, _MAX_ROWS)
        rows = await self.mainframe.journal(after=after, limit=limit, key=request.query_params.get("key"))
        items = [{to_camel(name): value for name, value in asdict(row).items()} for row in rows]
        return JSONResponse({"items": items, "next": rows[-1].sequence if len(rows) == limit else None})

    async def stats(self, _: Request) -> Response:
        return JSONResponse(self.mainframe.statistics())

    async def faults(self, _: Request) -> Response:
        return JSONResponse(self.mainframe.board.listing())

    async def set_faults(self, request: Request) -> Response:
        wanted = await _body(request)
        return JSONResponse(await self.mainframe.set_faults(*(wanted if isinstance(wanted, list) else [wanted])))

    async def clear_faults(self, _: Request) -> Response:
        return JSONResponse(await self.mainframe.set_faults())

    async def settings(self, _: Request) -> Response:
        return JSONResponse(self.mainframe.set_settings({}))

    async def change_settings(self, request: Request) -> Response:
        return JSONResponse(self.mainframe.set_settings(await _body(request)))


def _checked(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint with what it refuses made a problem document."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ValidationError as error:
            refused = _RefusedError(422, "Not understood", "; ".join(_sentences(error)))
        except _RefusedError as error:
            refused = error
        return JSONResponse(
            {"type": "about:blank", "title": refused.title, "status": refused.status, "detail": refused.detail},
            status_code=refused.status,
            media_type="application/problem+json",
        )

    return answer


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        yield f"{place}: {problem['msg']}" if place else problem["msg"]


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise _RefusedError(422, "Not understood", "The body is not JSON.") from None


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _RefusedError(422, "Not understood", f"{name} must be a whole number from {least} to {most}.")
    return int(text)


class _Server(uvicorn.Server):
    """Leaves signals to whoever started the process, tells when it is up, and stops without waiting for a tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stopping.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class ControlServer:
    """Serves the control port inside the running loop."""

    def __init__(self, mainframe: "MockMainframe", port: int) -> None:
        """Take the port. Raises PortTakenError."""
        self._bound = bound_socket(port)
        self.port: int = self._bound.getsockname()[1]
        config = uvicorn.Config(
            control_app(mainframe), log_config=None, access_log=False, lifespan="off", ws="none", timeout_keep_alive=5
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer from now on."""
        self._bound.listen(64)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._bound]))
        await self._server.up.wait()

    async def stop(self) -> None:
        """Stop answering."""
        self._server.force_exit = True
        self._server.stopping.set()
        if self._task:
            await self._task

    def release(self) -> None:
        """Give the port back."""
        self._bound.close()
