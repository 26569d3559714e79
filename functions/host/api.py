"""The ASGI app: every operation of every room behind one edge."""

from collections.abc import Callable, Sequence
from typing import Final

from fastapi import APIRouter, FastAPI

from functions.host.bodies import raw_bodies
from functions.host.edge import Edge
from functions.host.problems import HANDLERS
from lib.wiring import Platform


def create_api(platform: Callable[[], Platform], routers: Sequence[APIRouter]) -> Edge:
    """Return the API. The platform is asked for at each request, so nothing is built before the first.

    The routers' own routes are served: an included router is built again for each app, at its first requests, and
    looked through twice at each.
    """
    app: Final = FastAPI(
        routes=[route for router in routers for route in router.routes],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        telemetry={"tracing": False},
    )
    app.state.platform = platform
    return Edge(app, lambda: platform().settings.gateway_key, raw_bodies(routers))
