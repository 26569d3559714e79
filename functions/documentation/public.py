"""The public API's document and page."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import HTMLResponse, Response

from functions.documentation.pages import ASSETS, asset, document, page
from functions.host.answers import JSON

router = APIRouter(prefix="/api", include_in_schema=False)
_A_DAY = "public, max-age=86400"


@router.get("/openapi.json", operation_id="get_openapi")
async def get_openapi() -> Response:
    """Return the OpenAPI 3.1 document of the public API."""
    return Response(document("public"), media_type=JSON)


@router.get("/docs", operation_id="get_docs")
async def get_docs() -> Response:
    """Return the page that shows the public API."""
    return HTMLResponse(page(title="Customer platform: public API", document_path="/api/openapi.json"))


@router.get("/docs/assets/{name}", operation_id="get_docs_asset")
async def get_docs_asset(name: Annotated[str, Path(max_length=40)]) -> Response:
    """Return a part of the documentation pages."""
    return Response(asset(name), media_type=ASSETS[name], headers={"Cache-Control": _A_DAY})
