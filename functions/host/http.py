"""One HTTP-triggered function per operation, made from the operation itself so that the two cannot drift."""

from collections.abc import Iterable
from typing import Final

import azure.functions as func
from fastapi import APIRouter
from fastapi.routing import APIRoute

from functions.host.edge import Edge
from functions.host.problems import PROBLEM_JSON

ROUTE_PREFIX: Final = "/api/"
_PRIVATE: Final = "/api/private/"


def operations_of(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """Return the operations of routers, by name."""
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return sorted(found, key=lambda route: route.operation_id or "")


def auth_level_of(route: APIRoute) -> func.AuthLevel:
    """Return who may call: private operations need a function key, public ones stand behind a gateway."""
    return func.AuthLevel.FUNCTION if route.path.startswith(_PRIVATE) else func.AuthLevel.ANONYMOUS


def register(app: func.FunctionApp, edge: Edge, routers: Iterable[APIRouter]) -> None:
    """Register a function for each operation, named after its operation id."""
    middleware = func.AsgiMiddleware(edge)
    for route in operations_of(routers):
        if route.operation_id is None:
            message = f"the operation at {route.path} has no operation id"
            raise ValueError(message)
        app.function_name(route.operation_id)(
            app.route(
                # Without FastAPI's own convertors: to the host, an escaped slash is part of its segment anyway.
                route=route.path_format.removeprefix(ROUTE_PREFIX),
                methods=sorted(route.methods or ()),
                auth_level=auth_level_of(route),
            )(_function(middleware))
        )


def _function(middleware: func.AsgiMiddleware):  # noqa: ANN202 - the decorator reads the handler's own annotations
    async def operation(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        try:
            return await middleware.handle_async(req, context)
        except UnicodeDecodeError:
            # A broken percent-encoding in the path (`/%ff`) fails before any ASGI code runs.
            return func.HttpResponse(_UNREADABLE, status_code=400, mimetype=PROBLEM_JSON)

    return operation


_UNREADABLE: Final = (
    b'{"type":"urn:iommi:problem:malformed-request","title":"The request cannot be read","status":400,'
    b'"detail":"The address cannot be decoded.","instance":"","traceId":""}'
)
